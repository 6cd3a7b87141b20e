// The inferred denoising step, and the mask log that follows it.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/pattern/mask_text.hpp"
#include "core/schedule/mask_log.hpp"
#include "core/schedule/step_counter.hpp"
#include "reference/pattern/mask_text.hpp"
#include "reference/pattern/step_counter.hpp"
#include "tests/property/environment_case.hpp"
#include "tests/property/outcome.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {
namespace {

struct Call {
  std::int64_t layer = 0;
  std::int64_t seq_len = 0;
  std::optional<std::int64_t> native_step;
};

// Generations of several lengths: whole passes over the layers, now and then a call left out or
// too many, and a true step that is there or not.
std::vector<Call> any_calls() {
  std::vector<Call> calls;
  const int generations = *rc::gen::inRange(1, 4);
  for (int g = 0; g < generations; ++g) {
    const std::int64_t seq_len = *rc::gen::element<std::int64_t>(4096, 32760, 76440);
    const std::int64_t layers = *rc::gen::inRange<std::int64_t>(1, 7);
    const int passes = *rc::gen::inRange(1, 12);
    const bool publishes = *rc::gen::inRange(0, 3) == 0;
    for (int pass = 0; pass < passes; ++pass) {
      for (std::int64_t layer = 0; layer < layers; ++layer) {
        const int odd = *rc::gen::inRange(0, 60);
        if (odd == 0) continue;
        Call call{odd == 1 ? 0 : layer, seq_len, std::nullopt};
        if (publishes && odd % 5 != 2) call.native_step = pass / 2;
        calls.push_back(call);
      }
    }
  }
  return calls;
}

template <typename Counter>
std::vector<std::int64_t> ticks(Counter&& counter, const std::vector<Call>& calls) {
  std::vector<std::int64_t> steps;
  for (const Call& call : calls) {
    steps.push_back(counter.tick(call.layer, call.seq_len, call.native_step));
  }
  steps.push_back(counter.n_blocks().value_or(-1));
  return steps;
}

RC_GTEST_PROP(StepCounter, CountsAsRestatedInBothBehaviours, ()) {
  const Environment environment =
      *any_environment({{"LVSA_N_BLOCKS", {"0", "1", "2", "3", "6", "-2"}},
                        {"LVSA_CFG_PASSES", {"0", "1", "2", "3", "4"}}});
  const std::vector<Call> calls = any_calls();
  const std::int64_t world = *rc::gen::inRange<std::int64_t>(1, 5);
  RC_LOG() << rc::toString(environment) << " world=" << world << "\n";
  RC_ASSERT(outcome([&] {
              return ticks(StepCounter(environment, behaviour(Version::k1_2), world), calls);
            }) == outcome([&] {
              return ticks(reference::StepCounter(reference::Published::k12, environment, world),
                           calls);
            }));
  RC_ASSERT(outcome([&] {
              return ticks(StepCounter(environment, behaviour(Version::k1_3), world), calls);
            }) == outcome([&] {
              return ticks(reference::StepCounter(reference::Published::k13, environment, world),
                           calls);
            }));
}

RC_GTEST_PROP(StepCounter, NeverGoesBackWhileTheLengthStays, ()) {
  std::vector<Call> calls = any_calls();
  for (Call& call : calls) {
    call.seq_len = 1;
    call.native_step.reset();
  }
  const std::vector<std::int64_t> steps = ticks(StepCounter({}, behaviour(Version::k1_3)), calls);
  for (std::size_t i = 1; i + 1 < steps.size(); ++i) RC_ASSERT(steps[i - 1] <= steps[i]);
}

RC_GTEST_PROP(MaskLog, FiresAsRestated, ()) {
  const std::string spec = *rc::gen::weightedOneOf<std::string>(
      {{3, rc::gen::element<std::string>("", "0", "1", "once", "2-5", "5-2", "1,3,7", " 1 , 3", "a",
                                         "1-", "-1", "1,,3", "2-x", "1,2-4", "0-1_0")},
       {2, short_number_text()}});
  const std::int64_t step = *rc::gen::inRange<std::int64_t>(0, 12);
  const std::int64_t last = *rc::gen::inRange<std::int64_t>(-1, 12);
  RC_ASSERT(outcome([&] { return mask_log_due(spec, step, last); }) ==
            outcome([&] { return reference::mask_log_should_fire(spec, step, last); }));
}

RC_GTEST_PROP(MaskText, IsTheRestatedOne, (const PatternCase& c)) {
  RC_PRE(c.frames() <= 400);
  const std::string got = mask_text(build_frame_pattern(c.spec()));
  const std::string due = reference::print_attention_mask_compact(
      c.frames(), c.window(), c.globals(), c.arguments.expand_window);
  RC_ASSERT(got == due);
}

}  // namespace
}  // namespace lvsa::property
