#pragma once
// A regular file that is read by position.

#include <cstdint>
#include <string>

namespace lvsa {

/// Reads with pread, not through a memory map: a file that somebody cuts off while it is read then
/// gives an error, where a map would end the process with SIGBUS; and what is read here goes into
/// tensors of its own anyway, so a map would save no copy.
class ByteFile {
 public:
  /// Throws Error(kIo) naming the path when it cannot be opened or is no regular file (a directory,
  /// a device; a pipe is not waited for).
  explicit ByteFile(const std::string& path);
  ~ByteFile();
  ByteFile(const ByteFile&) = delete;
  ByteFile& operator=(const ByteFile&) = delete;

  const std::string& path() const { return path_; }
  /// Bytes, when it was opened.
  std::int64_t size() const { return size_; }
  /// Reads exactly `count` bytes from `offset`. Throws Error(kIo) when the file ends before.
  void read(std::int64_t offset, void* data, std::int64_t count) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

/// The whole of a small file. Throws Error(kIo) also when it holds more than `most` bytes.
std::string read_small_file(const std::string& path, std::int64_t most);

}  // namespace lvsa
