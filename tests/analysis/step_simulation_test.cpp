#include "analysis/diagnose/step_simulation.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "reference/pattern/step_counter.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

StepReport simulate(const TracePlan& plan, const StepSettings& settings) {
  StepSimulation simulation(settings);
  make_trace(plan, [&](const StepCall& call) { simulation.add(call); });
  return simulation.finish();
}

std::vector<std::string> kinds(const StepReport& report) {
  std::vector<std::string> names;
  for (const Divergence& d : report.divergences) names.emplace_back(name(d.kind));
  return names;
}

using Names = std::vector<std::string>;

TEST(Steps, AgreeForOneRequestWithGuidance) {
  const StepReport report = simulate({}, {});
  EXPECT_EQ(report.rows.size(), 40U);
  EXPECT_EQ(report.calls, 40 * 2 * 30);
  EXPECT_EQ(report.n_blocks, 30);
  EXPECT_TRUE(report.agrees());
  EXPECT_TRUE(report.divergences.empty());
}

TEST(Steps, GoOnInTheSecondRequestOfOneLength) {
  TracePlan plan;
  plan.requests = 2;
  StepSettings settings;
  settings.interval = 3;
  const StepReport report = simulate(plan, settings);
  EXPECT_EQ(kinds(report), Names{"never-reset"});
  EXPECT_EQ(report.divergences[0].request, 1);
  EXPECT_NE(report.divergences[0].message.find("request 2 starts at step 40"), std::string::npos);
  EXPECT_NE(report.divergences[0].message.find("off by 1 of 3"), std::string::npos);  // 40 mod 3
  EXPECT_EQ(report.first_wrong_call, 2400);
  EXPECT_EQ(report.wrong_steps, 40);
  EXPECT_EQ(report.wrong_offsets, 40);
  settings.interval = 4;  // 40 is a multiple
  EXPECT_EQ(simulate(plan, settings).wrong_offsets, 0);
}

TEST(Steps, StartAnewAfterAnotherLengthOrAWarmUp) {
  TracePlan plan;
  plan.requests = 2;
  plan.seq_lens = {32760, 76440};
  plan.warmup_seq_len = 4096;
  EXPECT_TRUE(simulate(plan, {}).agrees());
}

TEST(Steps, RunAtHalfTheRateUnderCfgParallelInTheOlderBehaviourOnly) {
  TracePlan plan;
  plan.cfg_parallel = 2;
  StepSettings settings;
  settings.cfg_parallel = 2;
  EXPECT_TRUE(simulate(plan, settings).agrees());
  settings.version = Version::k1_2;
  const StepReport report = simulate(plan, settings);
  EXPECT_EQ(kinds(report), Names{"rate"});
  EXPECT_EQ(report.divergences[0].message.rfind("half rate", 0), 0U);
  EXPECT_EQ(report.rows.back().last_inferred, 19);  // step 39 at half the rate
  EXPECT_EQ(report.rows[1].last_inferred, 0);
  // The mend, applied.
  EXPECT_EQ(report.divergences[0].mend, "LVSA_CFG_PASSES=1");
  settings.environment = {{"LVSA_CFG_PASSES", "1"}};
  EXPECT_TRUE(simulate(plan, settings).agrees());
}

TEST(Steps, RunAtTheWrongRateWithPassesOrBlocksOfAnotherModel) {
  TracePlan plan;
  plan.passes = 1;
  EXPECT_EQ(simulate(plan, {}).divergences.at(0).mend, "LVSA_CFG_PASSES=1");
  plan.passes = 2;
  StepSettings settings;
  settings.environment = {{"LVSA_N_BLOCKS", "20"}};
  const StepReport report = simulate(plan, settings);
  EXPECT_EQ(report.divergences.at(0).mend, "LVSA_N_BLOCKS=30");
  EXPECT_NE(report.divergences[0].message.find("3/2 of the rate"), std::string::npos);
}

TEST(Steps, LagBehindPassesThatTeaCacheSkips) {
  TracePlan plan;
  plan.steps = 10;
  TeaCacheSettings settings;
  settings.threshold = 0.25;
  plan.cache = CacheRule(settings);
  plan.changes = {0.125};
  // Steps 0, 2, 4, 6, 8 compute: true 8 is the fifth that is counted.
  const StepReport report = simulate(plan, {});
  ASSERT_EQ(report.rows.size(), 5U);
  EXPECT_EQ(report.rows[4].true_step, 8);
  EXPECT_EQ(report.rows[4].last_inferred, 4);
  EXPECT_EQ(kinds(report), Names{"lag"});
  EXPECT_EQ(report.divergences[0].message.rfind("lags by 4 at step 8", 0), 0U);
}

TEST(Steps, LagBehindBlocksThatCacheDitSkips) {
  TracePlan plan;
  plan.steps = 6;
  plan.blocks = 10;
  DbCacheSettings settings;
  settings.threshold = 1.0;
  settings.first_blocks = 4;
  settings.last_blocks = 1;
  settings.warmup_steps = 2;
  plan.cache = CacheRule(settings);
  // 20 calls in each of two steps, then 10 in each of four: 40 + 4 * 10 calls; the last call is
  // number 79, in step 3.
  const StepReport report = simulate(plan, {});
  EXPECT_EQ(report.calls, 80);
  EXPECT_EQ(report.rows.back().last_inferred, 3);
  EXPECT_EQ(kinds(report), Names{"lag"});
}

