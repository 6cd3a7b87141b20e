// A log as it grows.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "analysis/diagnose/log_reader.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kPauseMs = 100;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }
  void replace(int descriptor) {
    if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
    descriptor_ = descriptor;
  }

 private:
  int descriptor_;
};

class Follower {
 public:
  Follower(const std::string& path, int stop, LogTimeline& timeline)
      : path_(path), stop_(stop), scanner_(timeline), file_(open_first()), buffer_(1U << 18) {}

  void run(const std::function<void()>& idle) {
    while (drain()) {
      idle();
      if (stopped(kPauseMs)) break;
      if (!stream_) look_again();
    }
    scanner_.finish();
    idle();
  }

 private:
  int open_first() {
    if (path_ == "-") return STDIN_FILENO;
    const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (descriptor < 0 || ::fstat(descriptor, &about) != 0) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: cannot be opened: {}", path_, std::strerror(errno)));
    }
    if (S_ISDIR(about.st_mode)) {
      ::close(descriptor);
      throw Error(ErrorKind::kIo, fmt::format("{}: is a directory; a log is due", path_));
    }
    stream_ = !S_ISREG(about.st_mode);
    return descriptor;
  }

  bool stopped(int wait_ms) const {
    pollfd waits{stop_, POLLIN, 0};
    return ::poll(&waits, 1, wait_ms) > 0;
  }

  // Reads what is there; false when there will be no more.
  bool drain() {
    for (;;) {
      pollfd waits[2] = {{stop_, POLLIN, 0}, {file_.get(), POLLIN, 0}};
      if (stream_ && ::poll(waits, 2, kPauseMs) == 0) return true;  // a pipe that is silent
      if (stream_ && (waits[0].revents & POLLIN) != 0) return true;
      const ssize_t got = ::read(file_.get(), buffer_.data(), buffer_.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
      if (got <= 0) return !stream_;
      scanner_.feed({buffer_.data(), static_cast<std::size_t>(got)});
      if (stopped(0)) return true;
    }
  }

  // Another file under the name, or the same one cut off.
  void look_again() {
    struct stat open_file {};
    struct stat named {};
    if (::fstat(file_.get(), &open_file) != 0) return;
    const off_t at = ::lseek(file_.get(), 0, SEEK_CUR);
    if (open_file.st_size < at) {
      ::lseek(file_.get(), 0, SEEK_SET);
      scanner_.finish();
      return;
    }
    if (::stat(path_.c_str(), &named) != 0) return;  // gone for now
    if (named.st_ino == open_file.st_ino && named.st_dev == open_file.st_dev) return;
    const int next = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (next < 0) return;
    drain();  // what came between the last look and the renaming
    scanner_.finish();
    file_.replace(next);
  }

  std::string path_;
  int stop_;
  bool stream_ = true;  // a pipe: it ends, and is not renamed
  LogScanner scanner_;
  Descriptor file_;
  std::vector<char> buffer_;
};

}  // namespace

void follow_log(const std::string& path, int stop_descriptor, LogTimeline& timeline,
                const std::function<void()>& idle) {
  Follower(path, stop_descriptor, timeline).run(idle);
}

}  // namespace lvsa::analysis
