#pragma once
// Lines in the order of their bytes, however many.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/line_spool.hpp"

namespace lvsa::analysis {

/// Takes lines in any order, gives them sorted. It sorts what fits into kMostHeld bytes at a time
/// and keeps that in a file without a name (LineSpool): 8 bytes of memory a line.
class SortedLines {
 public:
  static constexpr std::size_t kMostHeld = std::size_t{1} << 22;

  /// Throws Error(kIo), for example on a full disk.
  void add(std::string_view line);
  std::int64_t size() const { return spooled_.size() + static_cast<std::int64_t>(held_.size()); }
  /// Calls `visit` with each line, as often as it was added. Throws Error(kIo).
  void for_each(const std::function<void(std::string_view)>& visit) const;

 private:
  void spool();

  LineSpool spooled_;               // runs of sorted lines, one behind the other
  std::vector<std::int64_t> ends_;  // of the runs
  std::vector<std::string> held_;   // not sorted yet
  std::size_t held_bytes_ = 0;
};

}  // namespace lvsa::analysis
