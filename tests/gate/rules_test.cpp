// rules.json and waivers.json: what is wrong in them is named with its place.

#include "analysis/gate/rules.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <utility>

#include "analysis/gate/glob.hpp"
#include "analysis/gate/json_reader.hpp"
#include "analysis/gate/waivers.hpp"
#include "tests/gate/gate_sample.hpp"

namespace lvsa::analysis {
namespace {

struct Bad {
  const char* json;
  const char* says;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.json; }

class BadRules : public testing::TestWithParam<Bad> {};

TEST_P(BadRules, AreRefusedInOneLineWithTheirPath) {
  const std::string said = refusal_of([] { parse_rules(GetParam().json, "rules.json"); });
  EXPECT_EQ(said.find("rules.json: "), 0U) << said;
  EXPECT_NE(said.find(GetParam().says), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadRules,
    testing::Values(
        Bad{"", "rules.json"}, Bad{"[]", "$: []: an object with schema"},
        Bad{"{}", "$: 'schema' is missing"}, Bad{R"({"schema": 2})", "$.schema: 2: 1 is due"},
        Bad{R"({"schema": 1, "conformence": {}})", "the nearest known one is 'conformance'"},
        Bad{R"({"schema": 1, "zzzzzzzz": {}})", "known are schema, about, conformance"},
        Bad{R"({"schema": 1, "conformance": {"ratio_factr": 2}})",
            "$.conformance.ratio_factr: unknown key \"ratio_factr\"; the nearest known one is "
            "'ratio_factor'"},
        Bad{R"({"schema": 1, "conformance": {"ratio_factor": "2"}})",
            "$.conformance.ratio_factor: \"2\": a number from 1"},
        Bad{R"({"schema": 1, "conformance": {"ratio_factor": 0.9}})", "a number from 1"},
        Bad{R"({"schema": 1, "conformance": {"worst_ratio": 1.5}})", "contradicts the bounds"},
        Bad{R"({"schema": 1, "conformance": {"worst_ratio": 0.2, "ratio_floor": 0.3}})",
            "ratio_floor 0.3 contradicts worst_ratio 0.2"},
        Bad{R"({"schema": 1, "conformance": {"cases": [{"match": "*", "ratio_floor": 2}]}})",
            "$.conformance.cases[0]: ratio_floor 2 contradicts"},
        Bad{R"({"schema": 1, "conformance": {"cases": [{"ratio_floor": 0}]}})",
            "$.conformance.cases[0]: 'match' is missing"},
        Bad{R"({"schema": 1, "conformance": {"weak": true}})",
            "$.conformance.weak: true: one of report, fail"},
        Bad{R"({"schema": 1, "conformance": {"must_pass": "T=1*"}})", "an array is due"},
        Bad{R"({"schema": 1, "conformance": {"must_pass": ["a", ""]}})",
            "$.conformance.must_pass[1]"},
        Bad{R"({"schema": 1, "sweep": {"metrics": {"recal": {}}}})", "nearest one is 'recall'"},
        Bad{R"({"schema": 1, "sweep": {"metrics": {"recall": {"least": 1, "most": 0.5}}}})",
            "$.sweep.metrics.recall: least 1 contradicts most 0.5"},
        Bad{R"({"schema": 1, "sweep": {"settings": [{"class": "x"}]}})", "'metrics' is missing"},
        Bad{R"({"schema": 1, "speed": {"slower": "report", "must_not_be_slower": ["*"]}})",
            "must_not_be_slower contradicts slower"},
        Bad{R"({"schema": 1, "schema": 1})", "schema"},
        Bad{R"({"schema": 1, "about": "\ud800"})", "rules.json"}));

TEST(Rules, AreTheBuiltInOnesWhereAFileSaysNothing) {
  const GateRules rules = parse_rules(R"({"schema": 1})", "rules.json");
  EXPECT_EQ(rules.conformance.all.worst_ratio, 1.0);
  EXPECT_EQ(rules.conformance.all.ratio_factor, 2.0);
  EXPECT_EQ(rules.conformance.all.ratio_floor, 0.1);
  EXPECT_EQ(rules.speed.slower, Effect::kFail);
}

TEST(Rules, LowerTheFloorThatNobodyGaveWithTheBound) {
  const GateRules rules = parse_rules(
      R"({"schema": 1, "conformance": {"worst_ratio": 0.05, "cases": [
          {"match": "*fp8*", "worst_ratio": 0.01}]}})",
      "rules.json");
  EXPECT_EQ(rules.conformance.all.ratio_floor, 0.05);
  EXPECT_EQ(rules.conformance.for_case("dtype=fp8").ratio_floor, 0.01);
  EXPECT_EQ(rules.conformance.for_case("dtype=bf16").ratio_floor, 0.05);
}

