// RainFusion v1: heads that look around themselves in space or in time, told apart by how much of
// two samples a band holds. docs/patterns/rainfusion.md has the rule.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <numeric>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/rules.hpp"
#include "core/sparse/tensor_rows.hpp"
#include "core/sparse/token_band.hpp"

namespace lvsa::sparse {
namespace {

constexpr std::int64_t kUnit = 128;  // bands are whole numbers of it

struct Settings {
  double sparsity = 0.64;
  double local_recall = 0.95;
  bool dense_at_one = false;
  std::int64_t unit = kUnit;
  BlockSize block{};
};

// Python's round(x, 2) for 0 <= x <= 1: the nearest of the exact value, ties to the even digit.
double round_to_hundredths(double x) {
  if (x < 0.001) return 0.0;
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);  // x = fraction * 2^exponent
  const auto significand = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  const int shift = 53 - exponent;                  // 52 .. 62, since x >= 2^-10
  const std::uint64_t product = significand * 100;  // below 2^60
  std::uint64_t hundredths = product >> shift;
  const std::uint64_t rest = product & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  if (rest > half || (rest == half && hundredths % 2 == 1)) ++hundredths;
  return static_cast<double>(hundredths) / 100.0;
}

// Mean share of a row's softmax within |i - j| <= half, over the same tokens as queries and keys.
float recall(const PatternInput& input, const std::vector<std::int64_t>& tokens,
             std::int64_t half) {
  const std::int64_t dim = input.q.shape[3];
  const double scale = 1.0 / std::sqrt(static_cast<double>(dim));
  const std::vector<double> q = read_rows(input.q, tokens);
  const std::vector<double> k = read_rows(input.k, tokens);
  const auto count = static_cast<std::int64_t>(tokens.size());
  std::vector<double> scores(tokens.size());
  std::vector<double> weights(tokens.size());
  double mass = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0; j < count; ++j) {
      scores[static_cast<std::size_t>(j)] =
          dot(q.data() + i * dim, k.data() + j * dim, dim) * scale;
    }
    exp_differences(scores.data(), *std::max_element(scores.begin(), scores.end()), count,
                    weights.data());
    const auto from = weights.begin() + std::max<std::int64_t>(i - half, 0);
    const auto to = weights.begin() + std::min(i + half + 1, count);
    const double row =
        std::accumulate(from, to, 0.0) / std::accumulate(weights.begin(), weights.end(), 0.0);
    if (!std::isfinite(row)) {
      throw Error(ErrorKind::kValue,
                  fmt::format("rainfusion: the scores of token {} are not finite",
                              tokens[static_cast<std::size_t>(i)]));
    }
    mass += row;
  }
  return static_cast<float>(mass / static_cast<double>(count));
}

// Frames 1 .. T - 1, frame by frame or, `by_place`, token by token; text; frame 0.
Permutation rolled_order(const FrameGrid& grid, bool by_place) {
  const std::int64_t patches = grid.patches_per_frame;
  std::vector<std::int32_t> order;
  order.reserve(static_cast<std::size_t>(grid.seq_len()));
  const auto add = [&](std::int64_t token) { order.push_back(static_cast<std::int32_t>(token)); };
  if (by_place) {
    for (std::int64_t p = 0; p < patches; ++p) {
      for (std::int64_t f = 1; f < grid.frames; ++f) add(f * patches + p);
    }
  }
  for (std::int64_t s = by_place ? grid.video_tokens() : patches; s < grid.seq_len(); ++s) add(s);
  for (std::int64_t s = 0; s < patches; ++s) add(s);
  return Permutation(std::move(order), "rainfusion");
}

class RainFusion : public PatternRule {
 public:
  explicit RainFusion(const Settings& settings)
      : settings_(settings), width_(round_to_hundredths(1.0 - std::sqrt(settings.sparsity))) {}

  bool needs_tensors() const override { return true; }

