// The target that reads sequence-parallel plans.
#include "analysis/diagnose/parallel_plan.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {

void fuzz_parallel_plan(std::string_view bytes) {
  using namespace analysis;
  const PlanDocument document = parse_plan(bytes, "fuzz");
  const PlanDegrees degrees = document.degrees.value_or(PlanDegrees{});
  const auto one_line = [](const std::string& text) {
    require(!text.empty() && text.find('\n') == std::string::npos, "a finding has one line");
  };
  const auto violations = plan_violations(document.plan);
  for (const PlanFinding& finding : violations) one_line(finding.line());
  for (const PlanFinding& finding : plan_hazards(document.plan, degrees)) one_line(finding.line());
  for (const PlanSplit& split : split_plan_tensors(document, degrees)) {
    one_line(split.place);
    require(split.ranks.empty() ||
                static_cast<std::int64_t>(split.ranks.size()) == degrees.ulysses * degrees.ring,
            "a split tensor has a part for every rank");
  }
}

}  // namespace lvsa::fuzz
