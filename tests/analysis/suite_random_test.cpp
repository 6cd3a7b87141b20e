#include <gtest/gtest.h>

#include <set>

#include "analysis/verify/suite.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

TEST(RandomSuite, CasesDependOnSeedAndNumberAlone) {
  const auto ten = random_cases("random:10:7");
  const auto three = random_cases("random:3:7");
  ASSERT_EQ(ten.size(), 10U);
  ASSERT_EQ(three.size(), 3U);
  for (std::size_t i = 0; i < three.size(); ++i) EXPECT_EQ(ten[i], three[i]);
  EXPECT_FALSE(ten[0] == random_cases("random:1:8")[0]);
  EXPECT_EQ(random_cases("random:1")[0], random_cases("random:1:1")[0]);
}

TEST(RandomSuite, DrawsEveryInputTypeLayoutAndBehaviour) {
  std::set<InputKind> inputs;
  std::set<DType> types;
  std::set<Layout> layouts;
  std::set<Version> versions;
  int grouped = 0, with_text = 0, batches = 0, many_frames = 0, hinted = 0;
  for (const Case& c : random_cases("random:400")) {
    inputs.insert(c.input);
    types.insert(c.dtype);
    layouts.insert(c.layout);
    versions.insert(c.version);
    grouped += c.heads > c.kv_heads ? 1 : 0;
    with_text += c.grid.text_tokens > 0 ? 1 : 0;
    batches += c.batch > 1 ? 1 : 0;
    many_frames += c.grid.frames > 64 ? 1 : 0;
    hinted += c.only_wanted ? 1 : 0;
  }
  EXPECT_EQ(inputs.size(), all_inputs().size());
  EXPECT_EQ(types.size(), 3U);
  EXPECT_EQ(layouts.size(), 2U);
  EXPECT_EQ(versions.size(), 2U);
  for (const int count : {grouped, with_text, batches, many_frames, hinted}) EXPECT_GT(count, 10);
}

TEST(RandomSuite, RefusesWhatIsNoCount) {
  for (const char* suite : {"random:", "random:0", "random:x", "random:-3",
                            "random:5:", "random:5:x", "random:5:1:2", "random:1000001"}) {
    EXPECT_THROW(random_cases(suite), Error) << suite;
  }
}

}  // namespace
}  // namespace lvsa::analysis
