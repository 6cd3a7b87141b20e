// Sparse-VideoGen v1: a head is spatial or temporal, whichever mask changes the results of sampled
// rows less; both are a band, the temporal one over tokens sorted by place. The rule stands in
// docs/patterns/sparse_videogen.md.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"
#include "core/sparse/rules.hpp"
#include "core/sparse/sparse_videogen_choice.hpp"
#include "core/sparse/tensor_rows.hpp"
#include "core/sparse/token_band.hpp"

namespace lvsa::sparse {
namespace {

struct Settings {
  bool wan = false;
  double density = 0.25;
  std::optional<double> mul;
  double sample_width = 1.5;
  std::int64_t rows = 32;
  std::uint64_t seed = 0;
  bool sink_before_reorder = true;
  std::int64_t unit = 128;
  BlockSize block{};
};

// Places of video token by token: place p * T + f holds token p of frame f; text behind.
Permutation by_place(const FrameGrid& grid) {
  std::vector<std::int32_t> order;
  order.reserve(static_cast<std::size_t>(grid.seq_len()));
  for (std::int64_t p = 0; p < grid.patches_per_frame; ++p) {
    for (std::int64_t f = 0; f < grid.frames; ++f) {
      order.push_back(static_cast<std::int32_t>(f * grid.patches_per_frame + p));
    }
  }
  for (std::int64_t s = grid.video_tokens(); s < grid.seq_len(); ++s) {
    order.push_back(static_cast<std::int32_t>(s));
  }
  return Permutation(std::move(order), "svg");
}

class SparseVideoGen : public PatternRule {
 public:
  explicit SparseVideoGen(const Settings& settings) : settings_(settings) {}

  bool needs_tensors() const override { return true; }

  HeadPattern make(const PatternInput& input) const override {
    require_tensors(input, "svg");
    require_values(input);
    const FrameGrid& grid = input.video.grid;
    const bool temporal = is_temporal(input);
    HeadPattern pattern = pattern_of_band(
        BlockAxis::uniform(grid.seq_len(), settings_.block.rows),
        BlockAxis::uniform(grid.seq_len(), settings_.block.columns), band_of(grid, temporal));
    if (temporal) pattern.order = by_place(grid);
    pattern.choice = temporal ? "temporal" : "spatial";
    return pattern;
  }

  double prediction_flops(const PatternInput& input) const override {
    const auto dim = static_cast<double>(input.q.data == nullptr ? 128 : input.q.shape[3]);
    const double pairs =
        static_cast<double>(settings_.rows) * static_cast<double>(input.video.grid.seq_len());
    // Scores once; weights and, of v, results three times.
    return pairs * (2.0 * dim + 15.0 + (input.v.data == nullptr ? 0.0 : 6.0 * dim));
  }

 private:
  static void require_values(const PatternInput& input) {
    if (input.v.data == nullptr) return;
    const auto [b, s, h, d] = input.v.shape;
    if (b != 1 || s != input.video.grid.seq_len() || h != 1 || d < 1) {
      throw Error(ErrorKind::kValue,
                  fmt::format("svg: v has the shape [{}, {}, {}, {}], [1, {}, 1, D] is due", b, s,
                              h, d, input.video.grid.seq_len()));
    }
  }

  TokenBand band_of(const FrameGrid& grid, bool temporal) const {
    TokenBand band;
    band.half = half_width(grid);
    band.dense_from = grid.video_tokens();
    if (settings_.wan) band.sinks = grid.patches_per_frame;
    if (settings_.wan && temporal && !settings_.sink_before_reorder) band.stride = grid.frames;
    return band;
  }

  // Largest |i - j| attended; -1: none.
  std::int64_t half_width(const FrameGrid& grid) const {
    const auto patches = static_cast<double>(grid.patches_per_frame);
    const auto unit = static_cast<double>(settings_.unit);
    const double units = multiplier(grid) * patches / unit;
    // Far beyond the ends already, where a cast would still be defined.
    const double width = std::clamp((settings_.wan ? std::ceil(units) : std::floor(units)) * unit,
                                    -1.0, static_cast<double>(grid.seq_len()));
    const auto places = static_cast<std::int64_t>(width);
    return settings_.wan ? places : std::max<std::int64_t>(places - 1, -1);
  }

