// Radial attention: the width of the diagonal halves with each doubling of the distance of two
// frames; where it would be below a block, distances are left out instead.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/blocks/rule_words.hpp"
#include "core/blocks/segment_pattern.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

constexpr std::array<RuleParameter, 9> kParameters = {{
    {"decay", "1", "factor of the diagonal's width, 0 .. 1e6"},
    {"model", "wan", "wan: key frame 0 is attended by all; hunyuan: it is not"},
    {"mask", "blocks", "blocks: whole blocks of 128, as published; tokens: the token rule exactly"},
    {"cut", "frames", "of mask=blocks, frames: each pair of frames alone, as published; whole"},
    {"dense_layers", "0", "first layers that are dense"},
    {"dense_steps", "0", "first denoising steps that are dense"},
    {"block", "128", "tokens of a block of the rule, 16 .. 1024"},
    {"block_q", "128", "tokens of a query block, divides block where mask=blocks"},
    {"block_k", "64", "tokens of a key block, divides block where mask=blocks"},
}};

// The published code compares with 128 here whatever its block size is.
constexpr double kSplitBelow = 128.0;
constexpr std::int64_t kNone = -1;

struct Settings {
  double decay = 1.0;
  bool sink = true;
  bool token_mask = false;
  bool whole = false;
  std::int64_t dense_layers = 0;
  std::int64_t dense_steps = 0;
  std::int64_t block = 128;
  BlockSize size;
};

// How far off the diagonal a pair of frames is attended: |p - p'| <= reach, kNone: not at all.
class Reach {
 public:
  Reach(const Settings& settings, const FrameGrid& grid) : sink_(settings.sink) {
    const std::int64_t frame = grid.patches_per_frame;
    for (std::int64_t d = 0; d < grid.frames; ++d) {
      const double unit = std::ldexp(1.0, bits(frame) - bits(d));
      if (unit < kSplitBelow && d % static_cast<std::int64_t>(kSplitBelow / unit) != 0) {
        of_distance_.push_back(kNone);
        continue;
      }
      const double width = std::max(settings.decay * unit, static_cast<double>(settings.block));
      const bool all = d <= 1 || width >= static_cast<double>(frame);
      of_distance_.push_back(all ? frame : static_cast<std::int64_t>(width));
    }
    all_ = frame;
  }

  std::int64_t operator()(std::int64_t query_frame, std::int64_t key_frame) const {
    if (sink_ && key_frame == 0) return all_;
    return of_distance_[static_cast<std::size_t>(std::abs(query_frame - key_frame))];
  }

 private:
  static int bits(std::int64_t value) {
    return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value)));
  }

  bool sink_;
  std::int64_t all_ = 0;
  std::vector<std::int64_t> of_distance_;
};

// Filled and well filled columns of a block.
struct Columns {
  std::int64_t filled = 0;
  std::int64_t high = 0;
  void count(std::int64_t rows, std::int64_t block) {
    filled += rows > 0 ? 1 : 0;
    high += 3 * rows > block ? 1 : 0;  // rows / block > 1/3
  }
  // high / (filled + 1e-9) > 0.6, without a quotient: the small number matters for 0 / 0 only.
  bool keeps() const { return 5 * high > 3 * filled; }
};

// Which blocks of the rule are kept, over all tokens.
class Kept {
 public:
  Kept(const Settings& settings, const FrameGrid& grid)
      : reach_(settings, grid),
        block_(settings.block),
        frame_(grid.patches_per_frame),
        frames_(grid.frames),
        blocks_((grid.seq_len() + settings.block - 1) / settings.block),
        border_(grid.video_tokens() / settings.block),
        bits_(static_cast<std::size_t>(blocks_ * blocks_)) {
    settings.whole ? rate_whole() : rate_frames();
  }

  bool operator()(std::int64_t r, std::int64_t c) const {
    return r >= border_ || c >= border_ || bits_[static_cast<std::size_t>(r * blocks_ + c)];
  }

 private:
  // Blocks beyond the last one are those of no token.
  void keep(std::int64_t r, std::int64_t c) {
    if (r < blocks_ && c < blocks_) bits_[static_cast<std::size_t>(r * blocks_ + c)] = true;
  }

  // As published: each pair of frames has ceil(P / block) blocks from the one on in which it
  // begins; what sticks out behind these, for frames that begin inside of a block, is not looked
  // at.
  void rate_frames() {
    const std::int64_t spanned = (frame_ + block_ - 1) / block_;
    for (std::int64_t f = 0; f < frames_; ++f) {
      for (std::int64_t g = 0; g < frames_; ++g) {
        const std::int64_t reach = reach_(f, g);
        if (reach == kNone) continue;
        const std::int64_t row = f * frame_ / block_;
        const std::int64_t column = g * frame_ / block_;
        for (std::int64_t r = row; r < row + spanned; ++r) {
          for (std::int64_t c = column; c < column + spanned; ++c) {
            if (frames_keep(r * block_ - f * frame_, c * block_ - g * frame_, reach)) keep(r, c);
          }
        }
      }
    }
  }

