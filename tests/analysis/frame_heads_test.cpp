// The map of the worst error by query frame and head.

#include "analysis/verify/frame_heads.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(FrameHeads, KeepsTheWorstOfEachCheckedCell) {
  FrameHeadWorst worst(3, 2);
  worst.add(0, 1, 0.25);
  worst.add(0, 1, 0.5);
  worst.add(0, 1, 0.125);
  worst.add(2, 0, 0.0);
  worst.add(3, 1, kInfinity);  // a text row
  const FrameHeadMap map = worst.map();
  EXPECT_EQ(map.frames_per_row, 1);
  EXPECT_EQ(map.cells, (std::vector<FrameHeadCell>{{0, 1, 0.5}, {2, 0, 0.0}, {3, 1, kInfinity}}));
}

TEST(FrameHeads, RoundsUpToThreeDigitsAndNeverDownToTheBound) {
  FrameHeadWorst worst(6, 1);
  worst.add(0, 0, 0.012301);
  worst.add(1, 0, 0.0123);
  worst.add(2, 0, 1.0000001);
  worst.add(3, 0, 123456.0);
  worst.add(4, 0, 1e-320);
  worst.add(5, 0, 1.0);
  const std::vector<FrameHeadCell> cells = worst.map().cells;
  ASSERT_EQ(cells.size(), 6U);
  EXPECT_EQ(cells[0].ratio, 0.0124);
  EXPECT_EQ(cells[1].ratio, 0.0123);
  EXPECT_EQ(cells[2].ratio, 1.01);
  EXPECT_EQ(cells[3].ratio, 124000.0);
  EXPECT_GT(cells[4].ratio, 0.0);
  EXPECT_EQ(cells[5].ratio, 1.0);
}

TEST(FrameHeads, ANumberThatIsNoneIsTheWorst) {
  FrameHeadWorst worst(1, 1);
  worst.add(0, 0, std::nan(""));
  worst.add(0, 0, 3.0);
  EXPECT_TRUE(std::isnan(worst.map().cells.at(0).ratio));
}

TEST(FrameHeads, TakesFramesTogetherWhereThereAreTooManyCells) {
  constexpr std::int64_t kFrames = 756;
  constexpr std::int64_t kHeads = 40;
  FrameHeadWorst worst(kFrames, kHeads);
  for (std::int64_t f = 0; f <= kFrames; ++f) {
    for (std::int64_t h = 0; h < kHeads; ++h) worst.add(f, h, 0.5);
  }
  worst.add(755, 39, 7.0);
  const FrameHeadMap map = worst.map();
  EXPECT_EQ(map.frames_per_row, 8);
  EXPECT_EQ(map.cells.size(), 96U * 40U);  // 95 of frames, one of text
  EXPECT_EQ(map.cells[map.cells.size() - 41], (FrameHeadCell{94, 39, 7.0}));
  EXPECT_EQ(map.cells.back(), (FrameHeadCell{95, 39, 0.5}));
}

}  // namespace
}  // namespace lvsa::analysis
