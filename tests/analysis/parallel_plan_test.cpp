// Plans against what is expected of them by hand: fixtures/parallel/expected.json.
#include "analysis/diagnose/parallel_plan.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(LVSA_SOURCE_DIR) / "fixtures" / "parallel";

nlohmann::json expected() {
  std::ifstream file(kFolder / "expected.json");
  return nlohmann::json::parse(file);
}

std::vector<std::string> rules(const std::vector<PlanFinding>& findings) {
  std::vector<std::string> names;
  for (const PlanFinding& finding : findings) names.push_back(finding.rule);
  return names;
}

TEST(ParallelPlan, EachFixtureHasItsExpectationAndMeetsIt) {
  const nlohmann::json due = expected();
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name == "expected.json" || name == "README.md") continue;
    SCOPED_TRACE(name);
    ++files;
    ASSERT_TRUE(due.contains(name));
    const PlanDocument document = read_plan(entry.path().string());
    const auto violations = plan_violations(document.plan);
    if (due[name].contains("first")) {
      ASSERT_FALSE(violations.empty());
      EXPECT_EQ(violations[0].rule, due[name]["first"]["rule"].get<std::string>());
      EXPECT_EQ(violations[0].place, due[name]["first"]["place"].get<std::string>());
      EXPECT_EQ(rules(violations), due[name]["all"].get<std::vector<std::string>>());
      continue;
    }
    EXPECT_EQ(rules(violations), std::vector<std::string>{});
    const PlanDegrees degrees = document.degrees.value_or(PlanDegrees{});
    EXPECT_EQ(rules(plan_hazards(document.plan, degrees)),
              due[name]["hazards"].get<std::vector<std::string>>());
    const auto splits = split_plan_tensors(document, degrees);
    const nlohmann::json tensors = due[name].value("tensors", nlohmann::json::array());
    ASSERT_EQ(splits.size(), tensors.size());
    for (std::size_t i = 0; i < splits.size(); ++i) {
      EXPECT_EQ(splits[i].outcome, tensors[i]["outcome"].get<std::string>());
      EXPECT_EQ(splits[i].ranks, tensors[i]["ranks"].get<std::vector<std::string>>());
    }
  }
  EXPECT_EQ(files, due.size());
  EXPECT_GE(files, 40U);
}

std::string message_of(const std::string& text) {
  return test_support::refusal_of([&] { parse_plan(text, "plan"); });
}

TEST(ParallelPlan, ObjectsThatPythonCouldNotMakeAreRefusedInOneLine) {
  const auto says = [](const std::string& text, const std::string& part) {
    const std::string message = message_of(text);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  };
  says("{", "no valid JSON");
  says("", "no valid JSON");
  says(R"({"a": 1, "a": 2})", "\"a\" stands twice");
  says(R"({"a": {"type": "SequenceParallelInput"}})", "\"split_dim\" is missing");
  says(R"({"a": {"type": "SequenceParallelInput", "split_dim": "1"}})", "split_dim");
  says(R"({"a": {"type": "SequenceParallelInput", "split_dim": 1.5}})", "an integer is due");
  says(R"({"a": {"type": "SequenceParallelInput", "split_dim": 99999999999}})", "out of range");
  says(R"({"a": {"type": "SequenceParallelInput", "split_dim": 1, "dim": 2}})",
       "\"dim\" is not known; one of type, split_dim, expected_dims, split_output, auto_pad");
  says(R"({"a": {"type": "SequenceParallelInput", "split_dim": 1, "auto_pad": 1}})",
       "true or false is due");
  says(R"({"a": {"type": "SequenceParallelPartialInput", "split_dim": 1}})", "text_len_source");
  says(
      R"({"a": {"type": "SequenceParallelPartialInput", "split_dim": 1, "text_len_source": null}})",
      "text_len_source");
  says(R"({"a": {"type": "SequenceParallelOutput", "split_dim": 1}})", "split_dim");
  says(R"({"plan": {}, "config": {"ulysses_degree": 0}})", "ulysses_degree is 0");
  says(R"({"plan": {}, "config": {"ring_degree": -2}})", "ring_degree is -2");
  says(R"({"plan": {}, "config": {"ring_degree": 4096, "ulysses_degree": 2}})", "at most 4096");
  says(R"({"a": {"type": "map", "items": [[1, 2, 3]]}})", "a pair [key, value] is due");
  says(R"({"a": {"type": "map", "items": [[0, 1], [0, 2]]}})", "stands twice");
  says(R"({"a": {"int:x": 1}})", "an integer behind int:");
  says(R"({"plan": {}, "tensors": {"a": {"x": 3}}})", "a shape");
}

TEST(ParallelPlan, KeysAreToldApartAsDocumented) {
  const auto kind = [](const std::string& key) {
    const PlanDocument document = parse_plan("{\"m\": {\"" + key + "\": 1}}", "plan");
    const auto& module = std::get<std::vector<PlanEntry>>(document.plan.value).at(0);
    return std::get<std::vector<PlanEntry>>(module.value.value).at(0).key;
  };
  EXPECT_EQ(kind("0").kind, PlanKey::Kind::kInteger);
  EXPECT_EQ(kind("-1").kind, PlanKey::Kind::kInteger);
  EXPECT_EQ(kind("int:12").shown(), "12");
  EXPECT_EQ(kind("00").kind, PlanKey::Kind::kText);
  EXPECT_EQ(kind("0x1").kind, PlanKey::Kind::kText);
  EXPECT_EQ(kind("str:0").shown(), "'0'");
  EXPECT_EQ(kind("hidden_states").shown(), "'hidden_states'");
}

TEST(ParallelPlan, TheOrderOfTheDocumentDecidesWhichViolationIsFirst) {
  const std::string bad_b = R"("b": 1)";
  const std::string bad_a = R"("a": {"x": 2})";
  const auto first = [](const std::string& text) {
    return plan_violations(parse_plan(text, "plan").plan).at(0).place;
  };
  EXPECT_EQ(first("{" + bad_b + "," + bad_a + "}"), "'b'");
  EXPECT_EQ(first("{" + bad_a + "," + bad_b + "}"), "'a'['x']");
}

}  // namespace
}  // namespace lvsa::analysis
