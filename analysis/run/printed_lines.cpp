#include "analysis/run/printed_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "analysis/report/text_format.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/run/worker.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kLongestPrinted = 8192;  // a printed line is cut there
constexpr std::size_t kTail = 2000;

const char* hint(const ProcessEnd& end, const std::string& tail) {
  if (end.by_signal && end.number == SIGKILL) return "; killed from outside, or out of memory";
  if (!end.by_signal && end.number == kChannelLost) {
    return "; it has closed file descriptors that are not its own";
  }
  const bool heap =
      tail.find("free()") != std::string::npos || tail.find("malloc") != std::string::npos ||
      tail.find("corrupt") != std::string::npos || tail.find("double free") != std::string::npos;
  return end.by_signal && end.number == SIGABRT && heap ? "; the heap is corrupted" : "";
}

}  // namespace

void PrintedLines::read(ChildProcess& process, bool all) {
  process.read_output(half_line_);
  std::size_t taken = 0;
  while (taken < half_line_.size()) {
    const std::size_t end = half_line_.find('\n', taken);
    const bool whole = end != std::string::npos;
    if (!whole && !all && half_line_.size() - taken < kLongestPrinted) break;
    const std::size_t stop = std::min({end, half_line_.size(), taken + kLongestPrinted});
    const std::string_view line(half_line_.data() + taken, stop - taken);
    if (printed_) printed_(line);
    tail_.append(line).append(1, '\n');
    taken = stop + (stop == end ? 1 : 0);
  }
  half_line_.erase(0, taken);
  if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
}

std::string PrintedLines::last_words() const {
  constexpr std::size_t kMost = 300;
  std::string_view words = tail_;
  while (!words.empty() && words.back() == '\n') words.remove_suffix(1);
  if (words.empty()) return "";
  if (words.size() > kMost) words.remove_prefix(words.size() - kMost);
  std::string line;
  for (const char c : words) line += c == '\n' ? std::string(" | ") : std::string(1, c);
  return fmt::format("; last words: {}", one_line(valid_utf8(line)));
}

std::string lost_text(const ProcessEnd& end, const std::string& tail) {
  return fmt::format("its process ended with {}{}", end_text(end), hint(end, tail));
}

}  // namespace lvsa::analysis
