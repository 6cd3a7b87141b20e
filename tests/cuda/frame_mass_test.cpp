// Frame masses of the device against double precision on the CPU.

#include "cuda/launch/frame_mass.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include "core/numeric/small_floats.hpp"
#include "tests/cuda/attention_case.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

struct MassCase {
  std::int64_t frames = 3;
  std::int64_t patches = 50;
  std::int64_t text = 0;
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t head_dim = 128;
  lvsa_dtype dtype = LVSA_BF16;
  std::vector<std::vector<std::int32_t>> lists;  // empty: dense

  std::int64_t tokens() const { return frames * patches + text; }
  std::int64_t groups() const { return frames + (text > 0 ? 1 : 0); }
  std::int64_t group(std::int64_t token) const { return std::min(token / patches, frames); }
  bool attends(std::int64_t query, std::int64_t key) const {
    const std::int64_t f = group(query);
    const std::int64_t g = group(key);
    if (lists.empty() || f == frames || g == frames) return true;
    for (const std::int32_t one : lists[static_cast<std::size_t>(f)]) {
      if (one == g) return true;
    }
    return false;
  }
};

std::vector<std::uint16_t> random_tensor(const MassCase& c, std::int64_t heads, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> gauss(0.0, 1.3);
  std::vector<std::uint16_t> bits(
      static_cast<std::size_t>(c.batch * c.tokens() * heads * c.head_dim));
  for (auto& one : bits) {
    const double x = gauss(random);
    one = c.dtype == LVSA_BF16 ? double_to_bf16(x) : double_to_fp16(x);
  }
  return bits;
}

std::vector<double> expected(const MassCase& c, const std::vector<std::uint16_t>& q,
                             const std::vector<std::uint16_t>& k) {
  const auto n = static_cast<std::size_t>(c.groups());
  std::vector<double> mass(static_cast<std::size_t>(c.batch * c.heads) * n * n, 0.0);
  const double scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  for (std::int64_t row = 0; row < c.batch * c.heads * c.tokens(); ++row) {
    const std::int64_t s = row % c.tokens();
    const std::int64_t bh = row / c.tokens();
    const std::int64_t b = bh / c.heads;
    const std::int64_t h = bh % c.heads;
    const std::int64_t kv = h / (c.heads / c.kv_heads);
    std::vector<double> of_group(n, 0.0);
    double total = 0.0;
    for (std::int64_t j = 0; j < c.tokens(); ++j) {
      if (!c.attends(s, j)) continue;
      double sum = 0.0;
      for (std::int64_t d = 0; d < c.head_dim; ++d) {
        sum +=
            value(
                q[static_cast<std::size_t>(((b * c.tokens() + s) * c.heads + h) * c.head_dim + d)],
                c.dtype) *
            value(k[static_cast<std::size_t>(((b * c.tokens() + j) * c.kv_heads + kv) * c.head_dim +
                                             d)],
                  c.dtype);
      }
      const double p = std::exp(scale * sum);
      of_group[static_cast<std::size_t>(c.group(j))] += p;
      total += p;
    }
    if (total == 0.0) continue;
    const std::int64_t f = c.group(s);
    const double rows = static_cast<double>(f == c.frames ? c.text : c.patches);
    for (std::size_t g = 0; g < n; ++g) {
      mass[(static_cast<std::size_t>(bh * c.groups() + f)) * n + g] += of_group[g] / total / rows;
    }
  }
  return mass;
}

void expect_right(const MassCase& c) {
  const auto q = random_tensor(c, c.heads, 1);
  const auto k = random_tensor(c, c.kv_heads, 2);
  const DeviceArray<std::uint16_t> q_there(q), k_there(k);
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int32_t> list;
  for (const auto& row : c.lists) {
    list.insert(list.end(), row.begin(), row.end());
    offsets.push_back(static_cast<std::int32_t>(list.size()));
  }
  const DeviceArray<std::int32_t> offsets_there(offsets), list_there(list);
  const lvsa_device_lists lists{offsets_there.get(), 0, list_there.get()};
  lvsa_problem p{};
  p.struct_size = sizeof p;
  p.batch = c.batch;
  p.frames = c.frames;
  p.patches_per_frame = c.patches;
  p.text_tokens = c.text;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = c.head_dim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  p.dtype = c.dtype;
  p.memory = LVSA_CUDA;
  p.q = {q_there.get(), {c.tokens() * c.heads * c.head_dim, c.heads * c.head_dim, c.head_dim, 1}};
  p.k = {k_there.get(),
         {c.tokens() * c.kv_heads * c.head_dim, c.kv_heads * c.head_dim, c.head_dim, 1}};
  std::array<char, 256> message{};
  std::size_t bytes = 0;
  ASSERT_EQ(lvsa_frame_mass_scratch_bytes(&p, &bytes, message.data(), message.size()), LVSA_OK)
      << message.data();
  const DeviceArray<char> scratch(bytes);
  const std::vector<double> due = expected(c, q, k);
  const DeviceArray<float> mass(std::vector<float>(due.size() + 8, -1.0F));
  std::vector<float> first;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(lvsa_frame_mass(&p, c.lists.empty() ? nullptr : &lists, mass.get(), scratch.get(),
                              nullptr, message.data(), message.size()),
              LVSA_OK)
        << message.data();
    if (i == 0) first = mass.read();
  }
  EXPECT_EQ(first, mass.read()) << "two runs differ";
  const auto n = static_cast<std::size_t>(c.groups());
  for (std::size_t i = 0; i < due.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(first[i]), due[i], 1e-5 * due[i])
        << "query group " << i / n % n << " key group " << i % n;
  }
  for (std::size_t i = due.size(); i < first.size(); ++i) ASSERT_EQ(first[i], -1.0F);
}

#define LVSA_NEEDS_HOPPER() \
  LVSA_NEEDS_DEVICE();      \
  if (current_device().major != 9) GTEST_SKIP() << "no Hopper device"

TEST(FrameMassHopper, IsThatOfDenseAttentionSmall) {
  LVSA_NEEDS_HOPPER();
  for (const std::int64_t patches : {1, 50, 128, 177}) {
    MassCase c;
    c.patches = patches;
    expect_right(c);
    c.text = 9;
    expect_right(c);
  }
}

TEST(FrameMassHopper, IsRightForGroupedHeadsBatchesTypesAndHeadSizes) {
  LVSA_NEEDS_HOPPER();
  for (const std::int64_t head_dim : {64, 128}) {
    for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16}) {
      MassCase c;
      c.head_dim = head_dim;
      c.dtype = dtype;
      c.batch = 2;
      c.heads = 4;
      c.kv_heads = 2;
      c.text = 33;
      expect_right(c);
    }
  }
}

TEST(FrameMassHopper, FollowsListsAndGivesNoMassOutsideThemSmall) {
  LVSA_NEEDS_HOPPER();
  MassCase c;
  c.frames = 5;
  c.patches = 40;
  c.lists = {{0, 1}, {}, {1, 2, 4}, {3}, {0, 1, 2, 3, 4}};
  expect_right(c);
}

// More groups than lanes, more items than blocks.
TEST(FrameMassHopper, IsRightForManyFrames) {
  LVSA_NEEDS_HOPPER();
  MassCase c;
  c.frames = 45;
  c.patches = 20;
  c.heads = c.kv_heads = 4;
  c.head_dim = 64;
  expect_right(c);
}

}  // namespace
}  // namespace lvsa::cuda::test
