#include "tests/support/prediction_case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/error.hpp"
#include "core/numeric/small_floats.hpp"
#include "core/sparse/sparge_map.hpp"

namespace lvsa::test_support {
namespace {

constexpr std::int32_t kUnwritten = -7;

// Near enough to a normal distribution, the same with every standard library.
double normal(std::mt19937& random) {
  double sum = 0.0;
  for (int i = 0; i < 4; ++i) sum += std::ldexp(static_cast<double>(random()), -32) - 0.5;
  return sum * 1.7;
}

class RowMaker {
 public:
  RowMaker(const PredictionCase& c, PredictionFill fill, std::uint32_t seed)
      : bf16_(c.dtype == LVSA_BF16), fill_(fill), random_(seed) {
    for (int i = 0; i < 3; ++i) {
      anchors_.emplace_back();
      for (std::int64_t d = 0; d < c.head_dim; ++d) anchors_.back().push_back(normal(random_));
    }
  }

  void next_row() {
    if (random_() % 7 == 0) anchor_ = random_() % 3;
    ++row_;
  }
  std::uint16_t element(std::size_t d) {
    const double x = std::clamp(value(d), -limit(), limit());
    return bf16_ ? double_to_bf16(x) : double_to_fp16(x);
  }

 private:
  double limit() const {
    if (fill_ == PredictionFill::kInfinity) return std::numeric_limits<double>::infinity();
    return bf16_ ? 0x1p127 : 65504.0;
  }
  double value(std::size_t d) {
    const double noise = normal(random_);
    const double anchor = anchors_[anchor_][d];
    switch (fill_) {
      case PredictionFill::kNoise:
        return noise;
      case PredictionFill::kBlobs:
        return 2.0 * anchor + 0.3 * noise;
      case PredictionFill::kPeaked:
        return 20.0 * anchor + noise;
      case PredictionFill::kConstant:
        return anchors_[0][d];
      case PredictionFill::kZero:
        return 0.0;
      case PredictionFill::kFew:
        return anchors_[static_cast<std::size_t>(row_ / 16 % 3)][d];
      case PredictionFill::kHoles:
        return row_ % 97 == 0 || random_() % 5 == 0 ? 0.0 : anchor;
      case PredictionFill::kWide:
        return std::ldexp(noise, bf16_ ? static_cast<int>(random_() % 220) - 120
                                       : static_cast<int>(random_() % 34) - 20);
      case PredictionFill::kTiny:
        return std::ldexp(noise, bf16_ ? -130 : -20);
      case PredictionFill::kHuge:
        return (random_() % 2 == 0 ? 1.0 : 0x1p-40) * noise * (bf16_ ? 0x1p126 : 0x1p15);
      case PredictionFill::kPowers:
        return std::ldexp(random_() % 2 == 0 ? 1.0 : -1.0, static_cast<int>(random_() % 44) - 24);
      case PredictionFill::kDust:
        return random_() % 20 != 0 ? noise : std::ldexp(noise, -static_cast<int>(random_() % 48));
      case PredictionFill::kFaint:
        return std::ldexp(noise, -16);
      case PredictionFill::kCancel:  // the opposites come in the same block, some rows behind
        if (row_ % 16 == 3) return std::ldexp(anchors_[0][d], bf16_ ? 70 : 12);
        if (row_ % 16 == 9) return std::ldexp(-anchors_[0][d], bf16_ ? 70 : 12);
        return noise;
      case PredictionFill::kPaired:
        if (d % 2 == 0) even_ = noise;
        return even_;
      case PredictionFill::kOpposed:
        if (d < 2) return std::ldexp(d == 0 ? 1.0 : -1.0, bf16_ ? 56 : 15);
        return noise;
      case PredictionFill::kInfinity:
        return row_ == 5 && d == 3 ? std::numeric_limits<double>::infinity() : noise;
    }
    return 0.0;
  }