  HeadPattern make(const PatternInput& input) const override {
    require_tensors(input, "rainfusion");
    const FrameGrid& grid = input.video.grid;
    BlockAxis rows = BlockAxis::uniform(grid.seq_len(), settings_.block.rows);
    BlockAxis columns = BlockAxis::uniform(grid.seq_len(), settings_.block.columns);
    HeadPattern pattern;
    if (is_dense(grid)) {
      pattern.map = full_block_map(std::move(rows), std::move(columns));
      pattern.choice = "dense";
      return pattern;
    }
    const bool local = is_local(input);
    TokenBand band;
    band.half = local ? local_half(grid) : global_half(grid);
    band.dense_from = (grid.frames - 1) * grid.patches_per_frame;
    pattern = pattern_of_band(std::move(rows), std::move(columns), band);
    pattern.order = rolled_order(grid, local);
    pattern.choice = local ? "local" : "global";
    return pattern;
  }

  double prediction_flops(const PatternInput& input) const override {
    if (is_dense(input.video.grid)) return 0.0;
    const auto dim = static_cast<double>(input.q.data == nullptr ? 128 : input.q.shape[3]);
    const auto patches = static_cast<double>(input.video.grid.patches_per_frame);
    return 2.0 * patches * patches * (2.0 * dim + 5.0);
  }

 private:
  // One frame alone is the dense part.
  bool is_dense(const FrameGrid& grid) const {
    return grid.frames < 2 || (settings_.dense_at_one && settings_.sparsity >= 1.0 - 1e-5);
  }

  bool is_local(const PatternInput& input) const {
    const std::int64_t patches = input.video.grid.patches_per_frame;
    const std::int64_t later_frames = input.video.grid.frames - 1;
    const auto half = static_cast<std::int64_t>(static_cast<double>(patches) * width_);
    std::vector<std::int64_t> tokens(static_cast<std::size_t>(patches));
    std::iota(tokens.begin(), tokens.end(), patches);
    const float local = recall(input, tokens, half);
    if (local > static_cast<float>(settings_.local_recall)) return true;
    for (std::int64_t p = 0; p < patches; ++p) {
      tokens[static_cast<std::size_t>(p)] = patches + p * later_frames;
    }
    return local > recall(input, tokens, half);
  }

  std::int64_t local_half(const FrameGrid& grid) const {
    const double places = width_ * static_cast<double>(grid.patches_per_frame);
    return units(places) * (grid.frames - 1) * settings_.unit;
  }
  std::int64_t global_half(const FrameGrid& grid) const {
    const std::int64_t places = (grid.frames - 1) * grid.patches_per_frame;
    return units(width_ * static_cast<double>(places)) * settings_.unit;
  }
  std::int64_t units(double places) const {
    return static_cast<std::int64_t>(std::floor(places / static_cast<double>(settings_.unit)));
  }

  Settings settings_;
  double width_;  // relative half width of the bands
};

constexpr std::array<RuleParameter, 6> kParameters = {{
    {"sparsity", "0.64", "dropped fraction a, 0 .. 1: bands of half width round(1 - sqrt(a), 2)"},
    {"local_recall", "0.95", "local when the local sample holds more than this, 0 .. 1"},
    {"dense_at_one", "0", "1: sparsity 1 means dense, as the published code has it"},
    {"unit", "128", "tokens that half widths are whole multiples of, 1 .. 4096; published: 128"},
    {"block_q", "128", "tokens of a query block, 1 .. 4096"},
    {"block_k", "64", "tokens of a key block, 1 .. 4096"},
}};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Settings s;
  s.sparsity = words.number("sparsity", 0.0, 1.0);
  s.local_recall = words.number("local_recall", 0.0, 1.0);
  s.dense_at_one = words.flag("dense_at_one");
  s.unit = words.integer("unit", 1, 4096);
  s.block = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  return std::make_unique<RainFusion>(s);
}

}  // namespace

const RuleInfo& rainfusion_rule() {
  static const RuleInfo info{
      "rainfusion",
      "RainFusion v1",
      "RainFusion: Adaptive Video Generation Acceleration via Multi-Dimensional Visual Redundancy "
      "(2025), two classes of its published code",
      "bands in space or in time, by the recall of samples; first frame and text dense",
      kParameters,
      &make,
      {"sparsity", 1.0, 0.0, false}};
  return info;
}

}  // namespace lvsa::sparse
