// What holds for any two runs.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "analysis/gate/compare.hpp"
#include "analysis/gate/judge_case.hpp"
#include "analysis/gate/waivers.hpp"
#include "tests/gate/gate_sample.hpp"

namespace lvsa::analysis {
namespace {

GateResult gate(const Evidence& baseline, const Evidence& candidate) {
  return compare(baseline, candidate, default_rules());
}

RC_GTEST_PROP(Gate, PassesARunHeldAgainstItself, ()) {
  const Evidence any = any_evidence();
  const GateResult result = gate(any, any);
  RC_ASSERT(result.count(Weight::kFailure) == 0);
  RC_ASSERT(result.count(Weight::kSpeedFailure) == 0);
  RC_ASSERT(result.compared == result.cases());
}

// One step worse than it was, in whichever of the ways there are.
void worsen(CaseRecord& record) {
  const CaseRules rules;
  const Status was = status_by(record, rules);
  const std::vector<Status> worse = {Status::kWeak,  Status::kUnsupported, Status::kFail,
                                     Status::kError, Status::kTimeout,     Status::kCrash};
  std::vector<Status> possible;
  for (const Status status : worse) {
    if (badness(status) > badness(was)) possible.push_back(status);
  }
  RC_PRE(!possible.empty());
  record.status = *rc::gen::elementOf(possible);
  record.message = "worse";
  if (record.status != Status::kFail) return;
  // A case that fails does so by something: a bound or a check, or nothing that is told.
  const int how = *rc::gen::inRange(0, 3);
  if (how == 0) record.output = {100, 1, 0, 7.0, ""};
  if (how == 1) record.checks.push_back({"mask", CheckState::kFails, "a key too many"});
}

RC_GTEST_PROP(Gate, FailsWhenASingleVerdictIsWorse, ()) {
  const Evidence before = any_evidence();
  Evidence after = before;
  auto& cases = after.conformance->cases.few();
  worsen(cases[*rc::gen::inRange<std::size_t>(0, cases.size())]);
  RC_ASSERT(gate(before, after).verdict() == GateVerdict::kFailed);
}

RC_GTEST_PROP(Gate, FailsWhenACaseIsMissing, ()) {
  const Evidence before = any_evidence();
  RC_PRE(before.conformance->cases.size() > 1U);
  Evidence after = before;
  auto& cases = after.conformance->cases.few();
  cases.erase(cases.begin() + *rc::gen::inRange<std::int64_t>(0, std::ssize(cases)));
  // The same line may stand there once more; then the suites are not disjoint.
  RC_ASSERT(gate(before, after).verdict() == GateVerdict::kFailed);
}

RC_GTEST_PROP(Gate, DoesNotCareAboutTheOrderOfCases, ()) {
  Evidence before = any_evidence();
  Evidence after = any_evidence();
  // Lines that stand twice are told apart by their order; here each stands once.
  for (Evidence* side : {&before, &after}) {
    int number = 0;
    for (CaseRecord& record : side->conformance->cases.few()) {
      record.line = sample_case(number).line;
      record.inputs = sample_case(number++).inputs;
    }
  }
  after.patterns = before.patterns;
  after.sweep = before.sweep;
  after.speed = before.speed;
  const GateResult straight = gate(before, after);
  auto& mixed = after.conformance->cases.few();
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  std::sort(mixed.begin(), mixed.end(), [&](const CaseRecord& a, const CaseRecord& b) {
    return std::hash<std::string>()(a.line + std::to_string(seed)) <
           std::hash<std::string>()(b.line + std::to_string(seed));
  });
  if (after.sweep) std::reverse(after.sweep->rows.begin(), after.sweep->rows.end());
  std::vector<CaseRecord>& turned = before.conformance->cases.few();
  std::reverse(turned.begin(), turned.end());
  RC_ASSERT(gate(before, after).findings == straight.findings);
}

Waiver waiver_of(const GateFinding& finding, int number) {
  Waiver waiver;
  waiver.reason = "known";
  waiver.owner = "team";
  waiver.device = "*";
  waiver.expires = "2030-01-01";
  waiver.cases = finding.subject;
  waiver.check = finding.check;
  waiver.crash = finding.crash;
  waiver.place = "waivers.json: $.waivers[" + std::to_string(number) + "]";
  return waiver;
}

// Exactly the findings that count, each its waiver: a pass. One waiver less or one more: a failure.
RC_GTEST_PROP(Waivers, CoverExactlyWhatTheyName, ()) {
  const Evidence before = sample_evidence(4);
  Evidence after = before;
  std::vector<GateFinding> due;
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    worsen(after.conformance->cases.few()[static_cast<std::size_t>(i)]);
  }
  GateResult result = gate(before, after);
  std::vector<Waiver> waivers;
  for (const GateFinding& finding : result.findings) {
    if (finding.weight == Weight::kNote) continue;
    waivers.push_back(waiver_of(finding, static_cast<int>(waivers.size())));
  }
  RC_ASSERT(!waivers.empty());
  const auto verdict_with = [&](const std::vector<Waiver>& given) {
    GateResult waived = result;
    apply_waivers(waived, given, {"Some CPU"}, "2029-12-31");
    return waived.verdict();
  };
  RC_ASSERT(verdict_with(waivers) == GateVerdict::kPass);
  std::vector<Waiver> fewer = waivers;
  fewer.erase(fewer.begin() + *rc::gen::inRange<std::int64_t>(0, std::ssize(fewer)));
  RC_ASSERT(verdict_with(fewer) == GateVerdict::kFailed);
  std::vector<Waiver> more = waivers;
  more.push_back(waivers.front());
  more.back().cases = "no such case";
  RC_ASSERT(verdict_with(more) == GateVerdict::kFailed);
}

}  // namespace
}  // namespace lvsa::analysis
