#pragma once
// A progress bar on stderr, when that is a terminal.

#include <chrono>
#include <cstdint>
#include <string>

namespace lvsa::app {

class Progress {
 public:
  /// `quiet`: shows nothing.
  explicit Progress(std::int64_t total, bool quiet = false);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows `done` of the total, the share of the item in hand (0 .. 1), the time that is left by
  /// the time passed, and a word on the item.
  void show(std::int64_t done, double share, const std::string& item);
  /// Takes the bar away, so that a line can be printed in its place.
  void clear();

 private:
  std::string time_left(double share, std::chrono::steady_clock::time_point now) const;

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_shown_{};
  bool terminal_;
  bool shown_ = false;
  std::int64_t total_;
  int last_permille_ = -1;
};

}  // namespace lvsa::app
