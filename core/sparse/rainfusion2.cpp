// RainFusion v2: blocks of 128 tokens by the softmax of pooled q and k, over 8 x 8 tiles of every
// frame. docs/patterns/rainfusion.md has the rule.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "core/blocks/rule_words.hpp"
#include "core/sparse/rules.hpp"
#include "core/sparse/sparge_blocks.hpp"
#include "core/sparse/tensor_rows.hpp"

namespace lvsa::sparse {
namespace {

constexpr std::int64_t kTile = 8;

struct Settings {
  double sparsity = 0.8;
  std::int64_t block = 128;
  std::int64_t dense_below = 32;
  bool first_frame = true;
};

// Tokens of a frame in tiles, then the rows below them, then the columns right of them.
void add_tiled_frame(const VideoGrid& video, std::int64_t frame, std::vector<std::int32_t>& order) {
  const std::int64_t rows = video.height / kTile * kTile;
  const std::int64_t columns = video.width / kTile * kTile;
  const auto add = [&](std::int64_t y0, std::int64_t y1, std::int64_t x0, std::int64_t x1) {
    for (std::int64_t y = y0; y < y1; ++y) {
      for (std::int64_t x = x0; x < x1; ++x) {
        order.push_back(static_cast<std::int32_t>((frame * video.height + y) * video.width + x));
      }
    }
  };
  for (std::int64_t y = 0; y < rows; y += kTile) {
    for (std::int64_t x = 0; x < columns; x += kTile) add(y, y + kTile, x, x + kTile);
  }
  add(rows, video.height, 0, video.width);
  add(0, rows, columns, video.width);
}

Permutation tiled_order(const VideoGrid& video) {
  const bool ragged = video.height % kTile != 0 || video.width % kTile != 0;
  std::vector<std::int32_t> order;
  order.reserve(static_cast<std::size_t>(video.grid.seq_len()));
  // Ragged frames leave the first one as it is.
  const std::int64_t untouched = ragged ? video.grid.patches_per_frame : 0;
  for (std::int64_t s = 0; s < untouched; ++s) order.push_back(static_cast<std::int32_t>(s));
  for (std::int64_t f = ragged ? 1 : 0; f < video.grid.frames; ++f)
    add_tiled_frame(video, f, order);
  for (std::int64_t s = video.grid.video_tokens(); s < video.grid.seq_len(); ++s) {
    order.push_back(static_cast<std::int32_t>(s));
  }
  return Permutation(std::move(order), "rainfusion2");
}

// Blocks of video and of text apart.
BlockAxis split_axis(const FrameGrid& grid, std::int64_t block) {
  std::vector<std::int64_t> begins;
  for (std::int64_t s = 0; s < grid.video_tokens(); s += block) begins.push_back(s);
  for (std::int64_t s = grid.video_tokens(); s < grid.seq_len(); s += block) begins.push_back(s);
  begins.push_back(grid.seq_len());
  return BlockAxis::of_begins(std::move(begins));
}

class RainFusion2 : public PatternRule {
 public:
  explicit RainFusion2(const Settings& settings) : settings_(settings) {}

  bool needs_tensors() const override { return true; }

  HeadPattern make(const PatternInput& input) const override {
    require_tensors(input, "rainfusion2");
    require_frame_sides(input.video, "rainfusion2");
    const FrameGrid& grid = input.video.grid;
    const BlockAxis axis = split_axis(grid, settings_.block);
    HeadPattern pattern;
    if (video_blocks(grid) < settings_.dense_below) {
      pattern.map = full_block_map(axis, axis);
      pattern.choice = "dense";
      return pattern;
    }
    pattern.order = tiled_order(input.video);
    pattern.map = select(input, axis, *pattern.order);
    return pattern;
  }

