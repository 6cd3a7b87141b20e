#include "reference/attention/mutants/wrong_lists.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/window.hpp"

namespace lvsa::reference {
namespace {

struct Settings {
  std::int64_t window = 0;
  std::int64_t n_first = 0;
  std::int64_t interval = 0;  // 0: no grid
  std::int64_t offset = 0;
  bool expand = true;
  FrameSet extra;  // global for another reason than n_first and the grid
};

std::optional<std::int64_t> grid(const Settings& s) {
  return s.interval > 0 ? std::optional(s.interval) : std::nullopt;
}

FrameSet globals_of(const Settings& s, std::int64_t frames) {
  FrameSet globals = compute_global_indices(frames, s.n_first, grid(s), s.offset);
  globals.insert(s.extra.begin(), s.extra.end());
  return globals;
}

std::vector<std::int32_t> row_of(const FrameSet& globals, const WindowBounds& window) {
  const FrameSet attended = attended_frames(globals, window);
  return {attended.begin(), attended.end()};
}

bool gives(const Settings& s, const FrameSet& globals, const AttendedLists& lists) {
  const auto frames = static_cast<std::int64_t>(lists.size());
  for (std::int64_t f = 0; f < frames; ++f) {
    const auto window = get_window_bounds(f, s.window, frames, s.expand, globals);
    if (row_of(globals, window) != lists[static_cast<std::size_t>(f)]) return false;
  }
  return true;
}

FrameSet in_every_row(const AttendedLists& lists) {
  FrameSet common(lists.front().begin(), lists.front().end());
  for (const auto& row : lists) {
    std::erase_if(common, [&](std::int64_t f) {
      return !std::binary_search(row.begin(), row.end(), static_cast<std::int32_t>(f));
    });
  }
  return common;
}

// Tries windows for one choice of global frames; expanded first, as is the default.
bool find_window(Settings& s, const AttendedLists& lists) {
  const FrameSet globals = globals_of(s, static_cast<std::int64_t>(lists.size()));
  for (const bool expand : {true, false}) {
    for (std::int64_t window = 0; window <= 4; ++window) {
      s.expand = expand;
      s.window = window;
      if (gives(s, globals, lists)) return true;
    }
  }
  return false;
}

// The settings that explain the lists with the fewest extra global frames.
std::optional<Settings> find_settings(const AttendedLists& lists) {
  const auto frames = static_cast<std::int64_t>(lists.size());
  const FrameSet common = in_every_row(lists);
  std::optional<Settings> best;
  for (const std::int64_t n_first : {1, 0, 2, 3}) {
    for (std::int64_t interval = 0; interval <= frames; ++interval) {
      for (std::int64_t offset = 0; offset < std::max<std::int64_t>(interval, 1); ++offset) {
        Settings s{0, n_first, interval, offset, true, {}};
        const FrameSet regular = globals_of(s, frames);
        if (!std::includes(common.begin(), common.end(), regular.begin(), regular.end())) continue;
        std::set_difference(common.begin(), common.end(), regular.begin(), regular.end(),
                            std::inserter(s.extra, s.extra.end()));
        if (best && s.extra.size() >= best->extra.size()) continue;
        if (find_window(s, lists)) best = s;
      }
    }
  }
  return best;
}

FrameSet unwrapped_globals(const Settings& s, std::int64_t frames) {
  FrameSet globals = s.extra;
  for (std::int64_t f = 0; f < std::min(s.n_first, frames); ++f) globals.insert(f);
  for (std::int64_t f = s.offset; s.interval > 0 && f < frames; f += s.interval) globals.insert(f);
  return globals;
}

FrameSet wrong_globals(Settings s, std::int64_t frames, Defect defect) {
  if (defect == Defect::kGridNotRotated) s.offset = 0;
  if (defect == Defect::kGridRotatedTwice) s.offset *= 2;
  if (defect == Defect::kGridWrongModulus) s.offset += s.interval;
  if (defect == Defect::kIntervalOffByOne && s.interval > 0) ++s.interval;
  if (defect == Defect::kFirstFramesIgnored && s.offset > 0) s.n_first = 0;
  if (defect == Defect::kGuardMissing) s.extra.clear();
  if (defect == Defect::kGridNotWrapped) return unwrapped_globals(s, frames);
  FrameSet globals = globals_of(s, frames);
  if (defect == Defect::kGlobalMissing && !globals.empty()) globals.erase(std::prev(globals.end()));
  return globals;
}

WindowBounds wrong_window(std::int64_t f, const Settings& s, std::int64_t frames,
                          const FrameSet& globals, Defect defect) {
  if (s.window == 0) return {f, f - 1};
  if (defect == Defect::kWindowAdaptive) return adaptive_window(f, s.window, frames);
  const std::int64_t last = frames - 1;
  if (defect == Defect::kWindowClipped) {
    return {std::max<std::int64_t>(0, f - s.window), std::min(last, f + s.window)};
  }
  WindowBounds window = get_window_bounds(f, s.window, frames, s.expand, globals);
  if (defect == Defect::kWindowLeft) {
    window = {std::max<std::int64_t>(0, window.lo - 1), window.hi - 1};
  } else if (defect == Defect::kWindowRight) {
    window = {window.lo + 1, std::min(last, window.hi + 1)};
  } else if (defect == Defect::kWindowWiderByOne) {
    window.hi = std::min(last, window.hi + 1);
  }
  return window;
}

// Defects that need no settings.
bool change_rows(AttendedLists& lists, Defect defect) {
  std::size_t longest = 0;
  for (const auto& row : lists) longest = std::max(longest, row.size());
  for (std::size_t f = 0; f < lists.size(); ++f) {
    auto& row = lists[f];
    if (defect == Defect::kOwnFrameMissing) {
      std::erase(row, static_cast<std::int32_t>(f));
    } else if (defect == Defect::kPaddingCounted) {
      if (!row.empty()) row.resize(longest, row.back());
    } else if (defect == Defect::kDense) {
      row.resize(lists.size());
      std::iota(row.begin(), row.end(), 0);
    } else if (defect != Defect::kListsShifted) {
      return false;
    }
  }
  if (defect == Defect::kListsShifted) std::rotate(lists.begin(), lists.begin() + 1, lists.end());
  return true;
}

bool needs_settings(Defect defect) {
  return defect >= Defect::kWindowLeft && defect <= Defect::kGlobalMissing;
}

}  // namespace

AttendedLists lists_of(const lvsa_problem& problem) {
  AttendedLists lists;
  for (std::int64_t f = 0; f < problem.frames; ++f) {
    lists.emplace_back(problem.frame_lists.list + problem.frame_lists.offsets[f],
                       problem.frame_lists.list + problem.frame_lists.offsets[f + 1]);
  }
  return lists;
}

AttendedLists wrong_lists(const AttendedLists& lists, Defect defect) {
  AttendedLists wrong = lists;
  if (change_rows(wrong, defect) || !needs_settings(defect)) return wrong;
  const auto settings = find_settings(lists);
  if (!settings) return lists;
  const auto frames = static_cast<std::int64_t>(lists.size());
  const FrameSet globals = wrong_globals(*settings, frames, defect);
  for (std::int64_t f = 0; f < frames; ++f) {
    wrong[static_cast<std::size_t>(f)] =
        row_of(globals, wrong_window(f, *settings, frames, globals, defect));
  }
  return wrong;
}

}  // namespace lvsa::reference
