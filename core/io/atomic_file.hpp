#pragma once
// Files that are there whole or not at all: written aside, then renamed into place.

#include <string>
#include <string_view>

namespace lvsa {

/// A file under way. The bytes go to a temporary file in the folder of `path`; commit() gives it
/// the final name, and without commit() nothing is left behind. An existing file is replaced by
/// commit() and untouched until then. What exists and is no regular file (/dev/stdout, a pipe) is
/// written directly, since a rename would put a file in its place.
///
/// All functions throw Error(kIo) with one line that names `path` and the reason: no such folder, a
/// directory in its place, no permission, disk full, file size limit.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Buffered: an error may show only in a later write() or in commit().
  void write(std::string_view bytes);

  enum class Sync {
    kNow,    ///< the bytes are on the disk before the file has its name
    kLater,  ///< when the system sees fit: for many files that can be made again
  };
  /// Flushes to the disk, closes, and renames. Nothing may be written after it.
  void commit(Sync sync = Sync::kNow);

 private:
  void open_aside();
  void open_in_place();
  void flush();
  void discard() noexcept;

  std::string path_;       // as the caller named it: for messages
  std::string target_;     // path_ with symbolic links followed, so that a link stays a link
  std::string temporary_;  // empty when the file is written in place, or no longer there
  std::string buffer_;
  int descriptor_ = -1;
};

/// A file without a name, for bytes that wait until what stands before them is known. It goes away
/// with the process, however that ends.
class NamelessFile {
 public:
  /// In the folder of `beside`, which is also what messages name. Throws Error(kIo).
  explicit NamelessFile(const std::string& beside);
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;
  ~NamelessFile();

  void write(std::string_view bytes);
  /// Appends all that was written to another file.
  void copy_to(AtomicFile& file);

 private:
  std::string beside_;
  int descriptor_ = -1;
};

/// The whole of a file at once. Throws as AtomicFile does.
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace lvsa
