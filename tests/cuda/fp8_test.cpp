// The fp8 kernel on small problems, each against brute force in double precision.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "core/numeric/small_floats.hpp"
#include "cuda/launch/hopper_kernel.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

constexpr std::int64_t kHeadDim = 128;
constexpr std::uint16_t kUnwritten = 0x7ea5;  // a NaN

struct Fp8Case {
  std::int64_t frames = 3;
  std::int64_t patches = 33;
  std::int64_t text = 0;
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  lvsa_dtype out = LVSA_BF16;
  bool indicator = false;  // v: 1 where the frame of the key is the column
  bool growing = false;    // scores grow from key to key, by hundreds in all
  std::vector<std::vector<std::int32_t>> lists;

  std::int64_t tokens() const { return frames * patches + text; }
  std::vector<std::int32_t> list(std::int64_t frame) const {
    if (!lists.empty()) return lists[static_cast<std::size_t>(frame)];
    std::vector<std::int32_t> window;
    for (std::int64_t f = std::max<std::int64_t>(0, frame - 1);
         f <= std::min(frames - 1, frame + 1); ++f) {
      window.push_back(static_cast<std::int32_t>(f));
    }
    return window;
  }
};

// e4m3: sign, four bits of exponent (bias 7), three of fraction; no infinity, 0x7f is NaN.
double e4m3_value(std::uint8_t bits) {
  const int exponent = bits >> 3 & 15;
  const int fraction = bits & 7;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return bits & 0x80 ? -magnitude : magnitude;
}

// A tensor [B, S, heads, D] and one scale a head.
struct Fp8Tensor {
  std::int64_t heads;
  std::vector<std::uint8_t> bits;
  std::vector<float> scales;

  double at(const Fp8Case& c, std::int64_t b, std::int64_t s, std::int64_t h,
            std::int64_t d) const {
    const auto i = static_cast<std::size_t>(((b * c.tokens() + s) * heads + h) * kHeadDim + d);
    return e4m3_value(bits[i]) *
           static_cast<double>(scales[static_cast<std::size_t>(b * heads + h)]);
  }
};

struct Fp8Inputs {
  Fp8Tensor q, k, v;
};

Fp8Inputs make_inputs(const Fp8Case& c) {
  std::mt19937_64 random(7);
  // Magnitudes from 0.09 to 3.5, any sign; the scales differ by head and tensor.
  const auto tensor = [&](std::int64_t heads, float scale) {
    Fp8Tensor t{heads, {}, {}};
    t.bits.resize(static_cast<std::size_t>(c.batch * c.tokens() * heads * kHeadDim));
    for (auto& bits : t.bits) {
      bits = static_cast<std::uint8_t>((0x1b + random() % 0x2c) | (random() & 0x80));
    }
    for (std::int64_t i = 0; i < c.batch * heads; ++i) {
      t.scales.push_back(scale * (1.0F + 0.25F * static_cast<float>(i)));
    }
    return t;
  };
  Fp8Inputs in{tensor(c.heads, 0.5F), tensor(c.kv_heads, 0.75F), tensor(c.kv_heads, 2.0F)};
  if (c.growing) {
    for (auto& bits : in.q.bits) bits &= 0x7f;
    for (std::size_t i = 0; i < in.k.bits.size(); ++i) {
      const auto token = static_cast<std::int64_t>(i) / kHeadDim / c.kv_heads % c.tokens();
      in.k.bits[i] = static_cast<std::uint8_t>(8 + token * 100 / c.tokens());
    }
  }
  if (c.indicator) {
    for (std::size_t i = 0; i < in.v.bits.size(); ++i) {
      const auto token = static_cast<std::int64_t>(i) / kHeadDim / c.kv_heads % c.tokens();
      const bool one = token / c.patches == static_cast<std::int64_t>(i) % kHeadDim;
      in.v.bits[i] = one ? 0x38 : 0;
    }
  }
  return in;
}

struct Fp8Outputs {
  lvsa_status status = LVSA_OK;
  std::string message;
  std::vector<std::uint16_t> out;
  std::vector<float> lse;
};

