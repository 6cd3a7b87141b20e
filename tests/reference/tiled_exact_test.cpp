// What must hold bit for bit, whatever the rounding.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/reference/tiled_case.hpp"

namespace tiled_test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Shape usual() {
  Shape shape;
  shape.batch = 2;
  shape.frames = 7;
  shape.patches = 61;
  shape.text = 5;
  shape.heads = 4;
  shape.kv_heads = 2;
  shape.dim = 20;
  shape.dtype = LVSA_BF16;
  return shape;
}

void fill_token(Tensor& tensor, const Shape& shape, std::int64_t token, double value) {
  for (std::int64_t b = 0; b < shape.batch; ++b)
    for (std::int64_t h = 0; h < shape.kv_heads; ++h)
      for (std::int64_t d = 0; d < shape.dim; ++d) tensor.set(b, token, h, d, value);
}

TEST(TiledKernel, GivesTheSameBitsForAnyNumberOfThreadsAndEveryTime) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Case first(usual());
    first.shape.threads = 1;
    ASSERT_NO_FATAL_FAILURE(first.run(*kernel));
    for (const int threads : {1, 2, 5, 0}) {
      Case again(usual());
      again.shape.threads = threads;
      ASSERT_NO_FATAL_FAILURE(again.run(*kernel));
      EXPECT_EQ(again.out.bytes(), first.out.bytes()) << kernel->name << " threads " << threads;
      EXPECT_EQ(again.lse, first.lse) << kernel->name << " threads " << threads;
    }
  }
}

TEST(TiledKernel, GivesTheSameBitsWithAvx2AndAvx512) {
  using lvsa::reference::SimdLevel;
  const lvsa_kernel* avx2 = lvsa::reference::cpu_kernel_at(SimdLevel::kAvx2);
  const lvsa_kernel* avx512 = lvsa::reference::cpu_kernel_at(SimdLevel::kAvx512);
  if (avx2 == nullptr || avx512 == nullptr) GTEST_SKIP() << "this machine lacks one of them";
  for (const double spread : {0.5, 8.0}) {
    for (const lvsa_dtype p_dtype : {LVSA_DTYPE_NONE, LVSA_BF16, LVSA_F16}) {
      Shape shape = usual();
      shape.spread = spread;
      shape.p_dtype = p_dtype;
      Case a(shape);
      Case b(shape);
      ASSERT_NO_FATAL_FAILURE(a.run(*avx2));
      ASSERT_NO_FATAL_FAILURE(b.run(*avx512));
      EXPECT_EQ(a.out.bytes(), b.out.bytes());
      EXPECT_EQ(a.lse, b.lse);
    }
  }
}

TEST(TiledKernel, NeverReadsWhatIsNotAttended) {
  for (const lvsa_kernel* kernel : all_levels()) {
    for (const double poison : {kNan, kInfinity, -kInfinity, 1e38}) {
      Shape shape = usual();
      shape.text = 0;
      Case clean(shape);
      for (auto& row : clean.lists) std::erase(row, 3);
      Case poisoned = clean;
      for (std::int64_t i = 0; i < shape.patches; ++i) {
        fill_token(poisoned.k, shape, 3 * shape.patches + i, poison);
        fill_token(poisoned.v, shape, 3 * shape.patches + i, poison);
      }
      ASSERT_NO_FATAL_FAILURE(clean.run(*kernel));
      ASSERT_NO_FATAL_FAILURE(poisoned.run(*kernel));
      EXPECT_EQ(clean.out.bytes(), poisoned.out.bytes()) << kernel->name << " " << poison;
      EXPECT_EQ(clean.lse, poisoned.lse) << kernel->name << " " << poison;
    }
  }
}

TEST(TiledKernel, NeverReadsBetweenOrBeyondTheRows) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Shape shape = usual();
    shape.dim = 13;
    Case tight(shape);
    shape.row_gap = 3;  // 0xa5a5 is a small bf16; only reading it into a sum would show
    Case gaps(shape);
    ASSERT_NO_FATAL_FAILURE(tight.run(*kernel));
    ASSERT_NO_FATAL_FAILURE(gaps.run(*kernel));
    for (std::int64_t s = 0; s < tight.tokens(); ++s)
      for (std::int64_t h = 0; h < shape.heads; ++h)
        for (std::int64_t d = 0; d < shape.dim; ++d)
          ASSERT_EQ(tight.out.get(1, s, h, d), gaps.out.get(1, s, h, d)) << kernel->name;
    EXPECT_FALSE(gaps.out.gaps_touched()) << kernel->name;
  }
}

TEST(TiledKernel, ShowsANanThatIsAttended) {
  for (const lvsa_kernel* kernel : all_levels()) {
    for (const bool in_keys : {true, false}) {
      Shape shape = usual();
      shape.text = 0;
      Case c(shape);
      for (auto& row : c.lists) std::erase(row, 3);
      c.lists[5].push_back(3);
      std::sort(c.lists[5].begin(), c.lists[5].end());
      fill_token(in_keys ? c.k : c.v, shape, 3 * shape.patches + 11, kNan);
      ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
      for (std::int64_t f = 0; f < shape.frames; ++f) {
        const double out = c.out.get(1, f * shape.patches, 2, 4);
        EXPECT_EQ(std::isnan(out), f == 5) << kernel->name << " frame " << f;
      }
    }
  }
}

