#include "core/io/byte_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/error.hpp"

namespace lvsa {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, what));
}

}  // namespace

ByteFile::ByteFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0) fail(path, "cannot be opened: " + std::generic_category().message(errno));
  struct stat info {};
  const bool known = ::fstat(descriptor_, &info) == 0;
  if (known && S_ISREG(info.st_mode)) {
    size_ = info.st_size;
    return;
  }
  ::close(descriptor_);
  fail(path,
       known && S_ISDIR(info.st_mode) ? "is a directory; a file is due" : "is no regular file");
}

ByteFile::~ByteFile() { ::close(descriptor_); }

void ByteFile::read(std::int64_t offset, void* data, std::int64_t count) const {
  constexpr std::int64_t kMostAtOnce = std::int64_t{1} << 30;  // the system's own limit is 2^31
  auto* to = static_cast<char*>(data);
  while (count > 0) {
    const auto piece = static_cast<std::size_t>(std::min(count, kMostAtOnce));
    const ssize_t got = ::pread(descriptor_, to, piece, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot be read: " + std::generic_category().message(errno));
    if (got == 0) {
      fail(path_, fmt::format("ends at byte {}, {} bytes too early: it is cut off", offset, count));
    }
    to += got;
    offset += got;
    count -= got;
  }
}

std::string read_small_file(const std::string& path, std::int64_t most) {
  const ByteFile file(path);
  if (file.size() > most) {
    fail(path, fmt::format("has {} bytes; at most {} are due", file.size(), most));
  }
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), file.size());
  return text;
}

}  // namespace lvsa
