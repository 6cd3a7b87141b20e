#include "analysis/synth/head_plan.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "analysis/verify/inputs.hpp"
#include "reference/attention/exact_log.hpp"

namespace lvsa::synth {
namespace {

constexpr std::uint64_t kDealStream = 0xdea1;
constexpr std::uint64_t kVaryStream = 0x7a27;

// Between low and high, by seed, layer, head and the number of the quantity.
double vary(const VideoWords& words, std::int64_t layer, std::int64_t head, std::uint64_t which,
            double low, double high) {
  const auto index =
      (static_cast<std::uint64_t>(layer) * 4096 + static_cast<std::uint64_t>(head)) * 8 + which;
  const auto bits = analysis::random_bits(words.seed, kVaryStream, index) >> 11;
  return low + (high - low) * (static_cast<double>(bits) * 0x1p-53);
}

HeadPlan clean_plan(const VideoWords& words, std::int64_t layer, std::int64_t head) {
  const auto between = [&](std::uint64_t which, double low, double high) {
    return vary(words, layer, head, which, low, high);
  };
  const auto frames = static_cast<double>(words.frames);
  const double side = static_cast<double>(std::min(words.height, words.width));
  HeadPlan plan;
  plan.head_class = class_of(words, layer, head);
  switch (plan.head_class) {
    case HeadClass::kSpatial:
      plan.frames = between(0, 12.0, 16.0);
      plan.reach_frames = between(1, 1.0, 2.0);
      plan.tokens = between(2, 2.0, 4.0);
      plan.reach_tokens = side / 4.0;
      plan.material = 1.5;
      break;
    case HeadClass::kTemporal:
      plan.tokens = between(0, 28.0, 36.0);
      plan.frames = between(1, 0.5, 1.5);
      plan.reach_frames = frames / 2.0;
      plan.follows_motion = true;
      plan.material = 1.0;
      break;
    case HeadClass::kGlobal:
      // Against T frames of keys that score 0.
      plan.sink = reference::exact_log(frames) + between(0, 2.5, 4.0);
      plan.frames = plan.tokens = 0.5;
      plan.reach_frames = frames / 2.0;
      plan.reach_tokens = side / 4.0;
      break;
    case HeadClass::kDiffuse:
      plan.frames = plan.tokens = between(0, 0.2, 0.6);
      plan.reach_frames = frames / 2.0;
      plan.reach_tokens = side / 4.0;
      plan.material = 0.3;
      break;
  }
  return plan;
}

}  // namespace

HeadClass class_of(const VideoWords& words, std::int64_t layer, std::int64_t head) {
  std::vector<HeadClass> dealt;
  for (std::size_t i = 0; i < kHeadClasses; ++i) {
    dealt.insert(dealt.end(), static_cast<std::size_t>(words.mix[i]), static_cast<HeadClass>(i));
  }
  for (std::size_t i = dealt.size(); i > 1; --i) {
    const auto index = static_cast<std::uint64_t>(layer) * 4096 + i;
    const std::size_t other = analysis::random_bits(words.seed, kDealStream, index) % i;
    std::swap(dealt[i - 1], dealt[other]);
  }
  return dealt.at(static_cast<std::size_t>(head));
}

HeadPlan plan_head(const VideoWords& words, std::int64_t layer, std::int64_t step,
                   std::int64_t head) {
  HeadPlan plan = clean_plan(words, layer, head);
  const double level = 1.0 - static_cast<double>(step) / static_cast<double>(words.steps);
  const double gain = words.sharpness * (1.0 - 0.3 * level);
  for (double* height : {&plan.frames, &plan.tokens, &plan.material, &plan.sink}) *height *= gain;
  plan.noise = words.noise * (0.4 + 0.6 * level);
  plan.clean = 1.0 - 0.6 * level;
  return plan;
}

}  // namespace lvsa::synth
