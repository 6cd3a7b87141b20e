// The fp8 kernel on small problems, each against brute force in double precision.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "cuda/launch/hopper_kernel.hpp"
#include "tests/cuda/attention_case.hpp"
#include "tests/cuda/device_memory.hpp"
#include "tests/cuda/fp8_case.hpp"

namespace lvsa::cuda::test {
namespace {

void expect_right(const Fp8Case& c) {
  const Fp8Inputs in = make_inputs(c);
  const Fp8Outputs got = run_fp8(c, in);
  ASSERT_EQ(got.message, "");
  std::size_t r = 0;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.tokens(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h, ++r) {
        const Fp8Row due = brute_force(c, in, b, s, h);
        for (std::size_t d = 0; d < kFp8HeadDim; ++d) {
          ASSERT_NEAR(value(got.out[r * kFp8HeadDim + d], c.out), due.out[d], due.bound[d])
              << "batch " << b << " token " << s << " head " << h << " element " << d;
        }
        if (std::isinf(due.lse)) {
          ASSERT_EQ(static_cast<double>(got.lse[r]), due.lse) << "token " << s;
        } else {
          ASSERT_NEAR(static_cast<double>(got.lse[r]), due.lse, due.lse_bound) << "token " << s;
        }
      }
    }
  }
  for (std::size_t i = r * kFp8HeadDim; i < got.out.size(); ++i)
    ASSERT_EQ(got.out[i], kFp8Unwritten);
  for (std::size_t i = r; i < got.lse.size(); ++i) ASSERT_EQ(got.lse[i], 12345.0F);
}

#define LVSA_NEEDS_HOPPER() \
  LVSA_NEEDS_DEVICE();      \
  if (current_device().major != 9) GTEST_SKIP() << "no Hopper device"

TEST(Fp8Hopper, IsRightAroundTheBlockAndTileSizesSmall) {
  LVSA_NEEDS_HOPPER();
  for (const std::int64_t patches : {1, 31, 32, 33, 129}) {
    for (const std::int64_t text : {0, 1, 40}) {
      Fp8Case c;
      c.patches = patches;
      c.text = text;
      if (patches == 129) c.frames = 2;
      expect_right(c);
    }
  }
}

TEST(Fp8Hopper, IsRightForGroupedHeadsTwoBatchElementsAndBothOutputTypes) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  c.batch = 2;
  c.heads = 4;
  c.kv_heads = 2;
  c.text = 5;
  expect_right(c);
  c.out = LVSA_F16;
  expect_right(c);
}

TEST(Fp8Hopper, IsRightWhereFramesShareAQueryTileSmall) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  c.frames = 7;
  c.patches = 20;
  c.lists = {{0, 1}, {0, 1, 2}, {2}, {}, {4, 5}, {5}, {0, 3, 6}};
  expect_right(c);
  c.patches = 210;
  expect_right(c);
}

// The kernel keeps a maximum while P stays in range: here each tile leaves it, by little and by
// far.
TEST(Fp8Hopper, FollowsAMaximumThatGrowsFromTileToTileSmall) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  c.growing = true;
  c.patches = 210;
  expect_right(c);
  c.frames = 7;
  c.patches = 20;
  c.text = 3;
  c.lists = {{0, 6}, {0, 1, 2}, {2}, {}, {4, 5}, {5}, {0, 3, 6}};
  expect_right(c);
}

TEST(Fp8Hopper, PutsNoMassOnFramesThatAreNotAttended) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  c.frames = 8;
  c.patches = 20;
  c.indicator = true;
  c.lists = {{0, 1}, {0, 1, 2}, {2}, {0, 3, 7}, {4, 5}, {5}, {0, 6}, {1, 7}};
  const Fp8Outputs got = run_fp8(c, make_inputs(c));
  ASSERT_EQ(got.message, "");
  for (std::int64_t s = 0; s < c.tokens(); ++s) {
    const auto list = c.list(s / c.patches);
    for (std::int64_t f = 0; f < c.frames; ++f) {
      const bool attended = std::find(list.begin(), list.end(), f) != list.end();
      const double mass = value(got.out[static_cast<std::size_t>(s * kFp8HeadDim + f)], c.out);
      ASSERT_EQ(mass > 0.0, attended) << "token " << s << " frame " << f;
    }
  }
}

