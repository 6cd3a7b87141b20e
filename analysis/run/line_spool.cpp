#include "analysis/run/line_spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/io/write_signals.hpp"

namespace lvsa::analysis {
namespace {

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr ? folder : "/tmp";
}

// For messages.
std::string file_name() {
  return fmt::format("temporary file in {} (TMPDIR names the folder)", temporary_folder());
}

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", file_name(), what));
}

std::string errno_text() { return std::generic_category().message(errno); }

}  // namespace

int open_nameless_file() {
  int descriptor = ::open(temporary_folder().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) descriptor = ::memfd_create("lines", MFD_CLOEXEC);
  if (descriptor < 0) fail(errno_text());
  return descriptor;
}

LineSpool::LineSpool(LineSpool&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      in_file_(std::exchange(other.in_file_, 0)),
      held_(std::exchange(other.held_, {})),
      ends_(std::exchange(other.ends_, {})) {}

LineSpool& LineSpool::operator=(LineSpool&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(in_file_, other.in_file_);
  std::swap(held_, other.held_);
  std::swap(ends_, other.ends_);
  return *this;
}

LineSpool::~LineSpool() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void LineSpool::add(std::string_view line) {
  if (!held_.empty() && held_.size() + line.size() > kMostHeld) spill();
  held_ += line;
  ends_.push_back(in_file_ + static_cast<std::int64_t>(held_.size()));
}

void LineSpool::spill() {
  if (descriptor_ < 0) descriptor_ = open_nameless_file();
  if (::lseek(descriptor_, in_file_, SEEK_SET) < 0) fail(errno_text());
  write_all(descriptor_, held_, file_name());
  in_file_ += static_cast<std::int64_t>(held_.size());
  held_.clear();
}

std::string LineSpool::at(std::int64_t index) const {
  const auto i = static_cast<std::size_t>(index);
  const std::int64_t begin = i == 0 ? 0 : ends_.at(i - 1);
  std::string line(static_cast<std::size_t>(ends_.at(i) - begin), '\0');
  if (begin >= in_file_) {  // spill() writes whole lines
    held_.copy(line.data(), line.size(), static_cast<std::size_t>(begin - in_file_));
    return line;
  }
  std::size_t got = 0;
  while (got < line.size()) {
    const ssize_t more =
        ::pread(descriptor_, line.data() + got, line.size() - got, begin + static_cast<off_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) fail(more < 0 ? errno_text() : "has become shorter");
    got += static_cast<std::size_t>(more);
  }
  return line;
}

}  // namespace lvsa::analysis
