#pragma once
// Lines of a text file, plain or gzip.

#include <cstdint>
#include <string>

struct gzFile_s;

namespace lvsa {

class LineReader {
 public:
  /// Opens a plain or gzip file (told apart by its content). Throws Error(kIo) naming the path for
  /// a directory or a file that cannot be opened.
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Reads the next line without its end ("\n" or "\r\n"); false at the end of the file. Throws
  /// Error(kIo) for a damaged or cut-off gzip stream, or a line longer than 1 GiB.
  bool next(std::string& line);
  /// Number of the line read last, from 1.
  std::int64_t line_number() const { return line_number_; }

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  bool fill();

  gzFile_s* file_ = nullptr;
  std::string buffer_;  // bytes that were read ahead
  std::size_t at_ = 0;  // the first of them that is not given out
  std::int64_t line_number_ = 0;
};

}  // namespace lvsa