  double prediction_flops(const PatternInput& input) const override {
    const FrameGrid& grid = input.video.grid;
    if (video_blocks(grid) < settings_.dense_below) return 0.0;
    const auto dim = static_cast<double>(input.q.data == nullptr ? 128 : input.q.shape[3]);
    const auto blocks = static_cast<double>(split_axis(grid, settings_.block).blocks());
    return 2.0 * static_cast<double>(grid.seq_len()) * dim + 2.0 * blocks * blocks * dim +
           blocks * blocks * (4.0 + std::ceil(std::log2(blocks + 1.0)));
  }

 private:
  std::int64_t video_blocks(const FrameGrid& grid) const {
    return (grid.video_tokens() + settings_.block - 1) / settings_.block;
  }

  BlockMap select(const PatternInput& input, const BlockAxis& axis,
                  const Permutation& order) const {
    const std::int64_t blocks = axis.blocks();
    const std::int64_t dim = input.q.shape[3];
    const std::vector<double> q = pooled_means(input.q, axis, order, "rainfusion2");
    const std::vector<double> k = pooled_means(input.k, axis, order, "rainfusion2");
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
    const std::int64_t text = video_blocks(input.video.grid);  // the first block of text
    const std::int64_t first =
        settings_.first_frame
            ? (input.video.grid.patches_per_frame + settings_.block - 1) / settings_.block
            : 0;
    const auto always = [&](std::int64_t b) { return b >= text || b < first; };
    std::vector<float> scores(static_cast<std::size_t>(blocks));
    std::vector<float> a;
    BlockMap map{axis, axis, {0}, {}};
    for (std::int64_t r = 0; r < blocks; ++r) {
      float threshold = -1.0F;
      if (!always(r)) {
        for (std::int64_t c = 0; c < blocks; ++c) {
          scores[static_cast<std::size_t>(c)] =
              static_cast<float>(dot(q.data() + r * dim, k.data() + c * dim, dim)) * scale;
        }
        require_finite(scores, "rainfusion2", r);
        softmax_fp32(scores, a);
        threshold = nth_largest(a);
      }
      for (std::int64_t c = 0; c < blocks; ++c) {
        if (always(r) || always(c) || a[static_cast<std::size_t>(c)] >= threshold) {
          map.indices.push_back(static_cast<std::int32_t>(c));
        }
      }
      map.indptr.push_back(static_cast<std::int32_t>(map.kept()));
    }
    return map;
  }

  // The keep-th largest; keep is at least 1, where the published code fails.
  float nth_largest(std::vector<float> a) const {
    const double share = static_cast<double>(a.size()) * (1.0 - settings_.sparsity);
    const auto keep = std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(share)), 1);
    std::nth_element(a.begin(), a.begin() + (keep - 1), a.end(), std::greater<>());
    return a[static_cast<std::size_t>(keep - 1)];
  }

  Settings settings_;
};

constexpr std::array<RuleParameter, 4> kParameters = {{
    {"sparsity", "0.8", "share of the key blocks that a row drops, 0 .. 1"},
    {"block", "128", "tokens of a block, 1 .. 4096; published: 128"},
    {"dense_below", "32", "fewer blocks of video than this: dense, 0 .. 1000000"},
    {"first_frame", "1", "1: the first ceil(P / block) rows and columns of blocks are kept"},
}};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Settings s;
  s.sparsity = words.number("sparsity", 0.0, 1.0);
  s.block = words.integer("block", 1, 4096);
  s.dense_below = words.integer("dense_below", 0, 1000000);
  s.first_frame = words.flag("first_frame");
  return std::make_unique<RainFusion2>(s);
}

}  // namespace

const RuleInfo& rainfusion2_rule() {
  static const RuleInfo info{
      "rainfusion2",
      "RainFusion v2",
      "RainFusion, block-wise version of its published code (2025)",
      "blocks of 8 x 8 tiles by the softmax of pooled q and k; first frame and text kept",
      kParameters,
      &make,
      {"sparsity", 1.0, 0.0, false}};
  return info;
}

}  // namespace lvsa::sparse