TEST(Rules, ForgetTheBuiltInToleranceOfAMetricThatTheyName) {
  const GateRules rules =
      parse_rules(R"({"schema": 1, "sweep": {"metrics": {"recall": {"relative": 0.5}}}})", "r");
  const MetricRule rule = rules.sweep.rule(Metric::kRecallMean, "W=3", "all");
  EXPECT_EQ(rule.relative, 0.5);
  EXPECT_EQ(rule.absolute, 0.0);
}

class BadWaivers : public testing::TestWithParam<Bad> {};

TEST_P(BadWaivers, AreRefusedInOneLineWithTheirPath) {
  const std::string said = refusal_of([] {
    parse_waivers(std::string(R"({"schema": 1, "waivers": [)") + GetParam().json + "]}", "w.json");
  });
  EXPECT_NE(said.find(GetParam().says), std::string::npos) << said;
}

constexpr const char* kRest =
    R"("device": "*", "cases": "*", "check": "*", "reason": "r", "owner": "o"})";

INSTANTIATE_TEST_SUITE_P(
    All, BadWaivers,
    testing::Values(Bad{"3", "$.waivers[0]: 3: an object with reason"},
                    Bad{R"({"owner": "a"})", "$.waivers[0]: 'reason' is missing"},
                    Bad{R"({"reason": " "})", "$.waivers[0].reason: \" \": a text of one line"},
                    Bad{R"({"reason": "r", "owner": "o", "device": "*", "expires": "2026-02-30"})",
                        "$.waivers[0].expires: \"2026-02-30\": a date YYYY-MM-DD"},
                    Bad{R"({"reason": "r", "owner": "o", "device": "*", "expires": "soon"})",
                        "YYYY-MM-DD"},
                    Bad{R"({"reason": "r", "owner": "o", "device": "*", "expires": "2026-01-01"})",
                        "'cases' is missing"},
                    Bad{R"({"reason": "r", "ovner": "o"})", "the nearest known one is 'owner'"}));

GateResult with_finding(const GateFinding& finding) {
  GateResult result;
  result.findings = {finding};
  return result;
}

GateFinding some_finding() {
  GateFinding finding;
  finding.subject = "T=3 dtype=bf16";
  finding.check = "output";
  return finding;
}

std::vector<Waiver> waiver(const std::string& first) {
  return parse_waivers(R"({"schema": 1, "waivers": [{)" + first + ", " + kRest + "]}", "w.json");
}

GateVerdict verdict(const GateFinding& finding, const std::vector<Waiver>& waivers,
                    const std::string& today = "2026-06-30",
                    const std::vector<std::string>& devices = {"AMD EPYC", "NVIDIA H200"}) {
  GateResult result = with_finding(finding);
  apply_waivers(result, waivers, devices, today);
  return result.verdict();
}

TEST(Waiver, HoldsUntilTheEndOfItsLastDay) {
  const auto until = waiver(R"("expires": "2026-06-30")");
  EXPECT_EQ(verdict(some_finding(), until, "2026-06-30"), GateVerdict::kPass);
  EXPECT_EQ(verdict(some_finding(), until, "2026-07-01"), GateVerdict::kFailed);
}