TEST(Fp8Hopper, DoesNotReadFramesThatNobodyAttendsSmall) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  c.frames = 5;
  c.patches = 70;
  c.lists = {{0, 1}, {0, 3}, {1, 4}, {3}, {0, 1, 3, 4}};  // not frame 2
  Fp8Inputs in = make_inputs(c);
  const Fp8Outputs clean = run_fp8(c, in);
  for (Fp8Tensor* t : {&in.k, &in.v}) {
    std::fill_n(t->bits.begin() + 2 * c.patches * kFp8HeadDim, c.patches * kFp8HeadDim, 0x7f);
  }
  const Fp8Outputs poisoned = run_fp8(c, in);
  EXPECT_EQ(clean.message, "");
  EXPECT_EQ(clean.out, poisoned.out);
  EXPECT_EQ(clean.lse, poisoned.lse);
}

// Long lists end within a tile and blocks race for items: what is left in shared memory by the item
// before must not show.
TEST(Fp8Hopper, GivesTheSameBitsOnEveryRun) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  c.frames = 21;
  c.patches = 200;
  c.heads = c.kv_heads = 8;
  c.text = 77;
  const Fp8Inputs in = make_inputs(c);
  const Fp8Outputs first = run_fp8(c, in);
  EXPECT_EQ(first.message, "");
  for (int i = 0; i < 5; ++i) {
    const Fp8Outputs again = run_fp8(c, in);
    EXPECT_EQ(first.out, again.out);
    EXPECT_EQ(first.lse, again.lse);
  }
}

TEST(Fp8Hopper, TakesNoScalesAsOnes) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  Fp8Inputs in = make_inputs(c);
  const Fp8Outputs without = run_fp8(c, in, false);
  for (Fp8Tensor* t : {&in.q, &in.k, &in.v}) std::fill(t->scales.begin(), t->scales.end(), 1.0F);
  const Fp8Outputs ones = run_fp8(c, in);
  EXPECT_EQ(without.message, "");
  EXPECT_EQ(without.out, ones.out);
  EXPECT_EQ(without.lse, ones.lse);
}

TEST(Fp8Kernel, RefusesOtherTypesHeadSizesAndStrides) {
  const auto refused = [](auto change) {
    Fp8Case c;
    lvsa_problem p = problem_of(c);
    for (lvsa_tensor* t : {&p.q, &p.k, &p.v, &p.out}) {
      *t = {reinterpret_cast<void*>(std::uintptr_t{4096}), {99 * 128, 128, 128, 1}};
    }
    change(p);
    std::array<char, 256> message{};
    const lvsa_status status =
        fp8_kernel().run(&p, nullptr, 0, nullptr, message.data(), message.size());
    EXPECT_NE(status, LVSA_OK);
    return std::string(message.data());
  };
  EXPECT_EQ(refused([](lvsa_problem& p) { p.dtype = LVSA_BF16; }),
            "input type 4 is none that this kernel takes");
  EXPECT_EQ(refused([](lvsa_problem& p) { p.out_dtype = LVSA_E4M3; }),
            "output type 5 is none that this kernel writes for these inputs");
  EXPECT_EQ(refused([](lvsa_problem& p) { p.head_dim = 64; }),
            "head_dim is 64, a multiple of 128 up to 128 is due");
  EXPECT_EQ(refused([](lvsa_problem& p) { p.q.strides[1] = 136; }),
            "q: token stride is 136, a multiple of 16 elements is due");
}

}  // namespace
}  // namespace lvsa::cuda::test
