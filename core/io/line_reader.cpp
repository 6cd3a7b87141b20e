#include "core/io/line_reader.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
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

// Whether there are bytes in the buffer, reading more if need be.
bool LineReader::fill() {
  constexpr unsigned kChunk = 1U << 16;
  if (at_ < buffer_.size()) return true;
  buffer_.resize(kChunk);
  at_ = 0;
  const int got = gzread(file_, buffer_.data(), kChunk);
  buffer_.resize(static_cast<std::size_t>(std::max(got, 0)));
  if (got > 0) return true;  // what is damaged shows when the good part is used up
  int code = Z_OK;
  const char* reason = gzerror(file_, &code);
  if (code != Z_OK && code != Z_STREAM_END) {
    fail(fmt::format("damaged or cut off after line {}: {}", line_number_,
                     code == Z_ERRNO ? std::strerror(errno) : reason));
  }
  return false;
}

bool LineReader::next(std::string& line) {
  line.clear();
  bool ended = false;
  bool any = false;
  while (!ended && fill()) {
    any = true;
    // By hand, not with gzgets, which cannot tell a zero byte from the end.
    const std::size_t end = std::min(buffer_.find('\n', at_), buffer_.size());
    line.append(buffer_, at_, end - at_);
    ended = end < buffer_.size();
    at_ = end + (ended ? 1 : 0);
    if (line.size() > kLongestLine)
      fail(fmt::format("line {} is longer than 1 GiB", line_number_ + 1));
  }
  if (!any) return false;
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return true;
}

}  // namespace lvsa
