#include "core/io/line_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 30;

}  // namespace

void LineReader::fail(const std::string& what) const {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", path_, what));
}

LineReader::LineReader(const std::string& path) : path_(path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail("is a directory; a file is due");
  errno = 0;
  file_ = gzopen(path.c_str(), "rb");
  if (file_ == nullptr) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  gzbuffer(file_, 1U << 18);
}

LineReader::~LineReader() {
  if (file_ != nullptr) gzclose(file_);
}

bool LineReader::next(std::string& line) {
  line.clear();
  std::array<char, 65536> chunk;
  while (gzgets(file_, chunk.data(), static_cast<int>(chunk.size())) != nullptr) {
    line += chunk.data();
    if (line.size() > kLongestLine)
      fail(fmt::format("line {} is longer than 1 GiB", line_number_ + 1));
    if (line.back() == '\n') break;
  }
  int code = Z_OK;
  const char* reason = gzerror(file_, &code);
  if (code != Z_OK && code != Z_STREAM_END) {
    fail(fmt::format("damaged or cut off after line {}: {}", line_number_,
                     code == Z_ERRNO ? std::strerror(errno) : reason));
  }
  if (line.empty()) return false;
  ++line_number_;
  if (line.back() == '\n') line.pop_back();
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

}  // namespace lvsa
