#include "core/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/io/write_signals.hpp"

namespace lvsa {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr mode_t kFileMode = 0666;  // less the umask
constexpr int kAttempts = 100;      // at a name that nobody else uses

[[noreturn]] void fail(const std::string& path, std::string_view reason) {
  throw Error(ErrorKind::kIo, fmt::format("{}: cannot be written: {}", path, reason));
}

[[noreturn]] void fail(const std::string& path, int error_number) {
  fail(path, std::generic_category().message(error_number));
}

// A hidden name beside `target`, cut so that it is no longer than a name may be.
std::string name_aside(const std::filesystem::path& target) {
  constexpr std::size_t kKept = 200;
  static std::atomic<unsigned> counter{0};
  const std::string name = target.filename().string().substr(0, kKept);
  return (target.parent_path() / fmt::format(".{}.{}-{}.tmp", name, getpid(), counter++)).string();
}

// Where the bytes shall end up: behind symbolic links, whether or not what they name exists.
std::string followed(const std::string& path) {
  std::filesystem::path target = path;
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(target, error); ++links) {
    constexpr int kMostLinks = 40;  // as the kernel has it
    if (links == kMostLinks) fail(path, ELOOP);
    const auto next = std::filesystem::read_symlink(target, error);
    if (error) fail(path, error.message());
    target = target.parent_path() / next;  // an absolute `next` replaces the folder
  }
  return target.string();
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  if (path.empty()) throw Error(ErrorKind::kIo, "'': no file name; the name of a file is due");
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (!exists && errno != ENOENT) fail(path, errno);
  if ((exists && S_ISDIR(info.st_mode)) || path.back() == '/') {
    fail(path, "is a directory; the name of a file is due");
  }
  if (exists && ::access(path.c_str(), W_OK) != 0) fail(path, errno);
  if (exists && !S_ISREG(info.st_mode)) {
    open_in_place();
  } else {
    target_ = followed(path);
    open_aside();
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::open_in_place() {
  // Appending: another writer to the same terminal or log keeps what it wrote.
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
  if (descriptor_ < 0) fail(path_, errno);
}

void AtomicFile::open_aside() {
  const std::filesystem::path folder = std::filesystem::path(target_).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    fail(path_, fmt::format("there is no folder '{}'", folder.string()));
  }
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::string name = name_aside(target_);
    descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
    if (descriptor_ >= 0) {
      temporary_ = name;
      return;
    }
    if (errno != EEXIST) fail(path_, errno);
  }
  fail(path_, "its folder is full of temporary files of the same name; remove them");
}

void AtomicFile::write(std::string_view bytes) {
  if (bytes.size() >= kBufferBytes) {  // nothing is won by another copy
    flush();
    write_all(descriptor_, bytes, path_);
    return;
  }
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void AtomicFile::flush() {
  if (descriptor_ < 0) fail(path_, "it is closed already");
  write_all(descriptor_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::commit(Sync sync) {
  flush();
  // Some file systems report a full disk only now. Pipes and terminals know no fsync (EINVAL).
  if (sync == Sync::kNow && ::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS &&
      errno != ENOTSUP) {
    fail(path_, errno);
  }
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail(path_, errno);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(path_, errno);
  temporary_.clear();
}

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

NamelessFile::NamelessFile(const std::string& beside) : beside_(beside) {
  const std::filesystem::path target = name_aside(followed(beside));
  // Not O_TMPFILE: not all file systems know it.
  descriptor_ = ::open(target.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor_ < 0) fail(beside, errno);
  ::unlink(target.c_str());
}

NamelessFile::~NamelessFile() { ::close(descriptor_); }

void NamelessFile::write(std::string_view bytes) { write_all(descriptor_, bytes, beside_); }

void NamelessFile::copy_to(AtomicFile& file) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::string piece(kPiece, '\0');
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(descriptor_, piece.data(), piece.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(beside_, errno);
    if (got == 0) return;
    file.write({piece.data(), static_cast<std::size_t>(got)});
    at += got;
  }
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace lvsa
