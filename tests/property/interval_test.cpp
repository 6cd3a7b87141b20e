// The automatic keyframe interval.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/pattern/keyframe_interval.hpp"
#include "reference/pattern/global_frames.hpp"
#include "reference/pattern/keyframe_interval.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {
namespace {

IntervalInputs any_inputs() {
  IntervalInputs inputs;
  inputs.frames = *any_frames();
  inputs.window_frames = *any_window();
  inputs.n_first_frames = *any_n_first();
  inputs.reference_frames = *rc::gen::weightedOneOf<std::int64_t>(
      {{3, rc::gen::element<std::int64_t>(13, 21, 31, 33, 48)},
       {1, rc::gen::inRange<std::int64_t>(0, 500)}});
  // Scales on both sides of a whole product, where truncation and rounding differ.
  inputs.sparsity_scale = *rc::gen::weightedOneOf<double>(
      {{2, rc::gen::element(0.25, 0.5, 0.7, 1.0, 1.5, 2.0, 1.0 / 3.0, 1e30, -1.0, 0.0)},
       {3, rc::gen::map(rc::gen::inRange(0, 4001), [](int i) { return i / 1000.0; })}});
  return inputs;
}

std::int64_t restated(const IntervalInputs& in) {
  return reference::compute_auto_kfi(in.frames, in.window_frames, in.n_first_frames,
                                     in.reference_frames, in.sparsity_scale);
}

RC_GTEST_PROP(KeyframeInterval, IsTheRestatedOne, ()) {
  const IntervalInputs in = any_inputs();
  RC_LOG() << "T=" << in.frames << " W=" << in.window_frames << " n_first=" << in.n_first_frames
           << " reference=" << in.reference_frames << " scale=" << in.sparsity_scale << "\n";
  RC_ASSERT(keyframe_interval(in) == restated(in));
}

RC_GTEST_PROP(KeyframeInterval, IsOneUpToTheBudgetAndThenEveryFrameIsGlobal, ()) {
  IntervalInputs in = any_inputs();
  in.frames = std::max<std::int64_t>(
      1, std::min<std::int64_t>(in.frames, keyframe_interval_terms(in).budget));
  RC_ASSERT(keyframe_interval(in) == 1);
  const auto globals = reference::compute_global_indices(
      in.frames, in.n_first_frames, keyframe_interval(in), *rc::gen::inRange(0, 50));
  RC_ASSERT(static_cast<std::int64_t>(globals.size()) == in.frames);
}

RC_GTEST_PROP(KeyframeInterval, LeavesAtLeastItsTargetWhereTheStrictOneIsTaken, ()) {
  const IntervalInputs in = any_inputs();
  const IntervalTerms terms = keyframe_interval_terms(in);
  RC_PRE((!terms.dense && terms.strict >= terms.fallback));
  const auto globals =
      reference::compute_global_indices(in.frames, in.n_first_frames, terms.interval, 0);
  RC_ASSERT(static_cast<std::int64_t>(globals.size()) >= terms.target);
}

TEST(KeyframeInterval, RefusesAScaleThatIsNoNumberOrInfinite) {
  for (const double scale : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    IntervalInputs in;
    in.sparsity_scale = scale;
    const ErrorKind due = std::isnan(scale) ? ErrorKind::kValue : ErrorKind::kOverflow;
    try {
      keyframe_interval(in);
      ADD_FAILURE() << "core takes " << scale;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), due);
    }
    try {
      restated(in);
      ADD_FAILURE() << "the restatement takes " << scale;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), due);
    }
  }
}

}  // namespace
}  // namespace lvsa::property
