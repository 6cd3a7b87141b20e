#include "analysis/app/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace lvsa::app {

Progress::Progress(std::int64_t total)
    : terminal_(isatty(STDERR_FILENO) == 1), total_(std::max<std::int64_t>(1, total)) {}

void Progress::show(std::int64_t done, double share, const std::string& item) {
  constexpr int kWidth = 30;
  if (!terminal_) return;
  const double whole = (static_cast<double>(done) + share) / static_cast<double>(total_);
  const int permille = static_cast<int>(1000.0 * std::clamp(whole, 0.0, 1.0));
  if (permille == last_permille_ && shown_) return;
  last_permille_ = permille;
  const int filled = permille * kWidth / 1000;
  fmt::print(stderr, "\r\x1b[K[{:#<{}}{:.<{}}] {}/{} {:.60}", "", filled, "", kWidth - filled, done,
             total_, item);
  std::fflush(stderr);
  shown_ = true;
}

void Progress::clear() {
  if (!shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace lvsa::app
