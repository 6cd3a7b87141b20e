#pragma once
// Bytes of a log to its timeline: lines of any length, with any end, in constant memory.

#include <functional>
#include <string>
#include <string_view>

#include "analysis/diagnose/log_timeline.hpp"

namespace lvsa::analysis {

/// Takes a log in pieces. Lines end with \n; a \r within a line (a progress bar) separates texts.
/// Of a line of more than kKept bytes without either only the front is read.
class LogScanner {
 public:
  static constexpr std::size_t kKept = 256 << 10;

  explicit LogScanner(LogTimeline& timeline) : timeline_(timeline) {}
  void feed(std::string_view bytes);
  /// The end of the log: what is left is a line that has none.
  void finish();

 private:
  void give(std::string_view line, bool complete);
  void keep(std::string_view rest);

  LogTimeline& timeline_;
  std::string carry_;
  bool skips_ = false;  // the rest of a line that was too long
};

/// Reads a whole log, plain or gzip; "-" is standard input. A gzip stream that breaks off is
/// noted in the timeline. Throws Error(kIo) for a path that cannot be opened or read.
void read_log(const std::string& path, LogTimeline& timeline);

/// Reads a log and goes on as it grows, until `stop_descriptor` becomes readable: over a rename or
/// removal (the file that takes its place is read from its start) and a truncation. "-" ends with
/// its input as well. `idle` is called whenever all that is there has been read. Plain text only.
/// Throws Error(kIo) when the log cannot be opened at first.
void follow_log(const std::string& path, int stop_descriptor, LogTimeline& timeline,
                const std::function<void()>& idle);

}  // namespace lvsa::analysis
