#include "analysis/run/worker_channel.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "analysis/run/child_process.hpp"
#include "analysis/run/wire.hpp"

namespace lvsa::analysis {

void set_up_worker_process(const WorkerSetUp& set_up) {
  // The parent may have gone before the first line; afterwards the signal comes.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (set_up.parent > 0 && ::getppid() != set_up.parent) ::_exit(kChannelLost);
  if (set_up.memory_limit_b > 0) {
    const auto bytes = static_cast<rlim_t>(set_up.memory_limit_b);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  const rlimit no_core{0, 0};  // a suite of crashes would fill the disk
  ::setrlimit(RLIMIT_CORE, &no_core);
  // What a kernel prints before it crashes shall be seen.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

WorkerChannel::WorkerChannel() : descriptor_(ChildProcess::kChannel) {
  constexpr int kLeastNumber = 100;
  const int moved = ::fcntl(ChildProcess::kChannel, F_DUPFD_CLOEXEC, kLeastNumber);
  if (moved < 0) return;
  ::close(ChildProcess::kChannel);
  descriptor_ = moved;
}

bool WorkerChannel::read_more() {
  std::array<char, 16384> bytes;
  while (true) {
    const ssize_t got = ::read(descriptor_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }
}

bool WorkerChannel::next(std::string& line) {
  while (true) {
    if (auto taken = take_line(buffer_)) {
      line = std::move(*taken);
      return true;
    }
    if (!read_more()) return false;
  }
}

bool WorkerChannel::next_bytes(std::size_t count, std::string& bytes) {
  while (buffer_.size() < count) {
    if (!read_more()) return false;
  }
  bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return true;
}

void WorkerChannel::send(std::string_view word, std::string_view text) const {
  send_bytes(wire_line(word, text));
}

void WorkerChannel::send_bytes(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) ::_exit(kChannelLost);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace lvsa::analysis
