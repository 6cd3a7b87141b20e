#include "reference/pattern/mask_text.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "core/error.hpp"
#include "reference/pattern/python_text.hpp"
#include "reference/pattern/window.hpp"

namespace lvsa::reference {

namespace {

bool names_step(const std::string& spec, std::int64_t step) {
  const std::size_t dash = spec.find('-');
  if (dash != std::string::npos) {
    const std::int64_t first = parse_int(spec.substr(0, dash));
    const std::int64_t last = parse_int(spec.substr(dash + 1));
    return first <= step && step <= last;
  }
  std::set<std::int64_t> steps;
  for (const std::string& part : split_at_commas(spec)) {
    if (!strip(part).empty()) steps.insert(parse_int(strip(part)));
  }
  return steps.contains(step);
}

std::string right_aligned(std::int64_t value, std::size_t width) {
  const std::string text = std::to_string(value);
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

// Like Python's "{:.1f}": the exact decimal value of the double, rounded half to even.
std::string one_decimal(double value) {
  char buffer[64];
  const auto written =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, 1);
  return std::string(buffer, written.ptr);
}

char mark(bool global, bool in_window) {
  if (global && in_window) return 'X';
  if (global) return 'G';
  return in_window ? 'W' : '.';
}

std::string header(std::int64_t total_frames, std::size_t width) {
  std::string line(width + 2, ' ');
  for (std::int64_t k = 0; k < total_frames; ++k) {
    line += k % 5 == 0 ? static_cast<char>('0' + k % 10) : ' ';
  }
  return line + "\n";
}

std::string summary(const std::vector<std::int64_t>& counts, std::int64_t total_frames) {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  const double average = static_cast<double>(sum) / static_cast<double>(counts.size());
  return "G=global W=window X=both .=skip  min=" +
         std::to_string(*std::min_element(counts.begin(), counts.end())) +
         " max=" + std::to_string(*std::max_element(counts.begin(), counts.end())) +
         " avg=" + one_decimal(average) + "/" + std::to_string(total_frames) + "\n";
}

}  // namespace

bool mask_log_should_fire(const std::string& spec, std::int64_t step, std::int64_t last) {
  if (spec.empty() || spec == "0") return false;
  if (step == last) return false;
  if (spec == "1") return true;
  if (spec == "once") return last == -1;
  try {
    return names_step(spec, step);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kValue) throw;
    return false;
  }
}

std::string print_attention_mask_compact(std::int64_t total_frames, std::int64_t window_size,
                                         const FrameSet& globals, bool expand) {
  require_size("total_frames", total_frames, 1);
  const std::size_t width = std::to_string(total_frames - 1).size();
  std::string text = header(total_frames, width);
  std::vector<std::int64_t> counts;
  for (std::int64_t f = 0; f < total_frames; ++f) {
    const WindowBounds window = get_window_bounds(f, window_size, total_frames, expand, globals);
    text += right_aligned(f, width) + " |";
    for (std::int64_t k = 0; k < total_frames; ++k) {
      text += mark(globals.contains(k), window.lo <= k && k <= window.hi);
    }
    counts.push_back(static_cast<std::int64_t>(attended_frames(globals, window).size()));
    text += "| " + std::to_string(counts.back()) + "\n";
  }
  return text + summary(counts, total_frames);
}

}  // namespace lvsa::reference
