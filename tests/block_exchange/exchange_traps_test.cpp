// Suites of traps, and what a script says of one.
#include "analysis/blocks/exchange_traps.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "tests/block_exchange/exchange_maps_fixture.hpp"

namespace lvsa::analysis {
namespace {

TEST(TrapSuites, HaveDifferentNamesThatStandInTheirCases) {
  for (const char* suite : {"flashinfer-traps", "flex-traps"}) {
    ASSERT_TRUE(is_trap_suite(suite));
    std::vector<std::string> names;
    for (const TrapCase& trap : trap_cases(suite)) {
      EXPECT_EQ(trap.c.model, trap.name);
      EXPECT_FALSE(trap.c.pattern.empty());
      names.push_back(trap.name);
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_GE(names.size(), 10U);
  }
  EXPECT_FALSE(is_trap_suite("smoke"));
  EXPECT_THROW(trap_cases("smoke"), Error);
}

class TrapTest : public ExchangeMapsTest {
 protected:
  CaseResult sprung(const std::string& state) {
    const auto sink = create_tensor_file(path("trap.safetensors"), TensorFormat::kSafetensors);
    write_exchange_root(*sink, 1);
    write_exchange_case(*sink, "case0000", parse_case(kPlain));
    sink->attribute("case0000", "trap", std::string("base-2-log-sum-exp"));
    sink->commit();
    const auto cases = open_tensor_file(path("trap.safetensors"));
    return judged(*cases, kPlain, {}, [&](TensorSink& out) {
      if (state.empty()) return;
      out.attribute("case0000", "trap_state", state);
      out.attribute("case0000", "trap_seen", std::string("what was seen"));
    });
  }
};

TEST_F(TrapTest, WhatTheScriptSawIsACheckOfTheCase) {
  const CaseResult good = sprung("holds");
  ASSERT_EQ(good.checks.size(), 1U);
  EXPECT_EQ(good.checks[0].name, "trap base-2-log-sum-exp");
  EXPECT_EQ(good.checks[0].message, "what was seen");
  EXPECT_EQ(good.status, Status::kPass);
}

TEST_F(TrapTest, OneThatIsNotAsKnownFailsTheCaseThoughItsOutputsAreRight) {
  const CaseResult bad = sprung("fails");
  EXPECT_EQ(bad.status, Status::kFail);
  EXPECT_NE(bad.message.find("what was seen"), std::string::npos);
  EXPECT_EQ(bad.output.failed, 0);
}

TEST_F(TrapTest, OneThatNobodySprangDoesNotApply) {
  const CaseResult result = sprung("");
  ASSERT_EQ(result.checks.size(), 1U);
  EXPECT_EQ(result.checks[0].state, CheckState::kNotApplicable);
  EXPECT_EQ(result.status, Status::kPass);
}

TEST_F(TrapTest, AStateThatIsNoneIsBadInput) { EXPECT_THROW(sprung("perhaps"), Error); }

}  // namespace
}  // namespace lvsa::analysis
