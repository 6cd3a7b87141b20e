// Global frames, rotation, boundary guards and conditioning frames.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "core/pattern/global_frames.hpp"
#include "reference/pattern/global_frames.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {
namespace {

std::vector<std::int64_t> wide(const std::vector<std::int32_t>& frames) {
  return std::vector<std::int64_t>(frames.begin(), frames.end());
}

bool ascending_and_unique(const std::vector<std::int32_t>& list) {
  return std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end();
}

RC_GTEST_PROP(GlobalFrames, AreTheRestatedOnes, (const PatternCase& c)) {
  const auto& a = c.arguments;
  const auto got =
      global_frames(c.frames(), a.n_first_frames, a.key_frame_interval, a.keyframe_offset);
  RC_ASSERT(wide(got) ==
            reference::sorted(reference::compute_global_indices(
                c.frames(), a.n_first_frames, a.key_frame_interval, a.keyframe_offset)));
  RC_ASSERT(ascending_and_unique(got));
}

RC_GTEST_PROP(GlobalFrames, WithGuardsAndConditionFramesAreTheRestatedOnes,
              (const PatternCase& c)) {
  const FramePattern pattern = build_frame_pattern(c.spec());
  RC_ASSERT(wide(pattern.globals) == reference::sorted(c.globals()));
  RC_ASSERT(ascending_and_unique(pattern.globals));
  for (const std::int64_t f : c.arguments.condition_frames) {
    if (f < 0 || f >= c.frames()) continue;
    RC_ASSERT(pattern.is_global.at(static_cast<std::size_t>(f)) == 1);
  }
}

RC_GTEST_PROP(GlobalFrames, LetEveryFrameBeAnAnchorOverIntervalConsecutiveSteps, ()) {
  const std::int64_t frames = *any_frames();
  const std::int64_t interval = *rc::gen::inRange<std::int64_t>(1, 40);
  const std::int64_t first_step = *rc::gen::inRange<std::int64_t>(0, 100);
  reference::FrameSet anchors;
  for (std::int64_t step = first_step; step < first_step + interval; ++step) {
    const std::int64_t offset = reference::keyframe_offset(step, interval, true);
    for (const std::int32_t f : global_frames(frames, 0, interval, offset)) anchors.insert(f);
  }
  RC_ASSERT(static_cast<std::int64_t>(anchors.size()) == frames);
}

RC_GTEST_PROP(GlobalFrames, AreAsManyAtEveryStepWhenNoFrameIsFirst, ()) {
  const std::int64_t frames = *any_frames();
  const std::int64_t interval = *rc::gen::inRange<std::int64_t>(1, 40);
  const std::int64_t offset = *rc::gen::inRange<std::int64_t>(0, interval);
  RC_ASSERT(global_frames(frames, 0, interval, offset).size() ==
            global_frames(frames, 0, interval, 0).size());
}

RC_GTEST_PROP(GlobalFrames, AreAllFramesAtIntervalOne, ()) {
  const std::int64_t frames = *any_frames();
  const std::int64_t offset = *rc::gen::inRange<std::int64_t>(-10, 4000);
  RC_ASSERT(static_cast<std::int64_t>(global_frames(frames, 0, 1, offset).size()) == frames);
}

RC_GTEST_PROP(BoundaryGuards, AreTheRestatedOnes, (const PatternCase& c)) {
  const std::int64_t local_seq = c.frames() * c.patches() / c.arguments.world;
  RC_ASSERT(wide(boundary_guard_frames(c.frames(), local_seq, c.patches(), c.arguments.world,
                                       c.window())) ==
            reference::sorted(reference::compute_boundary_guard_frames(
                c.frames(), local_seq, c.patches(), c.arguments.world, c.window())));
}

RC_GTEST_PROP(BoundaryGuards, HoldEveryFrameThatTwoRanksShare, (const PatternCase& c)) {
  const std::int64_t local_seq = c.frames() * c.patches() / c.arguments.world;
  const auto guards =
      boundary_guard_frames(c.frames(), local_seq, c.patches(), c.arguments.world, c.window());
  for (std::int64_t rank = 1; rank < c.arguments.world; ++rank) {
    const std::int64_t first_token = rank * local_seq;
    if (first_token % c.patches() == 0) continue;
    RC_ASSERT(std::binary_search(guards.begin(), guards.end(), first_token / c.patches()));
  }
}

}  // namespace
}  // namespace lvsa::property
