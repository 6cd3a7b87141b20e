// The merge of ring blocks against sums over all keys, in long double.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <vector>

#include "reference/parallel/block_attention.hpp"
#include "reference/parallel/ring_merge.hpp"

namespace lvsa::reference {
namespace {

constexpr double kEmpty = -std::numeric_limits<double>::infinity();

// A block by its scores and values, head size 1.
struct Block {
  std::vector<double> scores;
  std::vector<double> values;
};

struct Row {
  double out;
  double lse;
};

// Softmax over all keys at once. The scores stay small enough that no maximum is due.
Row whole(const std::vector<Block>& blocks) {
  long double sum = 0;
  long double weighted = 0;
  for (const Block& block : blocks) {
    for (std::size_t j = 0; j < block.scores.size(); ++j) {
      const long double p = std::exp(static_cast<long double>(block.scores[j]));
      sum += p;
      weighted += p * static_cast<long double>(block.values[j]);
    }
  }
  return {static_cast<double>(weighted / sum), static_cast<double>(std::log(sum))};
}

template <typename Real>
Row merged(const std::vector<Block>& blocks, MergeForm form,
           MergeDefect defect = MergeDefect::kNone) {
  RingMerge<Real> merge(1, form, defect);
  for (const Block& block : blocks) {
    if (block.scores.empty()) {
      const Real zero = 0;
      merge.add(&zero, static_cast<Real>(kEmpty));
      continue;
    }
    const Row row = whole({block});
    const auto out = static_cast<Real>(row.out);
    merge.add(&out, static_cast<Real>(row.lse));
  }
  return {static_cast<double>(merge.out()[0]), static_cast<double>(merge.lse())};
}

rc::Gen<std::vector<Block>> blocks_of(std::int64_t least_keys) {
  return rc::gen::exec([least_keys] {
    std::vector<Block> blocks;
    const int count = *rc::gen::inRange(1, 9);
    for (int b = 0; b < count; ++b) {
      Block& block = blocks.emplace_back();
      const auto keys = *rc::gen::inRange<std::int64_t>(least_keys, 5);
      for (std::int64_t j = 0; j < keys; ++j) {
        block.scores.push_back(*rc::gen::inRange(-400, 401) / 20.0);
        block.values.push_back(*rc::gen::inRange(-100, 101) / 100.0);
      }
    }
    return blocks;
  });
}

TEST(RingMerge, OfBothFormsIsSoftmaxOverAllKeys) {
  EXPECT_TRUE(rc::check([] {
    const auto blocks = *blocks_of(1);
    const Row due = whole(blocks);
    for (const MergeForm form : {MergeForm::kPublished, MergeForm::kRobust}) {
      const Row made = merged<double>(blocks, form);
      RC_ASSERT(std::abs(made.out - due.out) <= 1e-13);
      RC_ASSERT(std::abs(made.lse - due.lse) <= 1e-13);
    }
  }));
}

TEST(RingMerge, InFp32StaysWithinThePublishedTolerance) {
  EXPECT_TRUE(rc::check([] {
    const auto blocks = *blocks_of(1);
    const Row due = whole(blocks);
    const Row made = merged<float>(blocks, MergeForm::kPublished);
    RC_ASSERT(std::abs(made.out - due.out) <= 2e-6);
    RC_ASSERT(std::abs(made.lse - due.lse) <= 2e-6 * std::max(1.0, std::abs(due.lse)));
  }));
}

TEST(RingMerge, TakesABlockWithoutKeysAsTheIdentityInTheRobustForm) {
  EXPECT_TRUE(rc::check([] {
    const auto blocks = *blocks_of(0);
    std::size_t keys = 0;
    for (const Block& block : blocks) keys += block.scores.size();
    RC_PRE(keys > 0);
    const Row due = whole(blocks);
    const Row made = merged<double>(blocks, MergeForm::kRobust);
    RC_ASSERT(std::abs(made.out - due.out) <= 1e-13);
    RC_ASSERT(std::abs(made.lse - due.lse) <= 1e-13);
  }));
}

TEST(RingMerge, OfEmptyBlocksAloneStaysEmpty) {
  const Row made = merged<double>({{}, {}, {}}, MergeForm::kRobust);
  EXPECT_EQ(made.out, 0.0);
  EXPECT_EQ(made.lse, kEmpty);
}

TEST(RingMerge, TurnsNanInThePublishedFormAtTheSecondMergeAfterAnEmptyFirstBlock) {
  const Block one{{0.0}, {1.0}};
  EXPECT_TRUE(std::isnan(merged<double>({{}, one}, MergeForm::kPublished).lse));
  EXPECT_TRUE(std::isnan(merged<double>({{}, one, one}, MergeForm::kPublished).out));
  // A later one does no harm.
  const Row later = merged<double>({one, {}, one}, MergeForm::kPublished);
  EXPECT_DOUBLE_EQ(later.out, 1.0);
  EXPECT_DOUBLE_EQ(later.lse, std::log(2.0));
}

// Two blocks of one key each, scores 0 and ln 3, values 0 and 1: weights 1/4 and 3/4.
TEST(RingMerge, HasItsDefectsWhereTheyAreExpected) {
  const std::vector<Block> blocks = {{{0.0}, {0.0}}, {{std::log(3.0)}, {1.0}}};
  EXPECT_DOUBLE_EQ(merged<double>(blocks, MergeForm::kRobust).out, 0.75);
  const auto out = [&](MergeDefect defect) {
    return merged<double>(blocks, MergeForm::kRobust, defect).out;
  };
  EXPECT_DOUBLE_EQ(out(MergeDefect::kOverwrite), 1.0);
  EXPECT_DOUBLE_EQ(out(MergeDefect::kMean), 0.5);
  EXPECT_DOUBLE_EQ(out(MergeDefect::kNewLse), 3.0 / 7.0);  // sigmoid(ln 3 - ln 4)
}

TEST(BlockAttention, OfEqualScoresIsTheMean) {
  const double q[] = {1.0, 0.0};
  const double k[] = {0.0, 5.0};
  const double v1[] = {1.0, 2.0};
  const double v2[] = {3.0, 6.0};
  const BlockRow row = attend_block(q, {{k, v1}, {k, v2}}, 2, 0.5);
  EXPECT_DOUBLE_EQ(row.out[0], 2.0);
  EXPECT_DOUBLE_EQ(row.out[1], 4.0);
  EXPECT_DOUBLE_EQ(row.lse, std::log(2.0));
  EXPECT_EQ(attend_block(q, {}, 2, 0.5).lse, kEmpty);
}

}  // namespace
}  // namespace lvsa::reference
