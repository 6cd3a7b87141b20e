#include "core/pattern/window.hpp"

#include <algorithm>

namespace lvsa {
namespace {

// Where a window stands after some single steps outwards: left, right, left, ...; a side that has
// reached the end leaves its turns to the other.
FrameRange widened(FrameRange start, std::int64_t steps, std::int64_t frames) {
  const std::int64_t left_room = start.lo;
  const std::int64_t right_room = frames - 1 - start.hi;
  std::int64_t left = (steps + 1) / 2;
  std::int64_t right = steps / 2;
  if (left > left_room) {
    left = left_room;
    right = std::min(right_room, steps - left);
  } else if (right > right_room) {
    right = right_room;
    left = std::min(left_room, steps - right);
  }
  return {static_cast<std::int32_t>(start.lo - left), static_cast<std::int32_t>(start.hi + right)};
}

}  // namespace

FrameRange adaptive_window(std::int64_t f, std::int64_t window_frames, std::int64_t frames) {
  const std::int64_t w = window_frames;
  if (w == 0) return {static_cast<std::int32_t>(f), static_cast<std::int32_t>(f - 1)};
  const std::int64_t lo = std::max<std::int64_t>(0, std::min(f - w, frames - 1 - 2 * w));
  const std::int64_t hi = std::min(frames - 1, std::max(f + w, 2 * w));
  return {static_cast<std::int32_t>(lo), static_cast<std::int32_t>(hi)};
}

WindowRule::WindowRule(std::int64_t frames, std::int64_t window_frames, bool expand,
                       std::span<const std::int32_t> globals)
    : frames_(frames), window_frames_(window_frames), wanted_(0) {
  if (!expand || window_frames == 0) return;
  wanted_ = std::min(2 * window_frames + 1, frames - static_cast<std::int64_t>(globals.size()));
  before_.resize(static_cast<std::size_t>(frames) + 1);
  std::int32_t count = 0;
  auto next_global = globals.begin();
  for (std::int64_t f = 0; f < frames; ++f) {
    before_[static_cast<std::size_t>(f)] = count;
    const bool global = next_global != globals.end() && *next_global == f;
    if (global) {
      ++next_global;
    } else {
      ++count;
    }
  }
  before_.back() = count;
}

FrameRange WindowRule::operator()(std::int64_t f) const {
  const FrameRange start = adaptive_window(f, window_frames_, frames_);
  if (before_.empty() || non_globals(start.lo, start.hi) >= wanted_) return start;
  // The count grows with the steps, so the first state that holds enough is found by bisection;
  // all of 0 .. T-1 always does. First an upper end by doubling: most windows grow by a few frames.
  const std::int64_t room = frames_ - start.size();
  const auto enough = [&](std::int64_t steps) {
    const FrameRange range = widened(start, steps, frames_);
    return non_globals(range.lo, range.hi) >= wanted_;
  };
  std::int64_t low = 0;  // not enough
  std::int64_t high = 1;
  while (high < room && !enough(high)) {
    low = high;
    high *= 2;
  }
  high = std::min(high, room);
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (enough(middle) ? high : low) = middle;
  }
  return widened(start, high, frames_);
}

}  // namespace lvsa
