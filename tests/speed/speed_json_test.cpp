#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "analysis/speed/analyse.hpp"
#include "analysis/speed/speed_result.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

SpeedComparison any_comparison(const std::vector<double>& ratios, double noise) {
  SpeedComparison comparison;
  comparison.a = {"cpu", "cpu", "", false};
  comparison.b = {"./x y.so:\"b\"", "b", "0123456789abcdef", true};
  comparison.device = "CPU of some kind, 2 threads";
  comparison.provenance = {{"version", "0.1.0"}, {"command_line", "lvsa-verify bench \"x\""}};
  SpeedCase c;
  c.line = "T=3 P=4 H=1 D=16";
  c.ratios = ratios;
  c.noise_ratios.assign(ratios.size(), noise);
  c.block_round.assign(ratios.size(), 0);
  c.a_s = 0.0012345678901234567;
  c.b_s = 3e-9;
  c.calls = 17;
  comparison.cases = {c, c};
  MachineState state;
  state.load_1min = 0.25;
  state.governor = "performance";
  state.gpu_throttle = 0x28;
  comparison.states = {MachineState{}, state};
  analyse_speed(comparison);
  return comparison;
}

std::string some_text() {
  return to_speed_json(any_comparison(std::vector<double>(15, 1.2), 1.001));
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

std::string message_of(const std::string& text) {
  return test_support::refusal_of([&] { parse_speed_json(text, "speed.json"); });
}

RC_GTEST_PROP(SpeedFile, IsReadAsItWasWritten, ()) {
  const auto permille = *rc::gen::nonEmpty(rc::gen::arbitrary<std::vector<int>>());
  std::vector<double> ratios;
  for (const int p : permille) ratios.push_back(std::exp(static_cast<double>(p % 3000) / 1000.0));
  const std::string text = to_speed_json(any_comparison(ratios, 1.01));
  RC_ASSERT(to_speed_json(parse_speed_json(text, "speed.json")) == text);
}

TEST(SpeedFile, GivesTheSameVerdictsWhenItIsJudgedAgain) {
  SpeedComparison read = parse_speed_json(some_text(), "speed.json");
  EXPECT_EQ(overall_verdict(read), SpeedVerdict::kSlower);
  analyse_speed(read);
  EXPECT_EQ(to_speed_json(read), some_text());
}

TEST(SpeedFile, OfAnotherSchemaIsRefused) {
  const std::string message = message_of(replaced(some_text(), "\"schema\": 1", "\"schema\": 2"));
  EXPECT_EQ(message, "speed.json.schema: 1 (this file is of another version: 2) is due");
}

TEST(SpeedFile, ThatIsSomethingElseIsRefused) {
  EXPECT_NE(message_of("[]"), "accepted");
  EXPECT_NE(message_of("{}"), "accepted");
  EXPECT_NE(message_of(replaced(some_text(), "lvsa-speed", "run")), "accepted");
}

TEST(SpeedFile, CutOffAnywhereIsRefused) {
  const std::string text = some_text();
  for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
    EXPECT_NE(message_of(text.substr(0, length)), "accepted") << length;
  }
}

TEST(SpeedFile, WithFieldsThatDoNotFitIsRefusedByName) {
  const std::string text = some_text();
  EXPECT_NE(message_of(replaced(text, "\"device\"", "\"devise\"")).find("devise"),
            std::string::npos);
  EXPECT_NE(message_of(replaced(text, "\"clock\": \"wall\"", "\"clock\": \"sun\"")).find("clock"),
            std::string::npos);
  EXPECT_NE(message_of(replaced(text, "\"ratios\":[1.2", "\"ratios\":[-1.2")).find("ratios"),
            std::string::npos);
  EXPECT_NE(message_of(replaced(text, "\"calls\":17", "\"calls\":1.5")).find("calls"),
            std::string::npos);
  EXPECT_NE(message_of(replaced(text, "\"alpha\":0.01", "\"alpha\":1.5")).find("alpha"),
            std::string::npos);
  // Only ends of intervals can be infinite.
  EXPECT_NE(message_of(replaced(text, "\"calls\":17,\"a_s\":0.0012345678901234567",
                                "\"calls\":17,\"a_s\":\"Infinity\""))
                .find("a_s: a number is due"),
            std::string::npos);
}

TEST(SpeedFile, WhoseSummaryContradictsItsCasesIsRefused) {
  const std::string message =
      message_of(replaced(some_text(), "\"verdict\": \"SLOWER\"", "\"verdict\": \"SAME\""));
  EXPECT_EQ(message, "speed.json.verdict: SLOWER, by the cases is due");
}

TEST(OverallVerdict, IsTheWorstOne) {
  SpeedComparison comparison;
  EXPECT_EQ(overall_verdict(comparison), SpeedVerdict::kSame);
  const auto add = [&](SpeedVerdict verdict) { comparison.cases.emplace_back().verdict = verdict; };
  add(SpeedVerdict::kSame);
  add(SpeedVerdict::kFaster);
  EXPECT_EQ(overall_verdict(comparison), SpeedVerdict::kFaster);
  add(SpeedVerdict::kUndecided);
  EXPECT_EQ(overall_verdict(comparison), SpeedVerdict::kUndecided);
  add(SpeedVerdict::kSlower);
  add(SpeedVerdict::kUndecided);
  EXPECT_EQ(overall_verdict(comparison), SpeedVerdict::kSlower);
}

}  // namespace
}  // namespace lvsa::analysis
