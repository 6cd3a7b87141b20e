// The tiled kernel against fp64, within the tier A bound of the arithmetic that it declares.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/reference/tiled_case.hpp"

namespace tiled_test {
namespace {

void expect_within_bound(const Shape& shape, const std::string& what) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Case c(shape);
    ASSERT_NO_FATAL_FAILURE(c.run(*kernel)) << kernel->name << " " << what;
    EXPECT_EQ(compare(c, *kernel), "") << kernel->name << " " << what;
    EXPECT_FALSE(c.out.gaps_touched()) << kernel->name << " " << what;
  }
}

TEST(TiledKernel, ServesEveryPairOfInputAndOutputType) {
  for (const lvsa_dtype in : {LVSA_F32, LVSA_F16, LVSA_BF16}) {
    for (const lvsa_dtype out : {LVSA_F32, LVSA_F16, LVSA_BF16}) {
      Shape shape;
      shape.patches = 33;
      shape.text = 5;
      shape.dtype = in;
      shape.out_dtype = out;
      expect_within_bound(shape, std::to_string(in) + " to " + std::to_string(out));
    }
  }
}

TEST(TiledKernel, HoldsAtPatchCountsAroundTheTileSizes) {
  for (const std::int64_t patches : {1, 7, 63, 64, 65, 127, 128, 129}) {
    Shape shape;
    shape.frames = 4;
    shape.patches = patches;
    shape.dtype = LVSA_BF16;
    expect_within_bound(shape, "P " + std::to_string(patches));
  }
}

TEST(TiledKernel, HoldsAtAnyHeadDimension) {
  for (const std::int64_t dim :
       {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 33, 64, 80, 128, 256, 300}) {
    for (const lvsa_dtype dtype : {LVSA_F32, LVSA_BF16}) {
      Shape shape;
      shape.frames = 3;
      shape.patches = 19;
      shape.text = 2;
      shape.dim = dim;
      shape.dtype = dtype;
      expect_within_bound(shape, "D " + std::to_string(dim));
    }
  }
}

TEST(TiledKernel, AttendsTextAndLetsTextAttendEverything) {
  for (const std::int64_t text : {0, 1, 77, 129}) {
    Shape shape;
    shape.text = text;
    shape.heads = 2;
    shape.kv_heads = 1;
    expect_within_bound(shape, "text " + std::to_string(text));
  }
}

TEST(TiledKernel, ReadsTheRightKeyHeadOfAGroup) {
  for (const std::int64_t group : {1, 2, 8}) {
    for (const std::int64_t kv_heads : {1, 3}) {
      Shape shape;
      shape.heads = group * kv_heads;
      shape.kv_heads = kv_heads;
      shape.text = 3;
      expect_within_bound(shape, "group " + std::to_string(group));
    }
  }
}

TEST(TiledKernel, TakesBothLayoutsAnyStridesAndBatches) {
  for (const Order order : {Order::kTokensFirst, Order::kHeadsFirst}) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const lvsa_dtype dtype : {LVSA_F32, LVSA_F16}) {
        Shape shape;
        shape.batch = 2;
        shape.heads = 4;
        shape.kv_heads = 2;
        shape.text = 4;
        shape.dim = 19;
        shape.order = order;
        shape.element_stride = stride;
        shape.row_gap = 5;
        shape.dtype = dtype;
        shape.out_dtype = dtype;
        expect_within_bound(shape, "element stride " + std::to_string(stride));
      }
    }
  }
}

TEST(TiledKernel, HoldsForLargeScoresNegativeAndZeroScale) {
  for (const double scale : {-0.3, 0.0, 1e-30, 0.01, 2.0}) {
    for (const double spread : {0.1, 3.0}) {
      Shape shape;
      shape.patches = 40;
      shape.dim = 24;
      shape.scale = scale;
      shape.spread = spread;
      if (scale == 0.0) shape.scale = -0.0;  // +0.0 asks for the default
      expect_within_bound(shape, "scale " + std::to_string(scale));
    }
  }
}

