#include "analysis/verify/alternative_patterns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "core/config/config.hpp"

namespace lvsa::analysis {
namespace {

using Change = std::function<void(PatternSpec&)>;

// A window that may reach over the ends.
struct Reach {
  std::int64_t lo = 0;
  std::int64_t hi = -1;
  bool empty() const { return hi < lo; }
};

AttendedFrames built(PatternSpec spec, const Change& change) {
  change(spec);
  return lists_of(build_frame_pattern(spec));
}

// The case's lists with a row-wise change.
template <typename ChangeRow>
AttendedFrames changed_rows(const AttendedFrames& own, ChangeRow change) {
  AttendedFrames lists = own;
  for (std::size_t f = 0; f < lists.size(); ++f) change(static_cast<std::int32_t>(f), lists[f]);
  return lists;
}

// Globals joined with a window of the caller's own rule.
template <typename Window>
AttendedFrames with_window(const FramePattern& own, Window window) {
  AttendedFrames lists;
  const std::int64_t last = own.frames() - 1;
  for (std::int64_t f = 0; f <= last; ++f) {
    std::set<std::int32_t> row(own.globals.begin(), own.globals.end());
    const FrameRange there = own.windows[static_cast<std::size_t>(f)];
    const Reach range = window(f, Reach{there.lo, there.hi});
    for (std::int64_t k = std::max<std::int64_t>(0, range.lo); k <= std::min(last, range.hi); ++k) {
      row.insert(static_cast<std::int32_t>(k));
    }
    lists.emplace_back(row.begin(), row.end());
  }
  return lists;
}

void add_schedules(const Case& c, const PatternSpec& spec, std::vector<NamedLists>& all) {
  const std::int64_t interval = spec.interval.value_or(0);
  if (interval <= 0) return;
  const auto at_offset = [&](std::int64_t offset) {
    return built(spec, [&](PatternSpec& s) { s.offset = offset; });
  };
  const auto step = [&](std::int64_t n) {
    return at_offset(c.rotate ? floor_modulo(n, interval) : 0);
  };
  if (c.step > 0) {
    all.push_back(
        {fmt::format("the pattern of step {} (a stale plan)", c.step - 1), step(c.step - 1)});
  }
  all.push_back({"a keyframe grid that does not rotate (offset 0)", at_offset(0)});
  all.push_back({fmt::format("the pattern of step {}", c.step + 1), step(c.step + 1)});
  all.push_back({"a keyframe grid rotated twice as far", at_offset(2 * spec.offset)});
  all.push_back({"a keyframe grid whose offset is the step modulo T, not modulo the interval",
                 at_offset(c.step % spec.frames)});
  all.push_back(
      {"a keyframe grid moved on by a whole interval", at_offset(spec.offset + interval)});
  PatternSpec cut = spec;
  cut.interval = 0;
  for (std::int64_t f = spec.offset; f < spec.frames; f += interval) cut.extra_globals.push_back(f);
  all.push_back(
      {"a keyframe grid that does not wrap around at T", lists_of(build_frame_pattern(cut))});
  for (const std::int64_t other : {interval + 1, interval - 1}) {
    if (other < 1) continue;
    all.push_back({fmt::format("a keyframe interval of {} instead of {}", other, interval),
                   built(spec, [&](PatternSpec& s) { s.interval = other; })});
  }
  all.push_back({"no keyframe grid", built(spec, [](PatternSpec& s) { s.interval = 0; })});
}

void add_windows(const FramePattern& own, const PatternSpec& spec, std::vector<NamedLists>& all) {
  const auto shifted = [&](std::int64_t by) {
    return with_window(own, [by](std::int64_t, Reach w) {
      return w.empty() ? w : Reach{w.lo + by, w.hi + by};
    });
  };
  const auto held = [&](std::int64_t by) {  // the same, but the border at the end stays
    return with_window(own, [by, &own](std::int64_t, Reach w) {
      if (w.empty()) return w;
      return by < 0 ? Reach{std::max<std::int64_t>(0, w.lo - 1), w.hi - 1}
                    : Reach{w.lo + 1, std::min(own.frames() - 1, w.hi + 1)};
    });
  };
  all.push_back({spec.expand_window ? "an adaptive window instead of the expanded one"
                                    : "an expanded window instead of the adaptive one",
                 built(spec, [](PatternSpec& s) { s.expand_window = !s.expand_window; })});
  all.push_back({"a window moved one frame to the left", shifted(-1)});
  all.push_back({"a window moved one frame to the left", held(-1)});
  all.push_back({"a window moved one frame to the right", shifted(1)});
  all.push_back({"a window moved one frame to the right", held(1)});
  const auto widened = [&](std::int64_t left, std::int64_t right) {
    return with_window(own, [=](std::int64_t, Reach w) {
      return w.empty() ? w : Reach{w.lo - left, w.hi + right};
    });
  };
  all.push_back({"a window with one frame more on the right", widened(0, 1)});
  all.push_back({"a window with one frame more on the left", widened(1, 0)});
  all.push_back({"a window with one frame more on both sides", widened(1, 1)});
  all.push_back({"a window with one frame less on the right", widened(0, -1)});
  all.push_back({"a window with one frame less on the left", widened(-1, 0)});
  const std::int64_t w = spec.window_frames;
  if (w > 0) {
    all.push_back({"a window cut at the ends instead of shifted",
                   with_window(own, [w](std::int64_t f, Reach) {
                     return Reach{f - w, f + w};
                   })});
    all.push_back({fmt::format("W = {} instead of {}", w - 1, w),
                   built(spec, [](PatternSpec& s) { --s.window_frames; })});
    all.push_back({"no window", built(spec, [](PatternSpec& s) { s.window_frames = 0; })});
  }
  all.push_back({fmt::format("W = {} instead of {}", w + 1, w),
                 built(spec, [](PatternSpec& s) { ++s.window_frames; })});
}

void add_globals(const FramePattern& own, const PatternSpec& spec, std::vector<NamedLists>& all) {
  if (spec.n_first_frames > 0) {
    all.push_back({"no first frames in the global ones",
                   built(spec, [](PatternSpec& s) { s.n_first_frames = 0; })});
  }
  all.push_back({"one first frame more among the global ones",
                 built(spec, [](PatternSpec& s) { ++s.n_first_frames; })});
  if (!spec.extra_globals.empty()) {
    all.push_back({"condition frames that are not global",
                   built(spec, [](PatternSpec& s) { s.extra_globals.clear(); })});
  }
  if (own.globals.empty()) return;
  // The window as it is, and the window that expands over what is left.
  const std::set<std::int32_t> left(own.globals.begin(), std::prev(own.globals.end()));
  PatternSpec explicit_globals = spec;
  explicit_globals.n_first_frames = 0;
  explicit_globals.interval = 0;
  explicit_globals.offset = 0;
  explicit_globals.extra_globals.assign(left.begin(), left.end());
  all.push_back({fmt::format("without the last global frame {}", own.globals.back()),
                 lists_of(build_frame_pattern(explicit_globals))});
  FramePattern fewer = own;
  fewer.globals.pop_back();
  all.push_back({fmt::format("without the last global frame {}", own.globals.back()),
                 with_window(fewer, [](std::int64_t, Reach w) { return w; })});
}

void add_rows(const AttendedFrames& own, std::vector<NamedLists>& all) {
  const auto frames = static_cast<std::int32_t>(own.size());
  std::vector<std::int32_t> every(own.size());
  std::iota(every.begin(), every.end(), 0);
  all.push_back({"every frame attends every frame (dense)", AttendedFrames(own.size(), every)});
  all.push_back({"no frame attends itself",
                 changed_rows(own, [](std::int32_t f, auto& row) { std::erase(row, f); })});
  for (const std::int32_t by : {1, -1}) {
    all.push_back({fmt::format("frame f uses the list of frame f {} 1", by > 0 ? '+' : '-'),
                   changed_rows(own, [&](std::int32_t f, auto& row) {
                     row = own[static_cast<std::size_t>((f + by + frames) % frames)];
                   })});
  }
  all.push_back(
      {"the last frame of every list is missing", changed_rows(own, [](std::int32_t, auto& row) {
         if (!row.empty()) row.pop_back();
       })});
  all.push_back(
      {"the first frame of every list is missing", changed_rows(own, [](std::int32_t, auto& row) {
         if (!row.empty()) row.erase(row.begin());
       })});
}

// Moves one entry of a row down and a later one up by 1, so that count and sum stay.
void disturb(std::vector<std::int32_t>& row, std::int32_t frames) {
  const auto has = [&](std::int32_t f) { return std::binary_search(row.begin(), row.end(), f); };
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == 0 || has(row[i] - 1)) continue;
    for (std::size_t j = row.size(); j-- > i + 1;) {
      if (row[j] + 1 >= frames || has(row[j] + 1)) continue;
      --row[i];
      ++row[j];
      return;
    }
  }
  // Or towards each other.
  for (std::size_t i = 0; i + 1 < row.size(); ++i) {
    for (std::size_t j = i + 1; j < row.size(); ++j) {
      if (row[j] - row[i] < 3 || has(row[i] + 1) || has(row[j] - 1)) continue;
      ++row[i];
      --row[j];
      return;
    }
  }
}

}  // namespace

