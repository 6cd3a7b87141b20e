#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/schedule/mask_log.hpp"
#include "core/schedule/step_counter.hpp"

namespace lvsa {
namespace {

const Behaviour& k12() { return behaviour(Version::k1_2); }
const Behaviour& k13() { return behaviour(Version::k1_3); }

TEST(StepCounter, FindsTheBlocksWhenALayerRepeats) {
  StepCounter counter({}, k12());
  for (int layer = 0; layer < 3; ++layer) EXPECT_EQ(counter.tick(layer, 100), 0);
  EXPECT_FALSE(counter.n_blocks());
  EXPECT_EQ(counter.tick(0, 100), 0);
  EXPECT_EQ(counter.n_blocks(), 3);
  counter.tick(1, 100);
  counter.tick(2, 100);
  EXPECT_EQ(counter.tick(0, 100), 1);  // call 7 of 2 passes x 3 blocks a step
}

TEST(StepCounter, StartsAgainWithAnotherLengthButNotWithTheSame) {
  StepCounter counter({{"LVSA_N_BLOCKS", "1"}, {"LVSA_CFG_PASSES", "1"}}, k12());
  counter.tick(0, 100);
  EXPECT_EQ(counter.tick(0, 100), 1);
  EXPECT_EQ(counter.tick(0, 200), 0);
  EXPECT_EQ(counter.tick(0, 200), 1);
  EXPECT_EQ(counter.tick(0, 200), 2);  // a second generation of this length would go on from here
}

TEST(StepCounter, DividesThePassesAmongCfgRanksInTheNewerBehaviourOnly) {
  const Environment one_block = {{"LVSA_N_BLOCKS", "1"}};
  StepCounter older(one_block, k12(), 2);
  StepCounter newer(one_block, k13(), 2);
  older.tick(0, 100);
  newer.tick(0, 100);
  EXPECT_EQ(older.tick(0, 100), 0);
  EXPECT_EQ(newer.tick(0, 100), 1);
}

TEST(StepCounter, TakesThePublishedStepAndGoesOnFromIt) {
  StepCounter counter({{"LVSA_N_BLOCKS", "1"}, {"LVSA_CFG_PASSES", "1"}}, k13());
  EXPECT_EQ(counter.tick(0, 100, 5), 5);
  EXPECT_EQ(counter.tick(0, 100), 5);  // the count says 1, which is not greater
  EXPECT_EQ(counter.tick(0, 100, 0), 0);
  StepCounter older({{"LVSA_N_BLOCKS", "1"}}, k12());
  EXPECT_EQ(older.tick(0, 100, 5), 0);
}

TEST(StepCounter, NamesAVariableThatIsNoInteger) {
  EXPECT_THROW(StepCounter({{"LVSA_N_BLOCKS", "many"}}, k13()), Error);
  EXPECT_THROW(StepCounter({}, k13(), 0), Error);
}

TEST(MaskLog, FollowsItsSpecification) {
  EXPECT_FALSE(mask_log_due("", 0, -1));
  EXPECT_FALSE(mask_log_due("0", 0, -1));
  EXPECT_TRUE(mask_log_due("1", 3, 2));
  EXPECT_FALSE(mask_log_due("1", 3, 3));
  EXPECT_TRUE(mask_log_due("once", 4, -1));
  EXPECT_FALSE(mask_log_due("once", 4, 0));
  EXPECT_TRUE(mask_log_due("2-5", 5, 4));
  EXPECT_FALSE(mask_log_due("5-2", 3, -1));
  EXPECT_TRUE(mask_log_due(" 1 , 3", 3, -1));
  EXPECT_TRUE(mask_log_due("1,,3", 3, -1));
  EXPECT_FALSE(mask_log_due("1,x", 1, -1));
  EXPECT_FALSE(mask_log_due("-1", 1, -1));
  EXPECT_FALSE(mask_log_due("2-x", 2, -1));
  EXPECT_TRUE(mask_log_due("2-99999999999999999999", 3, -1));
}

}  // namespace
}  // namespace lvsa
