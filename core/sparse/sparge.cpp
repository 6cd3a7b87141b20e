// SpargeAttn: a block of keys stays when the mean of its rows scores high against the mean of the
// queries' rows, or when a mean says little of its rows. docs/patterns/sparge.md has the rule, the
// order of sums and the points of rounding.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/rules.hpp"
#include "core/sparse/sparge_map.hpp"
#include "core/sparse/tensor_rows.hpp"

namespace lvsa::sparse {
namespace {

constexpr double kSkipOff = 50.0;

// Masks for the blocks that the diagonal cuts: a token attends itself and what lies before it.
ElementMask causal_masks(const BlockMap& map) {
  ElementMaskBuilder masks(map.rows, map.columns);
  std::vector<std::uint64_t> bits;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    for (const std::int32_t c : map.row(r)) {
      if (map.columns.end(c) - 1 <= map.rows.begin(r)) {
        masks.add_full();
        continue;
      }
      bits.assign(static_cast<std::size_t>(masks.block_rows() * masks.words()), 0);
      for (std::int64_t i = map.rows.begin(r); i < map.rows.end(r); ++i) {
        for (std::int64_t j = map.columns.begin(c); j < map.columns.end(c) && j <= i; ++j) {
          const std::int64_t key = j - map.columns.begin(c);
          bits[static_cast<std::size_t>((i - map.rows.begin(r)) * masks.words() + key / 64)] |=
              std::uint64_t{1} << (key % 64);
        }
      }
      masks.add(bits);
    }
  }
  return masks.take();
}

class Sparge : public PatternRule {
 public:
  explicit Sparge(SpargeSettings settings) : settings_(std::move(settings)) {}

  bool needs_tensors() const override { return true; }
  bool depends_on_head() const override {
    return settings_.topk.size() > 1 || settings_.cdfthreshd.size() > 1 ||
           settings_.simthreshd1.size() > 1 || settings_.pvthreshd.size() > 1;
  }

  HeadPattern make(const PatternInput& input) const override {
    require_tensors(input, "sparge");
    if (settings_.strict) require_published(input);
    HeadPattern pattern;
    pattern.map = sparge_map(settings_, input);
    if (settings_.causal) pattern.mask = causal_masks(pattern.map);
    const double skip = value_of_head(settings_.pvthreshd, input.head, "sparge: pvthreshd");
    if (skip < kSkipOff) pattern.skip = SkipRule{skip};
    return pattern;
  }

  double prediction_flops(const PatternInput& input) const override {
    const auto tokens = static_cast<double>(input.video.grid.seq_len());
    // Without tensors the commonest head size stands for the true one.
    const auto dim = static_cast<double>(input.q.data == nullptr ? 128 : input.q.shape[3]);
    const double rows = std::ceil(tokens / static_cast<double>(settings_.block.rows));
    const double columns = std::ceil(tokens / static_cast<double>(settings_.block.columns));
    // A row: sum, square and add, scale and add: 5 an element; k also mean and centre: 2 more.
    return 12.0 * tokens * dim + 2.0 * rows * columns * dim +
           rows * columns * (4.0 + std::ceil(std::log2(columns + 1.0)));
  }

 private:
  static void require_published(const PatternInput& input) {
    const std::int64_t dim = input.q.shape[3];
    if (dim != 64 && dim != 128) {
      throw Error(ErrorKind::kValue,
                  fmt::format("sparge: head size {}: the published code takes 64 and 128; strict=0 "
                              "takes any",
                              dim));
    }
    if (input.q.shape[1] < 128) {
      throw Error(ErrorKind::kValue,
                  fmt::format("sparge: {} tokens: the published code wants 128 at least; strict=0 "
                              "takes any number",
                              input.q.shape[1]));
    }
  }

  SpargeSettings settings_;
};

constexpr std::array<RuleParameter, 12> kParameters = {{
    {"topk", "0.5", "top-k rule: share of the key blocks, 0 .. 1; a number or one per head"},
    {"cdfthreshd", "none", "CDF rule instead: softmax mass, 0 .. 1; a number or one per head"},
    {"simthreshd1", "auto",
     "blocks whose mean cosine is not above stay dense, -1 .. 1; auto: -0.1 with topk, 0.6 with "
     "cdfthreshd; a number or one per head"},
    {"pvthreshd", "50", "online skip, log2 units, 0 .. 50; 50: off; a number or one per head"},
    {"causal", "0", "1: tokens attend themselves and what lies before them"},
    {"attention_sink", "0", "1: the first key block is always kept"},
    {"smooth_k", "1", "1: the mean of all k is taken off first"},
    {"partial_kept", "1", "1: a partial last block is dense, as published; 0: judged by its rows"},
    {"round_p", "0", "1: pooled scores and probabilities rounded to the input type, as published"},
    {"block_q", "128", "tokens of a query block; 64 on compute capability 9.0"},
    {"block_k", "64", "tokens of a key block; 128 on compute capability 9.0"},
    {"strict", "1", "1: only what the published code takes (D 64 or 128, 128 tokens at least)"},
}};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  SpargeSettings s;
  const bool by_cdf = words.text("cdfthreshd") != "none";
  if (by_cdf && words.given("topk")) {
    words.refuse("cdfthreshd", "topk is given too; one rule of the two is due");
  }
  (by_cdf ? s.cdfthreshd : s.topk) = words.numbers(by_cdf ? "cdfthreshd" : "topk", 0.0, 1.0);
  if (words.text("simthreshd1") == "auto") {
    s.simthreshd1 = {by_cdf ? 0.6 : -0.1};
  } else {
    s.simthreshd1 = words.numbers("simthreshd1", -1.0, 1.0);
  }
  s.pvthreshd = words.numbers("pvthreshd", 0.0, kSkipOff);
  s.causal = words.flag("causal");
  s.attention_sink = words.flag("attention_sink");
  s.centre_k = words.flag("smooth_k");
  s.partial_kept = words.flag("partial_kept");
  s.round_p = words.flag("round_p");
  s.strict = words.flag("strict");
  s.block = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  if (s.strict && s.block != BlockSize{128, 64} && s.block != BlockSize{64, 128}) {
    words.refuse("block_q", fmt::format("blocks of {} x {}: 128 x 64 or 64 x 128 are published; "
                                        "strict=0 takes any",
                                        s.block.rows, s.block.columns));
  }
  return std::make_unique<Sparge>(std::move(s));
}

}  // namespace

const RuleInfo& sparge_rule() {
  static const RuleInfo info{
      "sparge",
      "SpargeAttn",
      "SpargeAttn: Accurate and Training-free Sparse Attention (2025), block map of the published "
      "code",
      "blocks by the softmax of pooled q and k: the top share, or a mass",
      kParameters,
      &make,
      {"topk", 0.0, 1.0, false}};
  return info;
}

}  // namespace lvsa::sparse
