// The table of the documentation beside both rules.

#include <gtest/gtest.h>

#include <utility>

#include "analysis/sweep/published_table.hpp"

namespace lvsa::analysis {
namespace {

TEST(PublishedTable, IsTheGuidesRuleInEveryRow) {
  const auto rows = published_table();
  ASSERT_EQ(rows.size(), 14U);
  for (const PublishedRow& row : rows) EXPECT_TRUE(row.guide_agrees()) << row.frames;
}

// By hand, T = 65 and a budget of 33: target 24; interval 2 gives 33 global frames, 3 gives 22, so
// the strict one is 2; beyond the 9 mandatory frames 56 are left for 24 places, so the fallback is
// ceil(56 / 24) = 3. T = 41: interval 2 gives 21 < 24 global frames, so 1; ceil(32 / 24) = 2.
TEST(PublishedTable, IsNotTheCodesInTwo) {
  std::vector<std::pair<std::int64_t, std::int64_t>> apart;
  for (const PublishedRow& row : published_table()) {
    if (row.code_agrees()) continue;
    apart.emplace_back(row.reference, row.frames);
    EXPECT_EQ(row.strict, row.frames == 65 ? 2 : 1);
    EXPECT_EQ(row.interval, row.frames == 65 ? 3 : 2);
    EXPECT_EQ(row.interval, row.fallback);
  }
  EXPECT_EQ(apart, (std::vector<std::pair<std::int64_t, std::int64_t>>{{33, 41}, {33, 65}}));
}

TEST(PublishedTable, SaysSoInItsText) {
  const std::string text = published_table_text();
  EXPECT_NE(text.find("2 of 14 rows: document and code disagree."), std::string::npos);
  EXPECT_NE(text.find("the document has the guide's interval 2, the code takes the fallback 3"),
            std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
