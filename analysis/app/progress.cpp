#include "analysis/app/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace lvsa::app {

Progress::Progress(std::int64_t total, bool quiet)
    : terminal_(!quiet && isatty(STDERR_FILENO) == 1), total_(std::max<std::int64_t>(1, total)) {}

void Progress::show(std::int64_t done, double share, const std::string& item) {
  constexpr int kWidth = 30;
  if (!terminal_) return;
  const double whole = (static_cast<double>(done) + share) / static_cast<double>(total_);
  const int permille = static_cast<int>(1000.0 * std::clamp(whole, 0.0, 1.0));
  const auto now = std::chrono::steady_clock::now();
  constexpr std::chrono::seconds kAtLeastEvery{1};
  if (permille == last_permille_ && shown_ && now - last_shown_ < kAtLeastEvery) return;
  last_shown_ = now;
  last_permille_ = permille;
  const int filled = permille * kWidth / 1000;
  fmt::print(stderr, "\r\x1b[K[{:#<{}}{:.<{}}] {}/{} {}{:.50}", "", filled, "", kWidth - filled,
             done, total_, time_left(whole, now), item);
  std::fflush(stderr);
  shown_ = true;
}

// "12 min left ", by what has been done so far; empty while that says little.
std::string Progress::time_left(double share, std::chrono::steady_clock::time_point now) const {
  constexpr double kEnough_s = 3.0;
  const double passed_s = std::chrono::duration<double>(now - start_).count();
  if (passed_s < kEnough_s || share <= 0.0 || share >= 1.0) return "";
  const double left_s = passed_s * (1.0 - share) / share;
  if (left_s < 90.0) return fmt::format("{:.0f} s left ", left_s);
  if (left_s < 90.0 * 60.0) return fmt::format("{:.0f} min left ", left_s / 60.0);
  return fmt::format("{:.1f} h left ", left_s / 3600.0);
}

void Progress::clear() {
  if (!shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace lvsa::app
