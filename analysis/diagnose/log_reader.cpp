#include "analysis/diagnose/log_reader.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/error.hpp"

namespace lvsa::analysis {

void LogScanner::give(std::string_view line, bool complete) {
  if (find_log_tag(line) == std::string_view::npos && !timeline_.wants_every_line()) return;
  for (std::size_t start = 0; start < line.size();) {
    const std::size_t end = std::min(line.find('\r', start), line.size());
    if (end > start)
      timeline_.add_line(line.substr(start, end - start), complete || end < line.size());
    start = end + 1;
  }
}

// The beginning of a line whose end is not there yet.
void LogScanner::keep(std::string_view rest) {
  if (skips_) return;
  carry_.append(rest.substr(0, kKept + 1 > carry_.size() ? kKept + 1 - carry_.size() : 0));
  if (carry_.size() <= kKept) return;
  const std::size_t last = carry_.rfind('\r');
  if (last != std::string::npos && last > 0) {  // a progress bar: what stands before is complete
    give(std::string_view(carry_).substr(0, last), true);
  } else {
    give(carry_, false);
    timeline_.note_cut_line();
    skips_ = true;
  }
  carry_.clear();
}

void LogScanner::feed(std::string_view bytes) {
  timeline_.count(0, static_cast<std::int64_t>(bytes.size()));
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      keep(bytes);
      return;
    }
    timeline_.count(1, 0);
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (carry_.empty() && !skips_ && line.size() <= kKept) {
      give(line, true);
      continue;
    }
    keep(line);
    if (!skips_) give(carry_, true);
    carry_.clear();
    skips_ = false;
  }
}

void LogScanner::finish() {
  if (carry_.empty() && !skips_) return;
  timeline_.count(1, 0);
  give(carry_, false);
  carry_.clear();
  skips_ = false;
}

namespace {

struct CloseGz {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

}  // namespace

void read_log(const std::string& path, LogTimeline& timeline) {
  const std::string shown = path == "-" ? "standard input" : path;
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorKind::kIo, fmt::format("{}: is a directory; a log is due", shown));
  }
  errno = 0;
  const std::unique_ptr<gzFile_s, CloseGz> file(path == "-" ? gzdopen(dup(STDIN_FILENO), "rb")
                                                            : gzopen(path.c_str(), "rb"));
  if (!file) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: cannot be opened: {}", shown, std::strerror(errno)));
  }
  gzbuffer(file.get(), 1U << 18);
  LogScanner scanner(timeline);
  std::vector<char> buffer(1U << 20);
  for (;;) {
    const int got = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    if (got > 0) scanner.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (got == static_cast<int>(buffer.size())) continue;
    int code = Z_OK;
    const char* reason = gzerror(file.get(), &code);
    if (code == Z_ERRNO) {
      throw Error(ErrorKind::kIo,
                  fmt::format("{}: cannot be read: {}", shown, std::strerror(errno)));
    }
    if (code != Z_OK && code != Z_STREAM_END) {
      timeline.note_damage(fmt::format("the gzip stream breaks off: {}", reason));
      break;
    }
    if (got <= 0) break;
  }
  scanner.finish();
}

}  // namespace lvsa::analysis
