#include "reference/attention/blocks/cpu_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tests/block_attention/block_case.hpp"

namespace block_test {
namespace {

using lvsa::BlockAxis;
using lvsa::HeadPattern;
using lvsa::Layout;

struct Blocks {
  BlockAxis rows;
  BlockAxis columns;
};

// Ragged ends, blocks of one token, one block, blocks longer than a tile, segments.
std::vector<Blocks> all_blocks() {
  std::vector<Blocks> all;
  for (const auto& [tokens, rows, columns] : {std::array<std::int64_t, 3>{129, 128, 64},
                                              {200, 64, 128},
                                              {65, 16, 16},
                                              {40, 128, 64},
                                              {33, 1, 1},
                                              {300, 300, 140},
                                              {64, 32, 7}}) {
    all.push_back({BlockAxis::uniform(tokens, rows), BlockAxis::uniform(tokens, columns)});
  }
  // Frames of 24 in blocks of 16, text of 5 behind.
  all.push_back(
      {BlockAxis::of_begins({0, 16, 24, 40, 48, 53}), BlockAxis::of_begins({0, 24, 48, 53})});
  return all;
}

TEST(CpuBlocks, AgreesWithSumsOverVisibleTokensForAnyBlocks) {
  unsigned seed = 0;
  for (const Blocks& blocks : all_blocks()) {
    for (const bool masks : {false, true}) {
      for (const bool order : {false, true}) {
        Shape shape;
        shape.queries = shape.keys = blocks.rows.tokens();
        shape.dim = 19;
        ++seed;
        Case c(shape, {random_pattern(seed, blocks.rows, blocks.columns, masks, order)}, seed);
        for (const auto* kernel : all_levels()) {
          ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
          EXPECT_EQ(compare(c), "") << kernel->name << ", case " << seed;
        }
      }
    }
  }
}

TEST(CpuBlocks, TakesMapsOfEachHeadGroupsBatchesTypesAndLayouts) {
  const BlockAxis rows = BlockAxis::uniform(70, 32);
  const BlockAxis columns = BlockAxis::uniform(70, 16);
  for (const lvsa_dtype dtype : {LVSA_F32, LVSA_F16, LVSA_BF16}) {
    for (const Layout layout : {Layout::kBSHD, Layout::kBHSD}) {
      Shape shape;
      shape.batch = 2;
      shape.heads = 4;
      shape.kv_heads = 2;
      shape.queries = shape.keys = 70;
      shape.dim = 24;
      shape.dtype = shape.out_dtype = dtype;
      shape.p_dtype = dtype == LVSA_F32 ? LVSA_DTYPE_NONE : dtype;
      shape.layout = layout;
      shape.scale = -0.2;
      std::vector<HeadPattern> patterns;
      for (unsigned i = 0; i < 8; ++i) {
        patterns.push_back(random_pattern(i, rows, columns, i % 2 == 0, i % 3 == 0));
      }
      Case c(shape, patterns);
      for (const auto* kernel : all_levels()) {
        ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
        EXPECT_EQ(compare(c), "") << kernel->name;
      }
    }
  }
}

TEST(CpuBlocks, TakesOtherNumbersOfKeysThanOfQueries) {
  for (const std::int64_t keys : {1, 31, 260}) {
    Shape shape;
    shape.queries = 45;
    shape.keys = keys;
    Case c(shape, {random_pattern(3, BlockAxis::uniform(45, 16), BlockAxis::uniform(keys, 32), true,
                                  false)});
    ASSERT_NO_FATAL_FAILURE(c.run(lvsa::reference::cpu_blocks_kernel()));
    EXPECT_EQ(compare(c), "");
  }
}

TEST(CpuBlocks, HasTheSameBitsForAnyThreadsAndWantedRows) {
  const BlockAxis rows = BlockAxis::uniform(300, 128);
  const BlockAxis columns = BlockAxis::uniform(300, 64);
  for (const bool skip : {false, true}) {
    Shape shape;
    shape.queries = shape.keys = 300;
    shape.heads = 2;
    shape.kv_heads = 1;
    HeadPattern pattern = random_pattern(9, rows, columns, true, true);
    if (skip) pattern.skip = lvsa::SkipRule{-1.0};
    shape.threads = 1;
    Case one(shape, {pattern, pattern});
    shape.threads = 3;
    Case three(shape, {pattern, pattern});
    Case some(shape, {pattern, pattern});
    some.wanted = {0, 77, 200, 299};
    for (Case* c : {&one, &three, &some}) {
      ASSERT_NO_FATAL_FAILURE(c->run(lvsa::reference::cpu_blocks_kernel()));
    }
    EXPECT_EQ(result_bits(one), result_bits(three));
    std::vector<double> a(16), b(16);
    for (std::int64_t token = 0; token < 300; ++token) {
      one.out.view().read_row(0, token, 1, a.data());
      some.out.view().read_row(0, token, 1, b.data());
      const bool wanted = std::binary_search(some.wanted.begin(), some.wanted.end(), token);
      if (wanted) {
        EXPECT_EQ(a, b) << token;
        EXPECT_EQ(one.lse(0, token, 1), some.lse(0, token, 1));
      } else {
        EXPECT_TRUE(std::isnan(b[0])) << token;  // left as it was
      }
    }
  }
}

TEST(CpuBlocks, LeavesOutWhatIsMaskedWhateverItHolds) {
  const BlockAxis rows = BlockAxis::uniform(96, 32);
  const BlockAxis columns = BlockAxis::uniform(96, 48);
  Shape shape;
  shape.queries = shape.keys = 96;
  // Even queries attend even keys, odd ones odd keys.
  const HeadPattern pattern = lvsa::pattern_of_ranges(
      rows, columns, [](std::int64_t place, std::vector<lvsa::KeyRange>& out) {
        for (std::int64_t i = place % 2; i < 96; i += 2) out.emplace_back(i, i + 1);
      });
  for (const double poison : {std::nan(""), HUGE_VAL, 1e38}) {
    Case clean(shape, {pattern});
    Case dirty(shape, {pattern});
    for (lvsa::Tensor* t : {&dirty.k, &dirty.v}) {
      for (std::int64_t i = 0; i < 16; ++i) {
        lvsa::encode(LVSA_F32, poison, t->bytes() + (37 * 16 + i) * 4);
      }
    }
    ASSERT_NO_FATAL_FAILURE(clean.run(lvsa::reference::cpu_blocks_kernel()));
    ASSERT_NO_FATAL_FAILURE(dirty.run(lvsa::reference::cpu_blocks_kernel()));
    std::vector<double> a(16), b(16);
    for (std::int64_t token = 0; token < 96; token += 2) {
      clean.out.view().read_row(0, token, 0, a.data());
      dirty.out.view().read_row(0, token, 0, b.data());
      EXPECT_EQ(a, b) << token;
    }
    dirty.out.view().read_row(0, 1, 0, b.data());
    EXPECT_EQ(std::isnan(b[0]), poison != 1e38);
  }
}

TEST(CpuBlocks, AcceptsAScaleOfZeroWithMasks) {
  Shape shape;
  shape.queries = shape.keys = 60;
  shape.scale = 0.0;
  Case c(shape,
         {random_pattern(4, BlockAxis::uniform(60, 16), BlockAxis::uniform(60, 16), true, false)});
  ASSERT_NO_FATAL_FAILURE(c.run(lvsa::reference::cpu_blocks_kernel()));
  EXPECT_EQ(compare(c), "");
}

TEST(CpuBlocks, Avx2AndAvx512GiveTheSameBits) {
  using lvsa::reference::SimdLevel;
  const auto* avx2 = lvsa::reference::cpu_blocks_kernel_at(SimdLevel::kAvx2);
  const auto* avx512 = lvsa::reference::cpu_blocks_kernel_at(SimdLevel::kAvx512);
  if (avx2 == nullptr || avx512 == nullptr) GTEST_SKIP() << "one of them is not there";
  Shape shape;
  shape.queries = shape.keys = 150;
  HeadPattern pattern =
      random_pattern(8, BlockAxis::uniform(150, 64), BlockAxis::uniform(150, 32), true, true);
  for (const double threshold : {50.0, 0.0}) {
    pattern.skip = lvsa::SkipRule{threshold};
    Case a(shape, {pattern}), b(shape, {pattern});
    ASSERT_NO_FATAL_FAILURE(a.run(*avx2));
    ASSERT_NO_FATAL_FAILURE(b.run(*avx512));
    EXPECT_EQ(result_bits(a), result_bits(b));
  }
}

TEST(CpuBlocks, DeclaresTilesAcrossBlocksOrByBlockAndNoneWhereHeadsDiffer) {
  const BlockAxis axis = BlockAxis::uniform(64, 16);
  Shape shape;
  shape.queries = shape.keys = 64;
  shape.heads = 2;
  for (const int skipping : {0, 1, 2}) {
    std::vector<HeadPattern> patterns(2, random_pattern(5, axis, axis, true, true));
    for (int h = 0; h < skipping; ++h) {
      patterns[static_cast<std::size_t>(h)].skip = lvsa::SkipRule{5.0};
    }
    Case c(shape, patterns);
    const lvsa_block_problem p = c.problem();
    lvsa_numerics n{};
    n.struct_size = sizeof(n);
    ASSERT_EQ(lvsa::reference::cpu_blocks_kernel().numerics(&p, &n), LVSA_OK);
    EXPECT_EQ(n.key_order, skipping == 1 ? LVSA_KEY_ORDER_UNKNOWN : LVSA_KEYS_ASCENDING);
    EXPECT_EQ(n.tiles_cross_frames, skipping == 2 ? 0 : 1);
    EXPECT_EQ(n.key_tile, 128);
  }
}

}  // namespace
}  // namespace block_test
