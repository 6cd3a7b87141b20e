#include "core/io/write_signals.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

#include "core/error.hpp"

namespace lvsa {

WriteSignalsBlocked::WriteSignalsBlocked() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGXFSZ);
  sigaddset(&signals_, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

WriteSignalsBlocked::~WriteSignalsBlocked() {
  const int error_number = errno;
  const timespec no_wait{};
  while (sigtimedwait(&signals_, nullptr, &no_wait) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = error_number;
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t written = 0;
    {
      const WriteSignalsBlocked blocked;
      written = ::write(descriptor, bytes.data(), bytes.size());
    }
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw Error(ErrorKind::kIo, fmt::format("{}: cannot be written: {}", path,
                                              std::generic_category().message(errno)));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace lvsa