  // Of a block that begins at row y0 and column x0 of a pair of frames.
  bool frames_keep(std::int64_t y0, std::int64_t x0, std::int64_t reach) const {
    const std::int64_t y1 = y0 + block_;
    const std::int64_t x1 = x0 + block_;
    if (y0 - x1 >= reach || x0 - y1 >= reach) return false;
    const bool inside = y0 >= 0 && x0 >= 0 && y1 <= frame_ && x1 <= frame_;
    if (inside && y1 - 1 - x0 <= reach && x1 - 1 - y0 <= reach) return true;
    Columns columns;
    for (std::int64_t x = std::max<std::int64_t>(x0, 0); x < std::min(x1, frame_); ++x) {
      const std::int64_t first = std::max({y0, std::int64_t{0}, x - reach});
      const std::int64_t last = std::min({y1, frame_, x + reach + 1});
      columns.count(last - first, block_);
    }
    return columns.keeps();
  }

  void rate_whole() {
    for (std::int64_t r = 0; r < border_; ++r) {
      for (std::int64_t c = 0; c < border_; ++c) {
        Columns columns;
        for (std::int64_t x = c * block_; x < (c + 1) * block_; ++x) {
          columns.count(rows_of(r, x), block_);
        }
        if (columns.keeps()) keep(r, c);
      }
    }
  }

  // Filled rows of a block in the column of a video token.
  std::int64_t rows_of(std::int64_t r, std::int64_t key) const {
    const std::int64_t begin = r * block_;
    const std::int64_t end = begin + block_;
    std::int64_t rows = 0;
    for (std::int64_t f = begin / frame_; f * frame_ < end; ++f) {
      const std::int64_t reach = reach_(f, key / frame_);
      if (reach == kNone) continue;
      const std::int64_t at = f * frame_ + key % frame_;  // of the diagonal
      const std::int64_t first = std::max({begin, f * frame_, at - reach});
      const std::int64_t last = std::min({end, (f + 1) * frame_, at + reach + 1});
      rows += std::max<std::int64_t>(last - first, 0);
    }
    return rows;
  }

  Reach reach_;
  std::int64_t block_;
  std::int64_t frame_;
  std::int64_t frames_;
  std::int64_t blocks_;
  std::int64_t border_;  // the block that holds the end of the video, kept like those of text
  std::vector<bool> bits_;
};

class Radial : public PatternRule {
 public:
  explicit Radial(const Settings& settings) : settings_(settings) {}

  bool depends_on_head() const override { return settings_.dense_layers > 0; }
  bool depends_on_step() const override { return settings_.dense_steps > 0; }

  HeadPattern make(const PatternInput& input) const override {
    const FrameGrid& grid = input.video.grid;
    BlockAxis rows = BlockAxis::uniform(grid.seq_len(), settings_.size.rows);
    BlockAxis columns = BlockAxis::uniform(grid.seq_len(), settings_.size.columns);
    HeadPattern pattern;
    if (input.layer < settings_.dense_layers || input.step < settings_.dense_steps) {
      pattern.map = full_block_map(std::move(rows), std::move(columns));
      pattern.choice = "dense";
      return pattern;
    }
    if (settings_.token_mask) return tokens(grid, std::move(rows), std::move(columns));
    const Kept kept(settings_, grid);
    const std::int64_t down = settings_.block / settings_.size.rows;
    const std::int64_t across = settings_.block / settings_.size.columns;
    pattern.map =
        make_block_map(std::move(rows), std::move(columns),
                       [&](std::int64_t r, std::int64_t c) { return kept(r / down, c / across); });
    return pattern;
  }

 private:
  HeadPattern tokens(const FrameGrid& grid, BlockAxis rows, BlockAxis columns) const {
    const Reach reach(settings_, grid);
    const std::int64_t frame = grid.patches_per_frame;
    const auto ranges = [&](std::int64_t place, std::vector<KeyRange>& out) {
      if (place >= grid.video_tokens()) return append_range(out, 0, grid.seq_len());
      for (std::int64_t g = 0; g < grid.frames; ++g) {
        const std::int64_t width = reach(place / frame, g);
        if (width == kNone) continue;
        const std::int64_t p = place % frame;
        append_range(out, g * frame + std::max<std::int64_t>(p - width, 0),
                     g * frame + std::min(p + width + 1, frame));
      }
      append_range(out, grid.video_tokens(), grid.seq_len());
    };
    return pattern_of_ranges(std::move(rows), std::move(columns), ranges);
  }

  Settings settings_;
};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Settings settings;
  settings.decay = words.number("decay", 0.0, 1e6);
  settings.sink = words.choice("model", {"wan", "hunyuan"}) == "wan";
  settings.token_mask = words.choice("mask", {"blocks", "tokens"}) == "tokens";
  settings.whole = words.choice("cut", {"frames", "whole"}) == "whole";
  if (settings.token_mask && words.given("cut")) words.refuse("cut", "mask=blocks is due for it");
  settings.dense_layers = words.integer("dense_layers", 0, 1 << 20);
  settings.dense_steps = words.integer("dense_steps", 0, 1 << 20);
  settings.block = words.integer("block", 16, 1024);
  settings.size = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  if (!settings.token_mask && settings.block % settings.size.rows != 0) {
    words.refuse("block_q", "a divisor of block is due");
  }
  if (!settings.token_mask && settings.block % settings.size.columns != 0) {
    words.refuse("block_k", "a divisor of block is due");
  }
  return std::make_unique<Radial>(settings);
}

}  // namespace

const RuleInfo& radial_rule() {
  static const RuleInfo info{
      "radial",
      "Radial attention",
      "Radial Attention, O(n log n) sparse attention (2025), code of November 2025",
      "a diagonal in each pair of frames, narrower with their distance; text attended by all",
      kParameters,
      &make,
      {"decay", 0.0, 64.0, false}};
  return info;
}

}  // namespace lvsa::sparse