  bool bf16_;
  PredictionFill fill_;
  std::mt19937 random_;
  std::vector<std::vector<double>> anchors_;
  std::size_t anchor_ = 0;
  std::int64_t row_ = 0;
  double even_ = 0.0;
};

PredictionTensor make_tensor(const PredictionCase& c, std::int64_t heads, PredictionFill fill,
                             std::uint32_t seed) {
  PredictionTensor t;
  if (c.heads_first) {
    t.strides[1] = c.head_dim + 8;
    t.strides[2] = (c.tokens + 1) * t.strides[1];
    t.strides[0] = heads * t.strides[2];
  } else {
    t.strides[2] = c.head_dim;
    t.strides[1] = heads * c.head_dim;
    t.strides[0] = (c.tokens + 1) * t.strides[1];
  }
  t.strides[3] = 1;
  t.bits.assign(static_cast<std::size_t>(c.batch * t.strides[0]), 0x7fff);
  for (std::int64_t bh = 0; bh < c.batch * heads; ++bh) {
    RowMaker rows(c, fill, seed + static_cast<std::uint32_t>(bh));
    for (std::int64_t s = 0; s < c.tokens; ++s) {
      const std::int64_t first =
          bh / heads * t.strides[0] + s * t.strides[1] + bh % heads * t.strides[2];
      for (std::int64_t d = 0; d < c.head_dim; ++d) {
        t.bits[static_cast<std::size_t>(first + d)] = rows.element(static_cast<std::size_t>(d));
      }
      rows.next_row();
    }
  }
  return t;
}

TensorView view_of(const PredictionCase& c, const PredictionTensor& t, std::int64_t b,
                   std::int64_t h) {
  TensorView view;
  view.data = t.bits.data() + b * t.strides[0] + h * t.strides[2];
  view.dtype = c.dtype;
  view.shape = {1, c.tokens, 1, c.head_dim};
  view.strides = {0, t.strides[1], 0, 1};
  return view;
}

// One number for all heads or one for each.
std::vector<double> any_numbers(std::int64_t heads, const std::vector<double>& often) {
  const bool each = *rc::gen::arbitrary<bool>();
  std::vector<double> numbers(static_cast<std::size_t>(each ? heads : 1));
  for (double& number : numbers) number = *rc::gen::elementOf(often);
  return numbers;
}

}  // namespace

std::string text(const PredictionCase& c) {
  return fmt::format(
      "B={} H={} Hkv={} S={} D={} blocks={}x{} dtype={} heads_first={} fills={},{} seed={} topk={} "
      "cdfthreshd={} simthreshd1={} sink={} smooth_k={} partial_kept={} round_p={}",
      c.batch, c.heads, c.kv_heads, c.tokens, c.head_dim, c.block_rows, c.block_columns,
      static_cast<int>(c.dtype), c.heads_first, static_cast<int>(c.q_fill),
      static_cast<int>(c.k_fill), c.seed, fmt::join(c.topk, ","), fmt::join(c.cdfthreshd, ","),
      fmt::join(c.simthreshd1, ","), c.attention_sink, c.smooth_k, c.partial_kept, c.round_p);
}

PredictionCase any_prediction_case(std::int64_t most_tokens) {
  const auto flag = [] { return *rc::gen::arbitrary<bool>(); };
  const auto fill = [] {
    return static_cast<PredictionFill>(*rc::gen::weightedOneOf<int>(
        {{1, rc::gen::just(1)}, {1, rc::gen::inRange(0, kPredictionFills)}}));
  };
  PredictionCase c;
  c.batch = *rc::gen::inRange<std::int64_t>(1, 3);
  c.kv_heads = *rc::gen::inRange<std::int64_t>(1, 3);
  c.heads = c.kv_heads * *rc::gen::inRange<std::int64_t>(1, 3);
  c.tokens = *rc::gen::weightedOneOf<std::int64_t>(
      {{2, rc::gen::inRange<std::int64_t>(1, most_tokens + 1)},
       {1, rc::gen::map(rc::gen::inRange<std::int64_t>(1, most_tokens / 128 + 1),
                        [](std::int64_t n) { return n * 128; })}});
  c.head_dim = *rc::gen::element<std::int64_t>(64, 128);
  c.block_rows = *rc::gen::element<std::int64_t>(64, 128);
  c.block_columns = *rc::gen::element<std::int64_t>(64, 128);
  c.dtype = *rc::gen::element(LVSA_BF16, LVSA_F16);
  c.heads_first = flag();
  c.q_fill = fill();
  c.k_fill = fill();
  c.seed = *rc::gen::arbitrary<std::uint32_t>();
  std::vector<double> shares = {0.0, 1.0, 0.98};
  for (int i = 1; i < 20; ++i) shares.push_back(i / 20.0);
  c.topk = any_numbers(c.heads, shares);
  if (flag()) std::swap(c.topk, c.cdfthreshd);
  c.simthreshd1 = any_numbers(c.heads, {-1.0, -0.1, -0.1, -0.1, 0.0, 0.02, 0.3, 0.6, 0.9, 1.0});
  c.attention_sink = flag();
  c.smooth_k = *rc::gen::weightedElement<bool>({{1, false}, {3, true}});
  c.partial_kept = flag();
  c.round_p = *rc::gen::weightedElement<bool>({{3, false}, {1, true}});
  return c;
}

PredictionTensors make_tensors(const PredictionCase& c) {
  return {make_tensor(c, c.heads, c.q_fill, c.seed),
          make_tensor(c, c.kv_heads, c.k_fill, c.seed + 1000)};
}

std::vector<std::optional<BlockMap>> rule_maps(const PredictionCase& c,
                                               const PredictionTensors& tensors) {
  sparse::SpargeSettings settings;
  settings.topk = c.topk;
  settings.cdfthreshd = c.cdfthreshd;
  settings.simthreshd1 = c.simthreshd1;
  settings.pvthreshd = {50.0};
  settings.attention_sink = c.attention_sink;
  settings.centre_k = c.smooth_k;
  settings.partial_kept = c.partial_kept;
  settings.round_p = c.round_p;
  settings.strict = false;
  settings.block = {c.block_rows, c.block_columns};
  std::vector<std::optional<BlockMap>> maps;
  for (std::int64_t bh = 0; bh < c.batch * c.heads; ++bh) {
    PatternInput input;
    input.video = {make_frame_grid(1, c.tokens, 0)};
    input.head = bh % c.heads;
    input.heads = c.heads;
    input.q = view_of(c, tensors.q, bh / c.heads, input.head);
    input.k = view_of(c, tensors.k, bh / c.heads, input.head / (c.heads / c.kv_heads));
    try {
      maps.emplace_back(sparse::sparge_map(settings, input));
    } catch (const Error&) {  // numbers that are not finite
      maps.emplace_back(std::nullopt);
    }
  }
  return maps;
}

PredictedMaps unwritten_maps(const PredictionCase& c) {
  const auto rows = static_cast<std::size_t>(c.batch * c.heads * c.row_blocks());
  return {std::vector<std::int32_t>(rows, kUnwritten),
          std::vector<std::int32_t>(rows * static_cast<std::size_t>(c.column_blocks()), kUnwritten),
          std::vector<std::int32_t>(static_cast<std::size_t>(c.batch * c.heads), kUnwritten)};
}

std::string difference(const PredictionCase& c, const std::vector<std::optional<BlockMap>>& due,
                       const PredictedMaps& got) {
  for (std::size_t head = 0; head < due.size(); ++head) {
    const std::int32_t fault = due[head] ? 0 : 1;
    if (got.faults[head] != fault) {
      return fmt::format("head {}: fault {}, {} is due", head, got.faults[head], fault);
    }
    for (std::int64_t r = 0; r < c.row_blocks(); ++r) {
      const std::size_t x =
          head * static_cast<std::size_t>(c.row_blocks()) + static_cast<std::size_t>(r);
      const std::int32_t count = got.row_count[x];
      if (count < 1 || count > c.column_blocks()) {
        return fmt::format("head {} row {}: count {}", head, r, count);
      }
      const auto first = got.indices.begin() + static_cast<std::ptrdiff_t>(x) * c.column_blocks();
      const std::vector<std::int32_t> row(first, first + count);
      if (!due[head]) {
        if (row.front() < 0 || row.back() >= c.column_blocks() ||
            std::adjacent_find(row.begin(), row.end(), std::greater_equal<>()) != row.end()) {
          return fmt::format("head {} row {} of a refused head: {}", head, r, fmt::join(row, " "));
        }
        continue;
      }
      const auto want = due[head]->row(r);
      if (!std::equal(row.begin(), row.end(), want.begin(), want.end())) {
        return fmt::format("head {} row {}: {}, due are {}", head, r, fmt::join(row, " "),
                           fmt::join(want, " "));
      }
    }
  }
  return "";
}

}  // namespace lvsa::test_support
