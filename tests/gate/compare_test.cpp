// Single comparisons, at the boundaries of their rules.

#include "analysis/gate/compare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/gate/gate_sample.hpp"

namespace lvsa::analysis {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

// What counts or is noted, as "weight check".
std::vector<std::string> found(const Evidence& before, const Evidence& after,
                               const GateRules& rules = default_rules(),
                               const Tolerated& tolerated = {}) {
  std::vector<std::string> texts;
  for (const GateFinding& f : compare(before, after, rules, tolerated).findings) {
    texts.push_back(std::string(weight_name(f.weight)) + " " + f.check);
  }
  return texts;
}

using Texts = std::vector<std::string>;

class GateOfCases : public testing::Test {
 protected:
  Evidence before_ = sample_evidence();
  Evidence after_ = sample_evidence();
  CaseRecord& base() { return before_.conformance->cases.few()[1]; }
  CaseRecord& now() { return after_.conformance->cases.few()[1]; }
  Texts found_here(const GateRules& rules = default_rules()) {
    return found(before_, after_, rules);
  }
};

// A line that stands several times is matched in the order of its entries.
TEST_F(GateOfCases, MatchesRepeatedLinesOneByOne) {
  const auto repeat = [](Evidence& evidence, std::size_t copies) {
    std::vector<CaseRecord>& cases = evidence.conformance->cases.few();
    cases.insert(cases.begin(), copies, CaseRecord(cases[1]));
  };
  repeat(before_, 2);
  repeat(after_, 2);
  EXPECT_EQ(found_here(), Texts{});
  after_.conformance->cases.few()[1].output.worst_ratio = 0.9;  // the second of three
  before_.conformance->cases.few()[1].output.worst_ratio = 0.9;
  EXPECT_EQ(found_here(), Texts{});
  before_.conformance->cases.few()[1].output.worst_ratio = 0.1;
  EXPECT_EQ(found_here(), Texts{"failure output.growth"});
  Tolerated tolerated;
  tolerated.suites = true;
  Evidence more = sample_evidence();
  repeat(more, 4);
  EXPECT_EQ(found(more, sample_evidence(), default_rules(), tolerated),
            Texts(4, "failure missing"));
  EXPECT_EQ(found(sample_evidence(), more, default_rules(), tolerated), Texts(4, "note new"));
}

TEST_F(GateOfCases, LetsAnErrorGrowUpToTheFactor) {
  base().output.worst_ratio = 0.25;
  now().output.worst_ratio = 0.5;  // factor 2, to the bit
  EXPECT_EQ(found_here(), Texts{});
  now().output.worst_ratio = std::nextafter(0.5, 1.0);
  EXPECT_EQ(found_here(), Texts{"failure output.growth"});
}

TEST_F(GateOfCases, DoesNotLookAtGrowthBelowTheFloor) {
  base().lse.worst_ratio = 0.0;
  now().lse.worst_ratio = 0.1;
  EXPECT_EQ(found_here(), Texts{});
  now().lse.worst_ratio = std::nextafter(0.1, 1.0);
  EXPECT_EQ(found_here(), Texts{"failure lse.growth"});
}

TEST_F(GateOfCases, HoldsErrorsAgainstTheirBound) {
  base().output.worst_ratio = now().output.worst_ratio = 1.0;
  EXPECT_EQ(found_here(), Texts{});
  base().output.worst_ratio = 0.9;
  now().output.worst_ratio = std::nextafter(1.0, 2.0);
  EXPECT_EQ(found_here(), Texts{"failure output"});
  now().output.worst_ratio = kNan;
  EXPECT_EQ(found_here(), Texts{"failure output"});
}

TEST_F(GateOfCases, TakesTheFactorOfTheLastRuleThatMatches) {
  GateRules rules = default_rules();
  CaseOverride looser;
  looser.match = "*seed=1";
  looser.ratio_factor = 4.0;
  rules.conformance.cases = {looser};
  base().output.worst_ratio = 0.2;
  now().output.worst_ratio = 0.8;
  EXPECT_EQ(found_here(rules), Texts{});
  EXPECT_EQ(found_here(), Texts{"failure output.growth"});
  looser.match = "*";
  looser.ratio_factor = 3.0;
  rules.conformance.cases.push_back(looser);
  EXPECT_EQ(found_here(rules), Texts{"failure output.growth"});
}

TEST_F(GateOfCases, NamesFrameAndHeadOfAFailure) {
  now().status = Status::kFail;
  now().where = "all failing elements: query frame 11, key tile 3, head 1";
  now().output.failed = 9;
  const GateResult result = compare(before_, after_, default_rules());
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_NE(result.findings[0].where.find("query frame 11, key tile 3, head 1"), std::string::npos);
  EXPECT_NE(result.findings[0].where.find("(frame 1, row 2 of it), head 1"), std::string::npos);
}

TEST_F(GateOfCases, NoticesACheckThatIsNotMadeAnyMore) {
  now().checks[1].state = CheckState::kNotApplicable;
  EXPECT_EQ(found_here(), Texts{"failure alignment"});
  now() = base();
  now().checks.pop_back();  // was not applicable before, either
  EXPECT_EQ(found_here(), Texts{});
  now().checks.pop_back();
  EXPECT_EQ(found_here(), Texts{"failure alignment"});
  now() = base();
  now().lse = {};
  EXPECT_EQ(found_here(), Texts{"failure lse.checked"});
  now() = base();
  --now().rows_checked;
  EXPECT_EQ(found_here(), Texts{"failure rows"});
}

TEST_F(GateOfCases, ReportsWhatIsNewAndWhatIsBetter) {
  base().status = Status::kFail;
  base().output.failed = 2;
  EXPECT_EQ(found_here(), Texts{"note improved"});
  after_.conformance->cases.push_back(sample_case(77));
  EXPECT_EQ(found_here(), (Texts{"note improved", "note new"}));
  after_.conformance->cases.few().back().status = Status::kCrash;
  EXPECT_EQ(found_here(), (Texts{"failure crash", "note improved", "note new"}));
}

TEST_F(GateOfCases, LetsKnownFailuresBeUnlessTheRulesSayOtherwise) {
  for (CaseRecord* record : {&base(), &now()}) {
    record->status = Status::kFail;
    record->checks[0].state = CheckState::kFails;
  }
  EXPECT_EQ(found_here(), Texts{"note own-strides"});
  GateRules rules = default_rules();
  rules.conformance.known_failures = Effect::kFail;
  EXPECT_EQ(found_here(rules), Texts{"failure own-strides"});
  now().checks[1].state = CheckState::kFails;  // one more than before
  EXPECT_EQ(found_here(), (Texts{"failure alignment", "note own-strides"}));
}

TEST_F(GateOfCases, WantsTheMustPassCasesToPass) {
  GateRules rules = default_rules();
  rules.conformance.must_pass = {"*seed=1", "*seed=9"};
  EXPECT_EQ(found_here(rules), Texts{"failure must-pass"});  // nothing matches seed=9
  rules.conformance.must_pass.pop_back();
  EXPECT_EQ(found_here(rules), Texts{});
  base().status = now().status = Status::kWeak;  // as before, and still not good enough
  EXPECT_EQ(found_here(rules), Texts{"failure must-pass"});
}

TEST_F(GateOfCases, DoesNotCompareOtherInputs) {
  now().inputs.k = 77;
  EXPECT_EQ(found_here(), Texts{"failure inputs"});
  now().inputs.k = 0;  // not told
  EXPECT_EQ(found_here(), Texts{});
}

TEST(GateOfPatterns, IsExact) {
  const Evidence before = sample_evidence();
  Evidence after = before;
  PatternFile& file = after.patterns->files[0];
  file = {file.file, 99, 1, "line 5: compute_auto_kfi: got 3, due 4"};
  EXPECT_EQ(found(before, after), Texts{"failure mismatch"});
  file.passed = 98;
  file.failed = 0;
  EXPECT_EQ(found(before, after), Texts{"failure calls"});
  after.patterns->files.erase(after.patterns->files.begin());
  EXPECT_EQ(found(before, after), Texts{"failure missing"});
}

class GateOfSweeps : public testing::Test {
 protected:
  Evidence before_ = sample_evidence();
  Evidence after_ = sample_evidence();
  Texts with(Metric metric, double then, double now, const GateRules& rules = default_rules()) {
    before_.sweep->rows[0].values[static_cast<std::size_t>(metric)] = then;
    after_.sweep->rows[0].values[static_cast<std::size_t>(metric)] = now;
    return found(before_, after_, rules);
  }
};

TEST_F(GateOfSweeps, KnowsWhichDirectionIsBetter) {
  EXPECT_EQ(with(Metric::kRecallMean, 0.9, 0.95), Texts{});
  EXPECT_EQ(with(Metric::kRecallMean, 0.9, 0.85), Texts{"failure recall"});
  after_ = before_;
  EXPECT_EQ(with(Metric::kRelativeL2, 0.1, 0.05), Texts{});
  EXPECT_EQ(with(Metric::kRelativeL2, 0.1, 0.2), Texts{"failure rel_l2"});
}

TEST_F(GateOfSweeps, AllowsWhatTheToleranceAllows) {
  GateRules rules = default_rules();
  MetricRule& rule = rules.sweep.metrics[static_cast<std::size_t>(Metric::kRmse)];
  rule.absolute = 0.25;
  rule.relative = 0.5;
  EXPECT_EQ(with(Metric::kRmse, 1.0, 1.75, rules), Texts{});
  EXPECT_EQ(with(Metric::kRmse, 1.0, std::nextafter(1.75, 2.0), rules), Texts{"failure rmse"});
  rule.most = 1.5;
  EXPECT_EQ(with(Metric::kRmse, 1.6, 1.6, rules), Texts{"failure rmse"});
  EXPECT_EQ(with(Metric::kRmse, 1.0, kNan, rules), Texts{"failure rmse"});
  EXPECT_EQ(with(Metric::kRmse, kNan, kNan, rules), Texts{});
}

TEST_F(GateOfSweeps, LooksAtEntropyOnlyWhenAsked) {
  EXPECT_EQ(with(Metric::kEntropySparse, 1.0, 2.0), Texts{});
  GateRules rules = default_rules();
  MetricRule rule;
  rule.absolute = 0.5;
  rules.sweep.settings = {{"W=3*", "all", {{Metric::kEntropySparse, rule}}}};
  EXPECT_EQ(with(Metric::kEntropySparse, 1.0, 2.0, rules), Texts{"failure entropy_sparse"});
  EXPECT_EQ(with(Metric::kEntropySparse, 1.0, 0.4, rules), Texts{"failure entropy_sparse"});
  rules.sweep.settings[0].setting = "W=4*";
  EXPECT_EQ(with(Metric::kEntropySparse, 1.0, 2.0, rules), Texts{});
}

TEST_F(GateOfSweeps, NoticesOtherPatternsAndFewerSamples) {
  after_.sweep->rows[2].token_density = 0.26;
  EXPECT_EQ(found(before_, after_), Texts{"failure density"});
  after_ = before_;
  after_.sweep->rows[2].samples = 11;
  EXPECT_EQ(found(before_, after_), Texts{"failure samples"});
  after_ = before_;
  after_.sweep->excluded = 1;
  EXPECT_EQ(found(before_, after_), Texts{"failure excluded"});
}

TEST(GateOfSpeed, FollowsTheVerdictsOfPairs) {
  const Evidence before = sample_evidence();
  Evidence after = before;
  EXPECT_EQ(found(before, after), Texts{});
  after.speed->rows[1].verdict = SpeedVerdict::kFaster;
  EXPECT_EQ(found(before, after), Texts{"note faster"});
  after.speed->rows[1].verdict = SpeedVerdict::kSlower;
  EXPECT_EQ(compare(before, after, default_rules()).verdict(), GateVerdict::kSlower);
  GateRules rules = default_rules();
  rules.speed.slower = Effect::kReport;
  EXPECT_EQ(found(before, after, rules), Texts{"note slower"});
  after.speed->rows[1].verdict = SpeedVerdict::kUndecided;
  EXPECT_EQ(found(before, after), Texts{"undecided undecided"});
  rules = default_rules();
  rules.speed.must_not_be_slower = {"T=33*"};
  EXPECT_EQ(found(before, after, rules), Texts{"slower undecided"});
  after.speed->rows.pop_back();
  EXPECT_EQ(found(before, after), Texts{"slower missing"});
}

TEST(GateOutcome, CorrectnessOutranksSpeed) {
  const Evidence before = sample_evidence();
  Evidence after = before;
  after.speed->rows[0].verdict = SpeedVerdict::kUndecided;
  GateVerdict verdict = compare(before, after, default_rules()).verdict();
  EXPECT_EQ(exit_code(verdict, false), 0);
  EXPECT_EQ(exit_code(verdict, true), 4);
  after.speed->rows[1].verdict = SpeedVerdict::kSlower;
  verdict = compare(before, after, default_rules()).verdict();
  EXPECT_EQ(exit_code(verdict, true), 3);
  after.conformance->cases.few()[0].status = Status::kTimeout;
  verdict = compare(before, after, default_rules()).verdict();
  EXPECT_EQ(exit_code(verdict, true), 1);
}

TEST(GateOutcome, FailsWithoutAPartThatTheBaselineHas) {
  const Evidence before = sample_evidence();
  Evidence after = before;
  after.patterns.reset();
  EXPECT_EQ(compare(before, after, default_rules()).verdict(), GateVerdict::kFailed);
  after = before;
  after.speed.reset();
  EXPECT_EQ(compare(before, after, default_rules()).verdict(), GateVerdict::kSlower);
}

class GateRefusal : public testing::Test {
 protected:
  Evidence before_ = sample_evidence();
  Evidence after_ = sample_evidence();
  std::string said(const Tolerated& tolerated = {}) {
    return refusal_of([&] { compare(before_, after_, default_rules(), tolerated); });
  }
  void expect_said(const char* text) {
    EXPECT_NE(said().find(text), std::string::npos) << "'" << said() << "' lacks '" << text << "'";
  }
};

TEST_F(GateRefusal, OfOtherVersions) {
  after_.conformance->provenance[0].second = "0.2.0";
  expect_said("of lvsa-verify 0.1.0");
  expect_said("--across-versions");
  EXPECT_EQ(said({true, false, false}), "accepted");
}

TEST_F(GateRefusal, OfOtherSuites) {
  after_.conformance->plan.suite = "default";
  expect_said("suite 'default'");
  EXPECT_EQ(said({false, true, false}), "accepted");
  after_.conformance->plan.suite = "other/folder/smoke";  // its name counts
  EXPECT_EQ(said(), "accepted");
  for (CaseRecord& record : after_.conformance->cases.few()) record.line += " step=1";
  expect_said("no case in common");
}

TEST_F(GateRefusal, OfRunsJudgedInAnotherWay) {
  after_.conformance->plan.options[0].second = "none";
  expect_said("--relations none");
  after_ = before_;
  after_.conformance->plan.shard = {1, 2};
  expect_said("lvsa-verify merge");
}

TEST_F(GateRefusal, OfOtherTensorsAndDevices) {
  after_.sweep->identity = "another capture";
  expect_said("another capture");
  after_ = before_;
  after_.sweep->rows_per_frame = 4;
  expect_said("rows a frame");
  after_ = before_;
  after_.speed->device = "NVIDIA H200";
  expect_said("--across-devices");
  EXPECT_EQ(said({false, false, true}), "accepted");
}

TEST_F(GateRefusal, OfSpeedThatIsAnotherKernels) {
  after_.conformance->plan.library = 0xabc;
  after_.speed->library_b = "0000000000000abc";
  EXPECT_EQ(said(), "accepted");
  after_.speed->library_b = "0000000000000abd";
  expect_said("build once");
  after_.speed->library_b.clear();  // built in: not told
  EXPECT_EQ(said(), "accepted");
}

TEST_F(GateRefusal, OfWhatHasNothingInCommon) {
  before_.conformance.reset();
  before_.patterns.reset();
  before_.sweep.reset();
  after_.speed.reset();
  expect_said("nothing to compare");
}

}  // namespace
}  // namespace lvsa::analysis