TEST(Waiver, DoesNotCoverACrashUnlessItSaysSo) {
  GateFinding crash = some_finding();
  crash.crash = true;
  EXPECT_EQ(verdict(crash, waiver(R"("expires": "2030-01-01")")), GateVerdict::kFailed);
  EXPECT_EQ(verdict(crash, waiver(R"("expires": "2030-01-01", "crash": true)")),
            GateVerdict::kPass);
}

TEST(Waiver, NeverCoversAMustPassCase) {
  GateFinding finding = some_finding();
  finding.must_pass = true;
  EXPECT_EQ(verdict(finding, waiver(R"("expires": "2030-01-01", "crash": true)")),
            GateVerdict::kFailed);
}

TEST(Waiver, OfAnotherDeviceIsLeftAsideButNotWhenItHasExpired) {
  GateResult clean;
  auto other = waiver(R"("expires": "2026-06-30")");
  other[0].device = "NVIDIA A100*";
  apply_waivers(clean, other, {"NVIDIA H200"}, "2026-06-30");
  EXPECT_EQ(clean.verdict(), GateVerdict::kPass);
  EXPECT_EQ(verdict(some_finding(), other), GateVerdict::kFailed);  // does not cover it here
  apply_waivers(clean, other, {"NVIDIA H200"}, "2026-07-01");
  EXPECT_EQ(clean.verdict(), GateVerdict::kFailed);
  other[0].device = "NVIDIA H?00";
  EXPECT_EQ(verdict(some_finding(), other), GateVerdict::kPass);
}

TEST(Waiver, ThatCoversNothingFails) {
  GateResult clean;
  apply_waivers(clean, waiver(R"("expires": "2030-01-01")"), {}, "2026-01-01");
  ASSERT_EQ(clean.findings.size(), 1U);
  EXPECT_EQ(clean.findings[0].check, "unused");
  EXPECT_EQ(clean.verdict(), GateVerdict::kFailed);
}

TEST(Dates, AreThoseOfTheCalendar) {
  EXPECT_TRUE(is_date("2024-02-29"));
  for (const char* bad : {"2023-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "26-01-01",
                          "2026-01-01 ", "2026/01/01", "-026-01-01", ""}) {
    EXPECT_FALSE(is_date(bad)) << bad;
  }
  EXPECT_TRUE(is_date(utc_today()));
}

// As one would write it without thinking of time.
bool slow_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return slow_match(pattern.substr(1), text) ||
           (!text.empty() && slow_match(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         slow_match(pattern.substr(1), text.substr(1));
}

RC_GTEST_PROP(Glob, MatchesAsItsDefinitionSays, ()) {
  const auto letters = [](const char* of) {
    return *rc::gen::container<std::string>(rc::gen::elementOf(std::string(of)));
  };
  std::string pattern = letters("ab*?");
  std::string text = letters("ab");
  pattern.resize(std::min<std::size_t>(pattern.size(), 10));
  text.resize(std::min<std::size_t>(text.size(), 12));
  RC_ASSERT(glob_matches(pattern, text) == slow_match(pattern, text));
}

TEST(Glob, TakesBracketsAsTheyAre) {
  EXPECT_TRUE(glob_matches("*[1]*", "a[1]b"));
  EXPECT_FALSE(glob_matches("*[1]*", "a1b"));
  EXPECT_TRUE(glob_matches("*dtype=bf16*", "T=3 dtype=bf16 seed=1"));
}

TEST(Nearest, IsTheKeyWithTheFewestEditsOrNone) {
  const std::vector<std::string_view> known = {"reason", "owner", "device"};
  EXPECT_EQ(nearest("devcie", known), "device");
  EXPECT_EQ(nearest("Owner", known), "owner");
  EXPECT_EQ(nearest("xyz", known), "");
}

}  // namespace
}  // namespace lvsa::analysis
