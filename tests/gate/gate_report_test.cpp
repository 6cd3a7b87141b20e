// What CI systems read.

#include "analysis/gate/gate_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/gate/rejudge.hpp"
#include "tests/gate/gate_sample.hpp"

namespace lvsa::analysis {
namespace {

GateFinding nasty_finding(int number = 0) {
  GateFinding finding;
  finding.subject = "T=3 input=<&\"> " + std::to_string(number);
  finding.check = "own,strides:x";
  finding.what = "50% | worse\r\n::error::forged";
  finding.where = "frame 11, `head` 3";
  finding.command = "lvsa-verify kernel --case 'T=3'";
  return finding;
}

GateResult nasty_result(int findings) {
  GateResult result;
  result.baseline = "base.jsonl";
  result.candidate = "report";
  for (int i = 0; i < findings; ++i) result.findings.push_back(nasty_finding(i));
  return result;
}

std::size_t occurrences(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(GithubAnnotations, EscapeWhatWouldEndThem) {
  EXPECT_EQ(github_escaped("50% a\r\nb:c,d"), "50%25 a%0D%0Ab:c,d");
  EXPECT_EQ(github_escaped_property("50% a\r\nb:c,d"), "50%25 a%0D%0Ab%3Ac%2Cd");
  const std::string text = github_annotations(nasty_result(1), false, "ci/base,line.jsonl");
  EXPECT_EQ(text.find("::error file=ci/base%2Cline.jsonl,title=LVSA conformance%3A "
                      "own%2Cstrides%3Ax::50%25 | worse%0D%0A::error::forged"),
            0U)
      << text;
  EXPECT_EQ(occurrences(text, "\n"), 1U);
}

TEST(GithubAnnotations, AreAtMostTenOfAKind) {
  const std::string text = github_annotations(nasty_result(25), false, "b");
  EXPECT_EQ(occurrences(text, "\n"), 10U);
  EXPECT_NE(text.find("16 more of this kind"), std::string::npos) << text;
  EXPECT_EQ(occurrences(github_annotations(nasty_result(9), false, "b"), "\n"), 9U);
}

TEST(GithubAnnotations, WarnOfWhatDoesNotFail) {
  GateResult result = nasty_result(2);
  result.findings[0].waived = "known (owner x, until 2030-01-01)";
  result.findings[1].weight = Weight::kUndecided;
  EXPECT_EQ(occurrences(github_annotations(result, false, ""), "::warning title="), 2U);
  EXPECT_EQ(occurrences(github_annotations(result, true, ""), "::error title="), 1U);
}

TEST(GateJunit, CountsACaseOnceHoweverMuchIsFoundOnIt) {
  GateResult result = nasty_result(1);
  result.findings.push_back(result.findings[0]);
  result.findings[1].check = "second";
  result.subjects = {{Area::kConformance, result.findings[0].subject}, {Area::kConformance, "T=4"}};
  const std::string xml = gate_junit(result, false);
  EXPECT_NE(xml.find("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""), std::string::npos);
  EXPECT_EQ(occurrences(xml, "<failure "), 1U);
  EXPECT_EQ(xml.find("<&"), std::string::npos);
  EXPECT_NE(xml.find("name=\"T=4\"/>"), std::string::npos);
}

TEST(GateMarkdown, KeepsForeignTextFromMeaningSomething) {
  const std::string text = gate_markdown(nasty_result(1), false);
  EXPECT_EQ(text.find("# LVSA gate: FAILED: 1 failure\n"), 0U) << text;
  EXPECT_NE(text.find("50% \\| worse"), std::string::npos) << text;
  EXPECT_EQ(text.find("\n::error"), std::string::npos);
}

TEST(GateJson, IsOneLineThatSaysWhatTheExitCodeSays) {
  const std::string text = gate_json(nasty_result(3), false);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_EQ(json["failures"], 3);
  EXPECT_EQ(json["findings"][2]["where"], "frame 11, `head` 3");
}

TEST(GateText, EndsWithTheVerdictAndSaysWhatItLeavesOut) {
  const std::string text = gate_text(nasty_result(7), false, 5);
  EXPECT_EQ(text.substr(text.rfind('\n', text.size() - 2) + 1), "FAILED: 7 failures\n");
  EXPECT_NE(text.find("and 2 more of weight 'failure' (--show 7"), std::string::npos);
  EXPECT_EQ(occurrences(text, "repeat: "), 5U);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

// `settings` settings with `each` findings; the last ones are the worst.
GateResult sweep_result(int settings, int each) {
  GateResult result;
  for (int s = 0; s < settings; ++s) {
    for (int i = 0; i < each; ++i) {
      GateFinding finding;
      finding.area = Area::kSweep;
      finding.group = "W=" + std::to_string(s);
      finding.subject = finding.group + " class=all";
      finding.check = "metric" + std::to_string(i);
      finding.what = "worse";
      finding.excess = 10.0 * s + i;
      result.findings.push_back(finding);
    }
  }
  return result;
}

TEST(GateText, GroupsWhatASweepFindsBySettingTheWorstFirst) {
  const std::string text = gate_text(sweep_result(47, 5), false);
  EXPECT_EQ(occurrences(text, "5 findings"), 10U) << text;
  EXPECT_EQ(occurrences(text, "and 2 more"), 10U);
  const std::size_t worst = text.find("W=46\n           class=all: metric4: worse\n");
  ASSERT_NE(worst, std::string::npos) << text;
  EXPECT_LT(worst, text.find("W=45\n"));
  EXPECT_EQ(text.find("W=36\n"), std::string::npos);
  EXPECT_NE(text.find("... and 185 more findings of weight 'failure' on 37 other settings"),
            std::string::npos);
  EXPECT_NE(text.find("FAILED: 235 failures\n"), std::string::npos);
  EXPECT_LT(occurrences(text, "\n"), 65U);
  EXPECT_EQ(occurrences(gate_text(sweep_result(47, 5), false, 470), "metric0"), 47U);
}

TEST(GateText, ShowsASettingWithOneFindingLikeAnyOtherFinding) {
  const std::string text = gate_text(sweep_result(1, 1), false);
  EXPECT_NE(text.find("metric0             W=0 class=all\n           worse\n"), std::string::npos)
      << text;
}

TEST(GateText, DoesNotMixWhatIsWaivedWithWhatCounts) {
  GateResult result = sweep_result(1, 4);
  result.findings[1].waived = result.findings[3].waived = "known";
  const std::string text = gate_text(result, false);
  EXPECT_EQ(occurrences(text, "2 findings"), 2U) << text;
  EXPECT_EQ(occurrences(text, "waived: known"), 1U);
  EXPECT_NE(text.find("FAILED: 2 failures"), std::string::npos);
}

TEST(GateMarkdown, GroupsWhatASweepFindsBySetting) {
  const std::string text = gate_markdown(sweep_result(53, 4), false);
  EXPECT_NE(text.find("## Failures (212)"), std::string::npos) << text;
  EXPECT_EQ(occurrences(text, "**4 findings**"), 50U);
  EXPECT_NE(text.find("- and 12 more on 3 other settings"), std::string::npos);
}

TEST(GateJson, HoldsEachFindingOfASweep) {
  const auto json = nlohmann::json::parse(gate_json(sweep_result(53, 4), false));
  EXPECT_EQ(json["findings"].size(), 212U);
}

TEST(Judge, SaysWhichVerdictsChange) {
  ConformanceEvidence run = sample_conformance(3);
  run.cases.few()[0].output.worst_ratio = 0.6;
  run.cases.few()[1].status = Status::kFail;
  run.cases.few()[1].checks[1] = {"alignment", CheckState::kFails, "other bits"};
  ConformanceRules rules = default_rules().conformance;
  EXPECT_TRUE(rejudge(run, rules).changes.empty());
  rules.all.worst_ratio = 0.5;
  rules.all.checks = {{"align*", Effect::kReport}};
  const Rejudged result = rejudge(run, rules);
  ASSERT_EQ(result.changes.size(), 2U);
  EXPECT_EQ(result.changes[0].then, Status::kPass);
  EXPECT_EQ(result.changes[0].now, Status::kFail);
  EXPECT_EQ(result.changes[0].check, "output");
  EXPECT_EQ(result.changes[1].now, Status::kPass);
  EXPECT_EQ(result.passed, 2);
  EXPECT_EQ(result.failed, 1);
  rules.must_pass = {"*seed=0", "*seed=9"};
  EXPECT_EQ(rejudge(run, rules).unmet.size(), 2U);
}

}  // namespace
}  // namespace lvsa::analysis
