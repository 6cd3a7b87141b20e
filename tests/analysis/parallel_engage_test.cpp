// Does LVSA engage: the table of the published behaviour, axis by axis.
#include "analysis/diagnose/parallel_engage.hpp"

#include <gtest/gtest.h>

namespace lvsa::analysis {
namespace {

struct World {
  std::int64_t tp = 1, ulysses = 1, ring = 1, cfg = 1;
};

std::vector<PathAnswer> answers(World world, Version version, const Environment& environment = {},
                                std::int64_t patches = 1560) {
  ParallelQuestion q;
  q.tp = world.tp;
  q.world = {world.ulysses, world.ring};
  q.cfg = world.cfg;
  q.heads = {40, 40};
  q.grid = {20, patches, 0};
  return parallel_answers(make_parallel_layout(q), find_preset("wan-14b"), environment, version);
}

bool backend(World world, Version version) { return answers(world, version).at(0).engages; }
bool hook(World world, Version version) { return answers(world, version).at(1).engages; }

TEST(ParallelEngage, FollowsThePublishedTableOfAxes) {
  for (const Version version : {Version::k1_2, Version::k1_3}) {
    EXPECT_TRUE(backend({}, version));
    EXPECT_TRUE(backend({.tp = 2}, version));
    EXPECT_TRUE(backend({.ulysses = 4}, version));
    EXPECT_FALSE(backend({.ring = 2}, version));
    EXPECT_FALSE(backend({.ulysses = 2, .ring = 2}, version));
    EXPECT_TRUE(backend({.cfg = 2}, version));
    EXPECT_TRUE(hook({}, version));
    EXPECT_FALSE(hook({.ulysses = 4}, version));
    EXPECT_FALSE(hook({.ring = 2}, version));
  }
  EXPECT_FALSE(hook({.tp = 2}, Version::k1_2));
  EXPECT_TRUE(hook({.tp = 2}, Version::k1_3));
  EXPECT_TRUE(hook({.cfg = 2}, Version::k1_3));
}

TEST(ParallelEngage, ASteppingAsideHookLeavesTheBackendItsChanceUnderUlyssesAlone) {
  EXPECT_EQ(answers({.ulysses = 4}, Version::k1_3).at(1).delegate_engages, true);
  EXPECT_NE(answers({.ring = 4}, Version::k1_3).at(1).delegate_engages, true);
  EXPECT_FALSE(answers({.ulysses = 4}, Version::k1_2).at(1).delegate_engages);
}

TEST(ParallelEngage, PrintsThePluginsLineForTheShardThatItSees) {
  const PathAnswer answer = answers({.ulysses = 4}, Version::k1_3).at(1);
  EXPECT_EQ(answer.seq_len, 20 * 1560 / 4);
  EXPECT_NE(answer.message.find("reason=sequence_parallel seq_len=7800"), std::string::npos);
  EXPECT_EQ(answers({.ulysses = 4}, Version::k1_3).at(0).seq_len, 20 * 1560);
  EXPECT_TRUE(answers({.ulysses = 4}, Version::k1_3).at(0).message.empty());
}

TEST(ParallelEngage, NotesSettingsThatWouldMissTheGridInAnyWorld) {
  EXPECT_EQ(answers({}, Version::k1_3).at(0).note, "");
  const PathAnswer answer = answers({}, Version::k1_3, {}, 3600).at(0);
  EXPECT_TRUE(answer.engages);
  EXPECT_NE(answer.note.find("P = 1560, not 3600"), std::string::npos) << answer.note;
  const Environment sized = {{"LVSA_VIDEO_HEIGHT", "720"}, {"LVSA_VIDEO_WIDTH", "1280"}};
  EXPECT_EQ(answers({}, Version::k1_3, sized, 3600).at(0).note, "");
}

TEST(ParallelEngage, KnowsModelsWithoutAHook) {
  ParallelQuestion q;
  q.heads = {48, 48};
  q.grid = {13, 1350, 226};
  const auto all =
      parallel_answers(make_parallel_layout(q), find_preset("cogvideox-5b"), {}, Version::k1_3);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].engages);
  EXPECT_EQ(all[0].seq_len, 13 * 1350 + 226);
}

}  // namespace
}  // namespace lvsa::analysis