AttendedFrames lists_of(const FramePattern& pattern) {
  AttendedFrames lists;
  for (std::int64_t f = 0; f < pattern.frames(); ++f) {
    const auto row = pattern.row(f);
    lists.emplace_back(row.begin(), row.end());
  }
  return lists;
}

FramePattern pattern_of(const AttendedFrames& lists) {
  FramePattern pattern;
  pattern.is_global.assign(lists.size(), 0);
  pattern.windows.resize(lists.size());
  pattern.offsets.push_back(0);
  for (const auto& row : lists) {
    pattern.list.insert(pattern.list.end(), row.begin(), row.end());
    pattern.offsets.push_back(static_cast<std::int64_t>(pattern.list.size()));
  }
  return pattern;
}

std::vector<NamedLists> alternative_patterns(const Case& c) {
  const PatternSpec spec = case_pattern_spec(c);
  const FramePattern own = build_frame_pattern(spec);
  std::vector<NamedLists> all;
  add_rows(lists_of(own), all);
  add_schedules(c, spec, all);
  add_windows(own, spec, all);
  add_globals(own, spec, all);
  // Mistakes that come to the same here are told together.
  std::map<AttendedFrames, std::size_t> seen;
  std::vector<NamedLists> different;
  for (NamedLists& alternative : all) {
    if (alternative.lists == lists_of(own)) continue;
    const auto [at, is_new] = seen.emplace(alternative.lists, different.size());
    if (is_new) {
      different.push_back(std::move(alternative));
    } else if (std::string& name = different[at->second].name; name != alternative.name) {
      name += ", or " + alternative.name;
    }
  }
  return different;
}

FramePattern decoy_pattern(const FramePattern& pattern) {
  AttendedFrames lists = lists_of(pattern);
  const AttendedFrames own = lists;
  for (auto& row : lists) disturb(row, static_cast<std::int32_t>(pattern.frames()));
  if (lists == own) {  // too few frames for that: dense, or a single frame each
    for (std::size_t f = 0; f < lists.size(); ++f) {
      const bool dense = own[f].size() == own.size();
      lists[f].resize(dense ? 1 : own.size());
      std::iota(lists[f].begin(), lists[f].end(), 0);
    }
  }
  return pattern_of(lists);
}

}  // namespace lvsa::analysis
