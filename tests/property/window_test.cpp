// Windows and the lists of attended frames.

#include "reference/pattern/window.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/pattern/frame_pattern.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {
namespace {

std::vector<std::int64_t> row(const FramePattern& pattern, std::int64_t frame) {
  const auto list = pattern.row(frame);
  return std::vector<std::int64_t>(list.begin(), list.end());
}

FrameRange window(const FramePattern& pattern, std::int64_t frame) {
  return pattern.windows.at(static_cast<std::size_t>(frame));
}

// All frames of a short video; of a long one the ends and some between, since the restatement of
// one window takes as long as the video.
std::vector<std::int64_t> sampled_frames(std::int64_t frames) {
  std::vector<std::int64_t> sample;
  for (std::int64_t f = 0; f < frames; ++f) {
    if (f < 40 || f >= frames - 40 || f % 37 == 0) sample.push_back(f);
  }
  return sample;
}

RC_GTEST_PROP(Window, IsTheRestatedOne, (const PatternCase& c)) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  const reference::FrameSet globals = c.globals();
  for (const std::int64_t f : sampled_frames(c.frames())) {
    const reference::WindowBounds due =
        reference::get_window_bounds(f, c.window(), c.frames(), c.arguments.expand_window, globals);
    RC_ASSERT(window(pattern, f).lo == due.lo);
    RC_ASSERT(window(pattern, f).hi == due.hi);
  }
}

RC_GTEST_PROP(Window, KeepsItsWidthAtTheEnds, (PatternCase c)) {
  RC_PRE(c.window() > 0);
  c.arguments.expand_window = false;
  const FramePattern pattern = build_frame_pattern(c.spec());
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    RC_ASSERT(window(pattern, f).size() == std::min(2 * c.window() + 1, c.frames()));
  }
}

RC_GTEST_PROP(Window, HoldsTheAdaptiveOneWhenItIsExpanded, (PatternCase c)) {
  RC_PRE(c.window() > 0);
  c.arguments.expand_window = true;
  const FramePattern pattern = build_frame_pattern(c.spec());
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    const reference::WindowBounds adaptive = reference::adaptive_window(f, c.window(), c.frames());
    RC_ASSERT(window(pattern, f).lo <= adaptive.lo);
    RC_ASSERT(window(pattern, f).hi >= adaptive.hi);
  }
}

RC_GTEST_PROP(Window, GivesEveryFrameTheSameCountWhenItIsExpanded, (PatternCase c)) {
  RC_PRE(c.window() > 0);
  c.arguments.expand_window = true;
  const FramePattern pattern = build_frame_pattern(c.spec());
  const auto globals = static_cast<std::int64_t>(pattern.globals.size());
  const std::int64_t due = globals + std::min(2 * c.window() + 1, c.frames() - globals);
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    RC_ASSERT(static_cast<std::int64_t>(pattern.row(f).size()) == due);
  }
}

RC_GTEST_PROP(Window, IsEmptyForHalfWidthZero, (PatternCase c)) {
  c.arguments.window_size = 0;
  const FramePattern pattern = build_frame_pattern(c.spec());
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    RC_ASSERT(window(pattern, f).lo == f);
    RC_ASSERT(window(pattern, f).hi == f - 1);
  }
}

RC_GTEST_PROP(AttendedFrames, AreTheRestatedOnes, (const PatternCase& c)) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  const reference::FrameSet globals = c.globals();
  for (const std::int64_t f : sampled_frames(c.frames())) {
    const auto due = reference::attended_frames(
        globals, reference::get_window_bounds(f, c.window(), c.frames(), c.arguments.expand_window,
                                              globals));
    RC_ASSERT(row(pattern, f) == reference::sorted(due));
  }
}

RC_GTEST_PROP(AttendedFrames, AreAscendingUniqueAndInTheVideo, (const PatternCase& c)) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  RC_ASSERT(pattern.frames() == c.frames());
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    const auto list = pattern.row(f);
    RC_ASSERT(std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end());
    RC_ASSERT((list.empty() || (list.front() >= 0 && list.back() < c.frames())));
  }
}

// Half width 0 is the published globals-only mode: a frame that is not global does not attend
// itself.
RC_GTEST_PROP(AttendedFrames, HoldTheFrameItselfUnlessThereIsNoWindow, (const PatternCase& c)) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    const auto list = pattern.row(f);
    const bool itself = std::binary_search(list.begin(), list.end(), f);
    const bool global = pattern.is_global.at(static_cast<std::size_t>(f)) == 1;
    RC_ASSERT(itself == (c.window() > 0 || global));
  }
}

RC_GTEST_PROP(AttendedFrames, AreAllFramesAtIntervalOne, (PatternCase c)) {
  c.arguments.key_frame_interval = 1;
  const FramePattern pattern = build_frame_pattern(c.spec());
  RC_ASSERT(pattern.frame_pairs() == c.frames() * c.frames());
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    RC_ASSERT(static_cast<std::int64_t>(pattern.row(f).size()) == c.frames());
  }
}

RC_GTEST_PROP(AttendedFrames, AreCountedByTheOffsetsOfTheirLists, (const PatternCase& c)) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  std::int64_t pairs = 0;
  for (std::int64_t f = 0; f < c.frames(); ++f) {
    pairs += static_cast<std::int64_t>(pattern.row(f).size());
  }
  RC_ASSERT(pattern.frame_pairs() == pairs);
  RC_ASSERT(static_cast<std::int64_t>(pattern.list.size()) == pairs);
}

}  // namespace
}  // namespace lvsa::property