TEST(TiledKernel, SurvivesScoresOfMinusInfinity) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Shape shape;
    shape.patches = 200;
    shape.dtype = LVSA_BF16;
    Case with(shape);
    Case without(shape);
    // All of frame 0 scores -infinity against positive queries: as if it were not attended.
    for (Case* c : {&with, &without}) {
      for (std::int64_t s = 0; s < c->tokens(); ++s)
        for (std::int64_t d = 0; d < shape.dim; ++d)
          c->q.set(0, s, 0, d, 1.0 + 0.125 * static_cast<double>(s % 5));
    }
    for (std::int64_t s = 0; s < shape.patches; ++s) fill_token(with.k, shape, s, -kInfinity);
    for (auto& row : without.lists) std::erase(row, 0);
    ASSERT_NO_FATAL_FAILURE(with.run(*kernel));
    ASSERT_NO_FATAL_FAILURE(without.run(*kernel));
    const std::int64_t row = 4 * shape.patches;  // attends 0, 3, 4
    for (std::int64_t d = 0; d < shape.dim; ++d) {
      EXPECT_NEAR(with.out.get(0, row, 0, d), without.out.get(0, row, 0, d), 1e-5) << kernel->name;
    }
  }
}

TEST(TiledKernel, GivesExactlyOneForValuesOfOneAndDoublesWithThem) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Shape shape = usual();
    shape.spread = 2.0;
    Case one(shape);
    Case twice(shape);
    Case negative(shape);
    Case plain(shape);
    for (std::int64_t s = 0; s < one.tokens(); ++s) {
      fill_token(one.v, shape, s, 1.0);
      for (std::int64_t b = 0; b < shape.batch; ++b)
        for (std::int64_t h = 0; h < shape.kv_heads; ++h)
          for (std::int64_t d = 0; d < shape.dim; ++d) {
            twice.v.set(b, s, h, d, 2.0 * plain.v.get(b, s, h, d));
            negative.v.set(b, s, h, d, -plain.v.get(b, s, h, d));
          }
    }
    for (Case* c : {&one, &twice, &negative, &plain}) ASSERT_NO_FATAL_FAILURE(c->run(*kernel));
    for (std::int64_t s = 0; s < one.tokens(); ++s) {
      for (std::int64_t d = 0; d < shape.dim; ++d) {
        const double value = plain.out.get(1, s, 3, d);
        ASSERT_EQ(one.out.get(1, s, 3, d), 1.0) << kernel->name;
        ASSERT_EQ(twice.out.get(1, s, 3, d), 2.0 * value) << kernel->name;
        ASSERT_EQ(negative.out.get(1, s, 3, d), -value) << kernel->name;
      }
    }
  }
}

TEST(TiledKernel, GathersExactlyWhenOneKeyTakesAll) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Shape shape = usual();
    shape.text = 0;
    shape.spread = 1.0;
    Case c(shape);
    const std::int64_t beacon = 17;  // a token of frame 0, which every frame attends
    for (std::int64_t s = 0; s < c.tokens(); ++s) {
      fill_token(c.k, shape, s, s == beacon ? 37.0 : -37.0);
      for (std::int64_t b = 0; b < shape.batch; ++b)
        for (std::int64_t h = 0; h < shape.heads; ++h)
          for (std::int64_t d = 0; d < shape.dim; ++d) c.q.set(b, s, h, d, 3.25);
    }
    ASSERT_NO_FATAL_FAILURE(c.run(*kernel));
    for (std::int64_t s = 0; s < c.tokens(); ++s)
      for (std::int64_t d = 0; d < shape.dim; ++d)
        ASSERT_EQ(c.out.get(0, s, 1, d), c.v.get(0, beacon, 0, d)) << kernel->name;
  }
}

TEST(TiledKernel, EqualsItselfWithKeyHeadsRepeated) {
  for (const lvsa_kernel* kernel : all_levels()) {
    Case grouped(usual());
    Shape shape = usual();
    shape.kv_heads = shape.heads;
    Case repeated(shape);
    repeated.q = grouped.q;
    for (std::int64_t b = 0; b < shape.batch; ++b)
      for (std::int64_t s = 0; s < grouped.tokens(); ++s)
        for (std::int64_t h = 0; h < shape.heads; ++h)
          for (std::int64_t d = 0; d < shape.dim; ++d) {
            repeated.k.set(b, s, h, d, grouped.k.get(b, s, h / 2, d));
            repeated.v.set(b, s, h, d, grouped.v.get(b, s, h / 2, d));
          }
    ASSERT_NO_FATAL_FAILURE(grouped.run(*kernel));
    ASSERT_NO_FATAL_FAILURE(repeated.run(*kernel));
    EXPECT_EQ(grouped.out.bytes(), repeated.out.bytes()) << kernel->name;
    EXPECT_EQ(grouped.lse, repeated.lse) << kernel->name;
  }
}

TEST(TiledKernel, LeavesItsInputsAsTheyWere) {
  Case c(usual());
  const auto q = c.q.bytes();
  const auto k = c.k.bytes();
  const auto v = c.v.bytes();
  ASSERT_NO_FATAL_FAILURE(c.run(lvsa::reference::cpu_kernel()));
  EXPECT_EQ(c.q.bytes(), q);
  EXPECT_EQ(c.k.bytes(), k);
  EXPECT_EQ(c.v.bytes(), v);
}

}  // namespace
}  // namespace tiled_test