TEST(Steps, AreRightWhereThePipelinePublishesThem) {
  TracePlan plan;
  plan.requests = 3;
  plan.publishes_step = true;
  TeaCacheSettings settings;
  plan.cache = CacheRule(settings);
  EXPECT_TRUE(simulate(plan, {}).agrees());
  StepSettings older;
  older.version = Version::k1_2;
  EXPECT_FALSE(simulate(plan, older).agrees());
}

TEST(Steps, OfABatchAreCountedTogether) {
  TracePlan plan;
  plan.requests = 2;
  plan.batch = 2;
  const StepReport same = simulate(plan, {});
  EXPECT_EQ(kinds(same), Names{"rate"});
  EXPECT_EQ(same.divergences[0].message.rfind("2 times the rate", 0), 0U);
  plan.seq_lens = {100, 200};
  EXPECT_EQ(kinds(simulate(plan, {})), Names{"reset"});
}

TEST(Steps, AreThoseOfTheLiteralRestatement) {
  for (const Version version : {Version::k1_2, Version::k1_3}) {
    for (const std::int64_t cfg : {1, 2}) {
      TracePlan plan;
      plan.blocks = 7;
      plan.steps = 9;
      plan.requests = 3;
      plan.seq_lens = {500, 500, 700};
      plan.warmup_seq_len = 400;
      plan.cfg_parallel = cfg;
      plan.cache = CacheRule(TeaCacheSettings{});
      plan.changes = {0.3, 0.15, 0.1};
      reference::StepCounter counter(
          version == Version::k1_2 ? reference::Published::k12 : reference::Published::k13, {},
          cfg);
      StepSettings settings;
      settings.version = version;
      settings.cfg_parallel = cfg;
      StepSimulation simulation(settings);
      std::vector<std::int64_t> expected;
      make_trace(plan, [&](const StepCall& call) {
        const std::int64_t step = counter.tick(call.layer, call.seq_len, call.published_step);
        if (call.request >= 0) expected.push_back(step);
        simulation.add(call);
      });
      std::size_t at = 0;
      for (const StepRow& row : simulation.finish().rows) {
        EXPECT_EQ(row.first_inferred, expected.at(at));
        at += static_cast<std::size_t>(row.calls);
        EXPECT_EQ(row.last_inferred, expected.at(at - 1));
      }
      EXPECT_EQ(at, expected.size());
    }
  }
}

TEST(Steps, RefusePlansThatAreNone) {
  TracePlan plan;
  plan.passes = 3;
  plan.cfg_parallel = 2;
  EXPECT_THROW(make_trace(plan, [](const StepCall&) {}), Error);
  plan = {};
  plan.steps = INT64_MAX;
  plan.blocks = INT64_MAX;
  EXPECT_THROW(make_trace(plan, [](const StepCall&) {}), Error);
  plan = {};
  plan.seq_lens = {0};
  EXPECT_THROW(make_trace(plan, [](const StepCall&) {}), Error);
}

class TraceFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  std::vector<StepCall> read(const std::string& text) {
    std::vector<StepCall> calls;
    facts_ = read_trace(write(text), [&](const StepCall& call) { calls.push_back(call); });
    return calls;
  }
  std::string complaint(const std::string& text) {
    return test_support::refusal_of([&] { read(text); });
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string path_ = testing::TempDir() + "lvsa_trace_" +
                      testing::UnitTest::GetInstance()->current_test_info()->name();
  TraceFacts facts_;
};

TEST_F(TraceFile, ReadsCsvWithColumnsInAnyOrder) {
  const auto calls =
      read("\xEF\xBB\xBFstep, seq_len,other,layer\r\n0,100,x,7\r\n\r\n# a remark\n1,100,,8");
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1].layer, 8);
  EXPECT_EQ(calls[1].true_step, 1);
  EXPECT_TRUE(facts_.has_true_steps);
  EXPECT_FALSE(facts_.has_published_steps);
}

TEST_F(TraceFile, ReadsJsonLines) {
  const auto calls =
      read("[3, 100]\n[4,100,9]\n{\"layer\":5,\"seq_len\":100,\"step\":2,\"x\":1}\n");
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[1].published_step, 9);
  EXPECT_EQ(calls[2].true_step, 2);
  EXPECT_FALSE(facts_.has_true_steps);
}

TEST_F(TraceFile, NamesLineAndValueOfWhatItRefuses) {
  EXPECT_NE(complaint("layer,seq_len\n0,100\n1,x\n").find(":3: seq_len is 'x'"), std::string::npos);
  EXPECT_NE(complaint("layer,seq_len\n0,0\n").find("seq_len is 0"), std::string::npos);
  EXPECT_NE(complaint("layer,seq_len\n0\n").find("not as many cells"), std::string::npos);
  EXPECT_NE(complaint("hello\n").find("is no header"), std::string::npos);
  EXPECT_NE(complaint("[1]\n").find("an array of"), std::string::npos);
  EXPECT_NE(complaint("{\"layer\":1}\n").find("no seq_len"), std::string::npos);
  EXPECT_NE(complaint("[1,2.5]\n").find("an integer is due"), std::string::npos);
  EXPECT_NE(complaint("").find("no call in it"), std::string::npos);
}

TEST(StepTruth, CountsPassesAndTellsRequestsApartBySteps) {
  StepTruth truth(2, 2);
  std::vector<std::int64_t> steps;
  std::vector<std::int64_t> requests;
  for (int pass = 0; pass < 8; ++pass) {
    for (const std::int64_t layer : {5, 6}) {
      const StepCall call = truth.complete({layer, 100, {}, {}, 0});
      steps.push_back(*call.true_step);
      requests.push_back(call.request);
    }
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(requests.front(), 0);
  EXPECT_EQ(requests.back(), 1);
}

}  // namespace
}  // namespace lvsa::analysis
