#include "core/pattern/frame_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/pattern/global_frames.hpp"

namespace lvsa {
namespace {

void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* name) {
  if (value < least || value > most) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} is {}; {} .. {} is due", name, value, least, most));
  }
}

// The globals before a window and behind it; between them stands the window itself.
struct Sides {
  std::size_t before;
  std::size_t behind;
};

Sides sides(const std::vector<std::int32_t>& globals, FrameRange window) {
  const auto before = std::lower_bound(globals.begin(), globals.end(), window.lo);
  const auto behind = window.empty() ? before : std::upper_bound(before, globals.end(), window.hi);
  return {static_cast<std::size_t>(before - globals.begin()),
          static_cast<std::size_t>(globals.end() - behind)};
}

void fill_lists(FramePattern& pattern) {
  const auto frames = pattern.windows.size();
  pattern.offsets.resize(frames + 1);
  std::int64_t total = 0;
  for (std::size_t f = 0; f < frames; ++f) {
    pattern.offsets[f] = total;
    const Sides s = sides(pattern.globals, pattern.windows[f]);
    total += static_cast<std::int64_t>(s.before + s.behind) + pattern.windows[f].size();
  }
  pattern.offsets[frames] = total;
  if (total > kMaxFramePairs) {
    throw Error(ErrorKind::kOverflow,
                fmt::format("the pattern attends {} frame pairs; at most {} are supported: fewer "
                            "frames or a larger interval",
                            total, kMaxFramePairs));
  }
  pattern.list.resize(static_cast<std::size_t>(total));
  auto out = pattern.list.begin();
  for (const FrameRange window : pattern.windows) {
    const Sides s = sides(pattern.globals, window);
    out = std::copy_n(pattern.globals.begin(), s.before, out);
    const auto window_end = out + window.size();
    std::iota(out, window_end, window.lo);
    out = std::copy(pattern.globals.end() - static_cast<std::ptrdiff_t>(s.behind),
                    pattern.globals.end(), window_end);
  }
}

}  // namespace

double token_density(const FramePattern& pattern, const FrameGrid& grid) {
  const auto patches = static_cast<double>(grid.patches_per_frame);
  const auto video = static_cast<double>(grid.video_tokens());
  const auto text = static_cast<double>(grid.text_tokens);
  const double pairs = static_cast<double>(pattern.frame_pairs()) * patches * patches +
                       video * text + text * (video + text);
  return pairs / ((video + text) * (video + text));
}

FramePattern build_frame_pattern(const PatternSpec& spec) {
  require_range(spec.frames, 1, kMaxFrames, "latent frames");
  require_range(spec.window_frames, 0, INT64_MAX, "window (latent frames)");
  require_range(spec.n_first_frames, 0, INT64_MAX, "first global frames");
  if (spec.interval) require_range(*spec.interval, 0, INT64_MAX, "keyframe interval");

  FramePattern pattern;
  pattern.globals = global_frames(spec.frames, spec.n_first_frames, spec.interval, spec.offset);
  join_frames(pattern.globals, spec.extra_globals, spec.frames);
  pattern.is_global.assign(static_cast<std::size_t>(spec.frames), 0);
  for (const std::int32_t f : pattern.globals) pattern.is_global[static_cast<std::size_t>(f)] = 1;

  // A window of T frames or more on each side is all frames: no sum below can overflow.
  const WindowRule window(spec.frames, std::min(spec.window_frames, spec.frames),
                          spec.expand_window, pattern.globals);
  pattern.windows.reserve(static_cast<std::size_t>(spec.frames));
  for (std::int64_t f = 0; f < spec.frames; ++f) pattern.windows.push_back(window(f));
  fill_lists(pattern);
  return pattern;
}

}  // namespace lvsa