// Every tile brings a new maximum and spans many frames: the longest chain of rescaling there is.
TEST(TiledKernel, HoldsWhenEveryTileMovesTheMaximum) {
  for (const lvsa_kernel* kernel : all_levels()) {
    for (const double slope : {0.0005, 0.02}) {
      Shape shape;
      shape.frames = 300;
      shape.patches = 7;
      shape.dim = 8;
      shape.scale = 1.0;
      Case c(shape);
      for (std::int64_t s = 0; s < c.tokens(); ++s) {
        c.q.set(0, s, 0, 0, 1.0);
        c.k.set(0, s, 0, 0, slope * static_cast<double>(s));
        for (std::int64_t d = 1; d < shape.dim; ++d) c.k.set(0, s, 0, d, 0.0);
      }
      for (auto& row : c.lists) {
        row.clear();
        for (std::int32_t f = 0; f < 300; ++f) row.push_back(f);
      }
      ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
      EXPECT_EQ(compare(c, *kernel), "") << kernel->name << " slope " << slope;
    }
  }
}

TEST(TiledKernel, GivesZeroAndMinusInfinityToARowWithoutKeys) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Shape shape;
    shape.out_dtype = LVSA_BF16;
    Case c(shape);
    c.lists[2].clear();
    c.lists[4].clear();
    ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
    EXPECT_EQ(compare(c, *kernel), "") << kernel->name;
  }
}

TEST(TiledKernel, ComputesAProblemWhoseListsAreAllEmpty) {
  Shape shape;
  Case c(shape);
  for (auto& row : c.lists) row.clear();
  lvsa_problem problem = c.problem();
  problem.frame_lists.list = nullptr;
  std::vector<unsigned char> workspace(1 << 20);
  char message[200] = "";
  ASSERT_EQ(lvsa::reference::cpu_kernel().run(&problem, workspace.data(), workspace.size(), nullptr,
                                              message, sizeof(message)),
            LVSA_OK)
      << message;
  EXPECT_EQ(compare(c, lvsa::reference::cpu_kernel()), "");
}

TEST(TiledKernel, AttendsTheTextAloneWhenAListIsEmpty) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Shape shape;
    shape.text = 9;
    Case c(shape);
    c.lists[0].clear();
    ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
    EXPECT_EQ(compare(c, *kernel), "") << kernel->name;
  }
}

TEST(TiledKernel, RoundsPWhenAsked) {
  for (const lvsa_kernel* kernel : all_levels()) {
    for (const lvsa_dtype p_dtype : {LVSA_BF16, LVSA_F16}) {
      Shape shape;
      shape.patches = 30;
      Case plain(shape);
      shape.p_dtype = p_dtype;
      Case rounding(shape);
      ASSERT_NO_FATAL_FAILURE(plain.run(*kernel));
      ASSERT_NO_FATAL_FAILURE(rounding.run(*kernel));
      EXPECT_EQ(compare(rounding, *kernel), "") << kernel->name;
      EXPECT_NE(plain.out.bytes(), rounding.out.bytes());
      EXPECT_EQ(plain.lse, rounding.lse) << "the sum takes P before the rounding";
    }
  }
}

// One frame, one query at score 0 and keys at -s: P is known, so the output shows its rounding.
TEST(TiledKernel, RoundsPToTheNearestOfItsType) {
  for (const lvsa_kernel* kernel : all_levels()) {
    for (const lvsa_dtype p_dtype : {LVSA_BF16, LVSA_F16}) {
      for (const double score : {0.001, 0.3, 1.7, 7.3, 9.9, 12.5, 15.2, 20.0}) {
        Shape shape;
        shape.frames = 1;
        shape.patches = 2;
        shape.dim = 1;
        shape.scale = 1.0;
        shape.p_dtype = p_dtype;
        Case c(shape);
        c.q.set(0, 0, 0, 0, 1.0);
        c.k.set(0, 0, 0, 0, 0.0);
        c.k.set(0, 1, 0, 0, -score);
        c.v.set(0, 0, 0, 0, 0.0);
        c.v.set(0, 1, 0, 0, 1.0);
        ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
        const double p = std::exp(static_cast<double>(static_cast<float>(-score)));
        const double rounded = round_to(p_dtype, p);
        EXPECT_NEAR(c.out.get(0, 0, 0, 0) * (1.0 + p), rounded, rounded * 1e-6)
            << kernel->name << " p " << p;
      }
    }
  }
}

}  // namespace
}  // namespace tiled_test
