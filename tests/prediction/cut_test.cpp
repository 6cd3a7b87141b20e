// Which blocks of a row the prediction takes, against an order of all of them.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "core/exact/exact_functions.hpp"
#include "core/sparse/tensor_rows.hpp"
#include "cuda/prediction/arithmetic.hpp"
#include "cuda/prediction/probabilities.hpp"

namespace lvsa::cuda::prediction {
namespace {

// The entries that a cut takes.
std::vector<std::size_t> taken_by(const Cut& cut, const std::vector<std::uint32_t>& bits) {
  std::vector<std::size_t> taken;
  std::int32_t ties = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] > cut.least || (bits[i] == cut.least && ties++ < cut.ties)) taken.push_back(i);
  }
  return taken;
}

std::vector<std::size_t> first_in_order(const std::vector<std::uint32_t>& bits, std::size_t count) {
  std::vector<std::size_t> order(bits.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bits[a] > bits[b]; });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::uint32_t> any_row(std::mt19937& random) {
  std::vector<std::uint32_t> bits(1 + random() % 40);
  const auto kinds = static_cast<unsigned>(1 + random() % 30);
  for (std::uint32_t& one : bits) {
    const auto kind = static_cast<unsigned>(random() % kinds);
    const float p = static_cast<float>(kind) / static_cast<float>(kinds * bits.size());
    one = std::bit_cast<std::uint32_t>(p);
  }
  return bits;
}

TEST(SpargeCut, TakesTheLargestScoresAndOfTiesTheFirst) {
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::vector<float> scores(1 + random() % 60);
    const auto kinds = static_cast<unsigned>(1 + random() % 50);
    for (float& one : scores) {
      one = (static_cast<float>(random() % kinds) - 10.0F) * 0.37F;
      if (i % 3 == 0) one = std::ldexp(one, static_cast<int>(random() % 200) - 100);
      if (i % 5 == 0 && random() % 3 == 0) one = -std::numeric_limits<float>::infinity();
    }
    std::vector<std::uint32_t> bits;
    bits.reserve(scores.size());
    for (const float one : scores) bits.push_back(ordered_bits(one));
    const auto count = 1 + random() % scores.size();
    const Cut cut =
        cut_of_scores(static_cast<std::int32_t>(count), static_cast<std::int32_t>(scores.size()),
                      *std::min_element(scores.begin(), scores.end()),
                      *std::max_element(scores.begin(), scores.end()), [&](float least) {
                        return static_cast<std::int32_t>(std::count_if(
                            scores.begin(), scores.end(), [&](float one) { return one >= least; }));
                      });
    ASSERT_EQ(taken_by(cut, bits), first_in_order(bits, count));
  }
}

TEST(SpargeCut, TakesTheLargestAndOfTiesTheFirst) {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::vector<std::uint32_t> bits = any_row(random);
    const auto count = 1 + random() % bits.size();
    const Cut cut = cut_of_count(
        static_cast<std::int32_t>(count), *std::min_element(bits.begin(), bits.end()),
        *std::max_element(bits.begin(), bits.end()), [&](std::uint32_t least) {
          return static_cast<std::int32_t>(std::count_if(
              bits.begin(), bits.end(), [&](std::uint32_t one) { return one >= least; }));
        });
    ASSERT_EQ(taken_by(cut, bits), first_in_order(bits, count));
  }
}

// Scores that are further apart than the distance, by as little as fp32 allows.
TEST(SpargeCut, ScoresThatAreNotNearHaveDifferentProbabilities) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 200000; ++i) {
    const auto highest = static_cast<float>(static_cast<double>(random() % 4000) / 1000.0);
    const auto last = static_cast<float>(static_cast<double>(highest) -
                                         59.9 * static_cast<double>(random() >> 11) * 0x1p-53);
    float next = last + kSureDistance;
    while (is_near(next, last) || next == last) next = std::nextafter(next, 100.0F);
    ASSERT_FALSE(is_deep(last, highest));
    const float total = 1.0F + static_cast<float>(random() % 30000) * 1.0001F;
    ASSERT_LT(div(weight_of(last, highest), total), div(weight_of(next, highest), total))
        << highest << " " << last;
    ASSERT_EQ(score_of_ordered(ordered_bits(last)), last);
    ASSERT_LT(ordered_bits(last), ordered_bits(next));
  }
  EXPECT_LT(ordered_bits(-1.0F), ordered_bits(-0x1p-149F));
  EXPECT_EQ(ordered_bits(-0.0F), ordered_bits(0.0F));
  EXPECT_LT(ordered_bits(-std::numeric_limits<float>::infinity()), ordered_bits(-1e38F));
  EXPECT_TRUE(is_deep(-std::numeric_limits<float>::infinity(), 0.0F));
  EXPECT_TRUE(
      is_deep(-std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()));
}

TEST(SpargeCut, TakesAsManyAsTheMassAllows) {
  std::mt19937 random(8);
  int sure = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::vector<std::uint32_t> bits = any_row(random);
    const float most = static_cast<float>(random() % 21) / 20.0F;
    const Cut cut = cut_of_mass<Bf16>(most, *std::max_element(bits.begin(), bits.end()),
                                      [&](std::uint32_t above, std::int32_t* count) {
                                        std::uint32_t best = 0;
                                        for (const std::uint32_t one : bits)
                                          best = one < above ? std::max(best, one) : best;
                                        *count = static_cast<std::int32_t>(std::count_if(
                                            bits.begin(), bits.end(), [&](std::uint32_t one) {
                                              return one < above && one == best;
                                            }));
                                        return best;
                                      });
    // In falling order, as the rule counts.
    std::vector<std::uint32_t> falling = bits;
    std::sort(falling.begin(), falling.end(), std::greater<>());
    double sum = 0.0;
    std::size_t count = 0;
    for (const std::uint32_t one : falling) {
      sum += static_cast<double>(std::bit_cast<float>(one));
      if (!(sparse::round_to_type(LVSA_BF16, sum) <= static_cast<double>(most))) break;
      ++count;
    }
    ASSERT_EQ(taken_by(cut, bits), first_in_order(bits, std::max<std::size_t>(count, 1)));
    Cut fast;
    if (!sure_cut_of_mass<Bf16>(
            most, static_cast<std::int32_t>(bits.size()),
            *std::max_element(bits.begin(), bits.end()),
            [&](std::uint32_t least) {
              return static_cast<std::int32_t>(std::count_if(
                  bits.begin(), bits.end(), [&](std::uint32_t one) { return one >= least; }));
            },
            [&](std::uint32_t least) {
              double all = 0.0;
              for (const std::uint32_t one : bits) {
                if (one >= least) all += static_cast<double>(std::bit_cast<float>(one));
              }
              return all;
            },
            &fast)) {
      continue;
    }
    ++sure;
    ASSERT_EQ(taken_by(fast, bits), taken_by(cut, bits)) << most;
  }
  EXPECT_GT(sure, 2000);
}

}  // namespace
}  // namespace lvsa::cuda::prediction