void flatten(const Fp8Case& c, std::vector<std::int64_t>& offsets,
             std::vector<std::int32_t>& list) {
  offsets = {0};
  for (std::int64_t f = 0; f < c.frames; ++f) {
    for (const std::int32_t key : c.list(f)) list.push_back(key);
    offsets.push_back(static_cast<std::int64_t>(list.size()));
  }
  list.reserve(1);
}

lvsa_problem problem_of(const Fp8Case& c) {
  lvsa_problem p{};
  p.struct_size = sizeof p;
  p.batch = c.batch;
  p.frames = c.frames;
  p.patches_per_frame = c.patches;
  p.text_tokens = c.text;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = kHeadDim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(kHeadDim));
  p.dtype = LVSA_E4M3;
  p.out_dtype = c.out;
  p.memory = LVSA_CUDA;
  return p;
}

Fp8Outputs run(const Fp8Case& c, const Fp8Inputs& in, bool scales = true) {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  flatten(c, offsets, list);
  Fp8Outputs got;
  const auto rows = static_cast<std::size_t>(c.batch * c.tokens() * c.heads);
  const DeviceArray<std::uint8_t> q(in.q.bits), k(in.k.bits), v(in.v.bits);
  const DeviceArray<float> qs(in.q.scales), ks(in.k.scales), vs(in.v.scales);
  const DeviceArray<std::uint16_t> out(
      std::vector<std::uint16_t>(rows * kHeadDim + 64, kUnwritten));
  const DeviceArray<float> lse(std::vector<float>(rows + 64, 12345.0F));
  lvsa_problem p = problem_of(c);
  p.frame_lists = {offsets.data(), list.data()};
  const auto tensor = [&](void* data, std::int64_t heads) {
    return lvsa_tensor{data, {c.tokens() * heads * kHeadDim, heads * kHeadDim, kHeadDim, 1}};
  };
  p.q = tensor(q.get(), c.heads);
  p.k = tensor(k.get(), c.kv_heads);
  p.v = tensor(v.get(), c.kv_heads);
  p.out = tensor(out.get(), c.heads);
  p.lse = lse.get();
  p.lse_strides[0] = c.tokens() * c.heads;
  p.lse_strides[1] = c.heads;
  p.lse_strides[2] = 1;
  if (scales) {
    p.q_scale = qs.get();
    p.k_scale = ks.get();
    p.v_scale = vs.get();
  }
  std::size_t bytes = 0;
  EXPECT_EQ(fp8_kernel().workspace(&p, &bytes), LVSA_OK);
  const DeviceArray<char> workspace(bytes);
  std::array<char, 256> message{};
  got.status =
      fp8_kernel().run(&p, workspace.get(), bytes, nullptr, message.data(), message.size());
  got.message = message.data();
  check(cudaDeviceSynchronize(), "cuda-fp8");
  got.out = out.read();
  got.lse = lse.read();
  return got;
}

struct Row {
  std::array<double, kHeadDim> out{};
  std::array<double, kHeadDim> bound{};
  double lse = -INFINITY;
  double lse_bound = 0;
};