  double multiplier(const FrameGrid& grid) const {
    if (settings_.mul) return *settings_.mul;
    const auto tokens = static_cast<double>(grid.seq_len());
    const double left = settings_.density - 2.0 * static_cast<double>(grid.text_tokens) / tokens;
    return tokens * (1.0 - std::sqrt(1.0 - left)) / static_cast<double>(grid.patches_per_frame);
  }

  bool is_temporal(const PatternInput& input) const {
    const FrameGrid& grid = input.video.grid;
    SampledMasks masks;
    masks.grid = grid;
    masks.unit = settings_.unit;
    masks.blocks = static_cast<std::int64_t>(
        std::floor(settings_.sample_width * static_cast<double>(grid.patches_per_frame) /
                   static_cast<double>(settings_.unit)));
    masks.sink = settings_.wan;
    masks.sink_before_reorder = settings_.sink_before_reorder;
    const SampledErrors errors =
        sampled_errors(input, masks, sampled_rows(grid, settings_.rows, settings_.seed));
    return errors.temporal < errors.spatial;
  }

  Settings settings_;
};

constexpr std::array<RuleParameter, 10> kParameters = {{
    {"profile", "hunyuan",
     "hunyuan, cogvideox or wan: width of the samples' bands, rounding, sink"},
    {"density", "0.25", "kept share a of all pairs, text included, 0 .. 1"},
    {"mul", "none", "frames that the band is wide to each side, 0 .. 1e6, instead of density"},
    {"sample_width", "auto", "frames of the samples' bands, 0 .. 1e6; auto: 1.5, wan 2"},
    {"rows", "32", "sampled query rows, 1 .. 4096; published: 32 to 64"},
    {"seed", "0", "of the sampled rows, 0 .. 2^31 - 1"},
    {"sink_before_reorder", "1",
     "wan: 1: its first-frame sink is set before the reordering and so marks the first P places, "
     "as published; 0: the tokens of frame 0"},
    {"unit", "128", "tokens that widths are whole multiples of, 1 .. 4096; published: 128"},
    {"block_q", "128", "tokens of a query block, 1 .. 4096"},
    {"block_k", "64", "tokens of a key block, 1 .. 4096"},
}};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Settings s;
  s.wan = words.choice("profile", {"hunyuan", "cogvideox", "wan"}) == "wan";
  s.density = words.number("density", 0.0, 1.0);
  if (words.text("mul") != "none") {
    if (words.given("density")) words.refuse("mul", "density is given too; one of the two is due");
    s.mul = words.number("mul", 0.0, 1e6);
  }
  s.sample_width = words.text("sample_width") == "auto" ? (s.wan ? 2.0 : 1.5)
                                                        : words.number("sample_width", 0.0, 1e6);
  s.rows = words.integer("rows", 1, 4096);
  s.seed = static_cast<std::uint64_t>(
      words.integer("seed", 0, std::numeric_limits<std::int32_t>::max()));
  s.sink_before_reorder = words.flag("sink_before_reorder");
  s.unit = words.integer("unit", 1, 4096);
  s.block = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  return std::make_unique<SparseVideoGen>(s);
}

}  // namespace

const RuleInfo& sparse_videogen_rule() {
  static const RuleInfo info{
      "svg",
      "Sparse-VideoGen",
      "Sparse VideoGen: Accelerating Video Diffusion Transformers with Spatial-Temporal Sparsity "
      "(2025), version 1 of its published code",
      "a band in frame order or in token order, by the error of sampled rows; text dense",
      kParameters,
      &make,
      {"density", 0.0, 1.0, false}};
  return info;
}

}  // namespace lvsa::sparse
