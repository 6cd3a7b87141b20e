// The attention kernels of the library on small problems, each against brute force.

#include <gtest/gtest.h>

#include <algorithm>

#include "cuda/launch/hopper_kernel.hpp"
#include "cuda/launch/portable_kernel.hpp"
#include "tests/cuda/attention_case.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

using Kernel = const lvsa_kernel& (*)();

class Attention : public testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    const Device device = current_device();
    if (!device.usable) GTEST_SKIP() << device.reason;
    if (std::string(kernel().name) == "cuda" && device.major != 9) {
      GTEST_SKIP() << "the kernel cuda needs compute capability 9.0, " << device.name << " has "
                   << device.major << "." << device.minor;
    }
  }
  const lvsa_kernel& kernel() const { return GetParam()(); }
  bool serves(const AttentionCase& c) const {
    const lvsa_capabilities& can = kernel().capabilities;
    return c.head_dim >= can.head_dim_min && c.head_dim <= can.head_dim_max &&
           c.head_dim % can.head_dim_multiple == 0;
  }
  // Runs the case and holds it against brute force.
  AttentionOutputs expect_right(const AttentionCase& c, bool want_lse = true) const {
    const AttentionInputs inputs = make_inputs(c);
    const AttentionOutputs outputs = run_on_device(kernel(), c, inputs, want_lse);
    EXPECT_EQ(compare(kernel(), c, inputs, outputs), "");
    return outputs;
  }
};

AttentionCase small_case() {
  AttentionCase c;
  c.frames = 5;
  c.patches = 65;
  c.heads = 2;
  c.kv_heads = 2;
  return c;
}

TEST_P(Attention, IsRightAtEveryHeadSizeAndTypeSmall) {
  for (const std::int64_t head_dim : {64, 96, 128, 192, 256}) {
    for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16}) {
      AttentionCase c = small_case();
      c.head_dim = head_dim;
      c.dtype = dtype;
      c.text = 7;
      if (serves(c)) expect_right(c);
    }
  }
}

TEST_P(Attention, IsRightAtHeadSizesBetweenTheInstances) {
  for (const std::int64_t head_dim : {8, 40, 72, 104, 136, 248}) {
    AttentionCase c = small_case();
    c.head_dim = head_dim;
    c.heads_first = head_dim % 16 == 8;
    if (serves(c)) expect_right(c);
  }
}

TEST_P(Attention, IsRightAroundTheTileSizesSmall) {
  for (const std::int64_t patches : {1, 7, 63, 64, 65, 129}) {
    for (const std::int64_t text : {0, 1, 77}) {
      AttentionCase c = small_case();
      c.frames = 4;
      c.patches = patches;
      c.text = text;
      c.heads_first = text == 77;
      c.seed = static_cast<std::uint64_t>(patches * 100 + text);
      expect_right(c);
      c.head_dim = 256;
      if (serves(c)) expect_right(c);
    }
  }
}

TEST_P(Attention, IsRightForGroupedHeadsInBothLayoutsAndTwoBatchElements) {
  for (const std::int64_t group : {1, 2, 4, 8}) {
    for (const bool heads_first : {false, true}) {
      AttentionCase c = small_case();
      c.patches = 33;
      c.text = 5;
      c.batch = 2;
      c.heads = 8;
      c.kv_heads = 8 / group;
      c.heads_first = heads_first;
      c.head_dim = 128;
      expect_right(c);
    }
  }
}

TEST_P(Attention, IsRightForScoresFromUniformToOneHot) {
  for (const double sigma : {0.1, 3.0, 8.0}) {
    for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16}) {
      AttentionCase c = small_case();
      c.sigma = sigma;
      c.dtype = dtype;
      expect_right(c);
    }
  }
  AttentionCase c = small_case();
  c.inputs = Inputs::kUniform;
  c.text = 3;
  expect_right(c);
}

TEST_P(Attention, IsRightForOneFrameAndForLists) {
  AttentionCase c = small_case();
  c.frames = 1;
  expect_right(c);
  c.frames = 6;
  c.lists = {{0, 5}, {1}, {0, 2, 4}, {0, 1, 2, 3, 4, 5}, {5}, {3}};
  expect_right(c);
  expect_right(c, /*want_lse=*/false);
}

TEST_P(Attention, OfARowWithoutKeysIsZeroAndItsLseMinusInfinitySmall) {
  AttentionCase c = small_case();
  c.frames = 3;
  c.lists = {{0, 2}, {}, {1}};
  expect_right(c);  // brute force says 0 and -inf
  c.lists = {{}, {}, {}};
  expect_right(c);
  c.text = 4;  // then the text is all there is
  expect_right(c);
}

TEST_P(Attention, PutsNoMassOnFramesThatAreNotAttended) {
  AttentionCase c = small_case();
  c.frames = 8;
  c.inputs = Inputs::kIndicator;
  c.lists = {{0, 1}, {0, 1, 2}, {2}, {0, 3, 7}, {4, 5}, {5}, {0, 6}, {1, 7}};
  const AttentionOutputs got = expect_right(c);
  for (std::int64_t s = 0; s < c.seq_len(); ++s) {
    const auto list = c.list(s / c.patches);
    for (std::int64_t f = 0; f < c.frames; ++f) {
      const bool attended = std::find(list.begin(), list.end(), f) != list.end();
      const double mass = value(got.out.bits[got.out.at(0, s, 1, f)], c.dtype);
      if (attended) {
        ASSERT_GT(mass, 0.0) << "token " << s << " frame " << f;
      } else {
        ASSERT_EQ(mass, 0.0) << "token " << s << " frame " << f;
      }
    }
  }
}

TEST_P(Attention, DoesNotReadFramesThatNobodyAttendsSmall) {
  AttentionCase c = small_case();
  c.patches = 70;
  c.lists = {{0, 1}, {0, 3}, {1, 4}, {3}, {0, 1, 3, 4}};  // not frame 2
  AttentionInputs inputs = make_inputs(c);
  const AttentionOutputs clean = run_on_device(kernel(), c, inputs, true);
  poison_frame(c, inputs, 2);
  const AttentionOutputs poisoned = run_on_device(kernel(), c, inputs, true);
  EXPECT_EQ(clean.message, "");
  EXPECT_EQ(clean.out.bits, poisoned.out.bits);
  EXPECT_EQ(clean.lse, poisoned.lse);
}

TEST_P(Attention, GivesTheSameBitsOnEveryRun) {
  AttentionCase c = small_case();
  c.frames = 20;
  c.patches = 130;
  c.heads = 8;
  c.kv_heads = 4;
  c.head_dim = 128;
  c.text = 77;
  const AttentionInputs inputs = make_inputs(c);
  const AttentionOutputs first = run_on_device(kernel(), c, inputs, true);
  EXPECT_EQ(first.message, "");
  for (int i = 0; i < 5; ++i) {
    const AttentionOutputs again = run_on_device(kernel(), c, inputs, true);
    EXPECT_EQ(first.out.bits, again.out.bits);
    EXPECT_EQ(first.lse, again.lse);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Attention, testing::Values(&portable_kernel, &hopper_kernel),
                         [](const testing::TestParamInfo<Kernel>& one) {
                           return one.param == &hopper_kernel ? "Hopper" : "Portable";
                         });

}  // namespace
}  // namespace lvsa::cuda::test