// Tier A of docs/bounds.md: u_P = 2^-4, P down to 2^-16 of the largest, sums cut off 13 bits behind
// the point of the largest addend.
Row brute_force(const Fp8Case& c, const Fp8Inputs& in, std::int64_t b, std::int64_t s,
                std::int64_t h) {
  constexpr double kAccumulator = 0x1p-13;
  std::vector<std::int64_t> keys;
  const std::int64_t video = c.frames * c.patches;
  if (s >= video) {
    for (std::int64_t j = 0; j < video; ++j) keys.push_back(j);
  } else {
    for (const std::int32_t f : c.list(s / c.patches)) {
      for (std::int64_t i = 0; i < c.patches; ++i) keys.push_back(f * c.patches + i);
    }
  }
  for (std::int64_t j = video; j < c.tokens(); ++j) keys.push_back(j);
  Row row;
  if (keys.empty()) return row;
  const std::int64_t kv = h / (c.heads / c.kv_heads);
  std::vector<double> score(keys.size()), eta(keys.size()), p(keys.size());
  double most = -INFINITY;
  for (std::size_t j = 0; j < keys.size(); ++j) {
    double magnitude = 0;
    for (std::int64_t d = 0; d < kHeadDim; ++d) {
      const double term = in.q.at(c, b, s, h, d) * in.k.at(c, b, keys[j], kv, d);
      score[j] += term / std::sqrt(static_cast<double>(kHeadDim));
      magnitude += std::abs(term) / std::sqrt(static_cast<double>(kHeadDim));
    }
    eta[j] = 1.1 * kHeadDim * kAccumulator * magnitude + 1e-5;
    most = std::max(most, score[j]);
  }
  double total = 0;
  for (std::size_t j = 0; j < keys.size(); ++j) total += p[j] = std::exp(score[j] - most);
  std::array<double, kHeadDim> absolute{};
  std::array<double, kHeadDim> largest{};
  for (std::size_t j = 0; j < keys.size(); ++j) {
    row.lse_bound += p[j] / total * eta[j];
    for (std::int64_t d = 0; d < kHeadDim; ++d) {
      const auto i = static_cast<std::size_t>(d);
      const double v = in.v.at(c, b, keys[j], kv, d);
      row.out[i] += p[j] / total * v;
      absolute[i] += p[j] / total * std::abs(v);
      largest[i] += std::abs(v) / total;
    }
  }
  for (std::size_t i = 0; i < kHeadDim; ++i) {
    for (std::size_t j = 0; j < keys.size(); ++j) {
      const double v = in.v.at(c, b, keys[j], kv, static_cast<std::int64_t>(i));
      row.bound[i] += p[j] / total * std::abs(v - row.out[i]) * std::expm1(eta[j]);
    }
    row.bound[i] += (0x1p-4 + 140 * kAccumulator) * absolute[i] + 0x1p-16 * largest[i] +
                    0x1p-8 * std::abs(row.out[i]);
  }
  row.lse = most + std::log(total);
  row.lse_bound += 1e-5 * (1 + std::abs(row.lse));
  return row;
}

double value(std::uint16_t bits, lvsa_dtype dtype) {
  return static_cast<double>(dtype == LVSA_BF16 ? bf16_to_float(bits) : fp16_to_float(bits));
}

void expect_right(const Fp8Case& c) {
  const Fp8Inputs in = make_inputs(c);
  const Fp8Outputs got = run(c, in);
  ASSERT_EQ(got.message, "");
  std::size_t r = 0;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t s = 0; s < c.tokens(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h, ++r) {
        const Row due = brute_force(c, in, b, s, h);
        for (std::size_t d = 0; d < kHeadDim; ++d) {
          ASSERT_NEAR(value(got.out[r * kHeadDim + d], c.out), due.out[d], due.bound[d])
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
  for (std::size_t i = r * kHeadDim; i < got.out.size(); ++i) ASSERT_EQ(got.out[i], kUnwritten);
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
  const Fp8Outputs got = run(c, make_inputs(c));
  ASSERT_EQ(got.message, "");
  for (std::int64_t s = 0; s < c.tokens(); ++s) {
    const auto list = c.list(s / c.patches);
    for (std::int64_t f = 0; f < c.frames; ++f) {
      const bool attended = std::find(list.begin(), list.end(), f) != list.end();
      const double mass = value(got.out[static_cast<std::size_t>(s * kHeadDim + f)], c.out);
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
  const Fp8Outputs clean = run(c, in);
  for (Fp8Tensor* t : {&in.k, &in.v}) {
    std::fill_n(t->bits.begin() + 2 * c.patches * kHeadDim, c.patches * kHeadDim, 0x7f);
  }
  const Fp8Outputs poisoned = run(c, in);
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
  const Fp8Outputs first = run(c, in);
  EXPECT_EQ(first.message, "");
  for (int i = 0; i < 5; ++i) {
    const Fp8Outputs again = run(c, in);
    EXPECT_EQ(first.out, again.out);
    EXPECT_EQ(first.lse, again.lse);
  }
}

TEST(Fp8Hopper, TakesNoScalesAsOnes) {
  LVSA_NEEDS_HOPPER();
  Fp8Case c;
  Fp8Inputs in = make_inputs(c);
  const Fp8Outputs without = run(c, in, false);
  for (Fp8Tensor* t : {&in.q, &in.k, &in.v}) std::fill(t->scales.begin(), t->scales.end(), 1.0F);
  const Fp8Outputs ones = run(c, in);
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
