#include "cuda/launch/any_plan.hpp"

namespace lvsa::cuda {
namespace {

std::size_t counters_of(const lvsa_problem& p) {
  return counter_bytes(p, p.dtype == LVSA_E4M3 ? fp8::kQueryTile : hopper::kQueryTile);
}

}  // namespace

const ProblemRules& rules_of(const lvsa_problem& p) {
  return p.dtype == LVSA_E4M3 ? fp8_rules() : hopper_rules();
}

std::size_t scratch_bytes(const lvsa_problem& p) {
  return counters_of(p) + (p.dtype == LVSA_E4M3 ? fp8_value_bytes(p) : 0);
}

Verdict make_plan(const lvsa_problem& p, const DeviceFrameLists& lists, char* scratch,
                  AnyPlan* plan) {
  auto* counters = reinterpret_cast<int*>(scratch);
  if (p.dtype == LVSA_E4M3) {
    return fp8_plan(p, lists, counters, scratch + counters_of(p), &plan->emplace<Fp8Plan>());
  }
  return hopper_plan(p, lists, counters, &plan->emplace<HopperPlan>());
}

Verdict run_plan(const AnyPlan& plan, cudaStream_t stream) {
  if (const auto* fp8 = std::get_if<Fp8Plan>(&plan)) return fp8_run(*fp8, stream);
  return hopper_run(std::get<HopperPlan>(plan), stream);
}

}  // namespace lvsa::cuda
