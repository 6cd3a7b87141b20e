// Maps drawn at random: what kernels are tested with. Whatever a map may hold, it holds: rows
// without keys, element masks, orders, a map of its own for each head, blocks that end with a
// frame.

#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "core/blocks/rule_words.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

// What is drawn; each has numbers of its own.
enum Draw : std::uint64_t { kKept = 1, kEmpty, kMasked, kShape, kBit, kOrder };

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

struct Words {
  BlockSize block;
  double density = 0.5;
  double empty = 0.0;
  double masks = 0.0;
  bool order = false;
  bool per_head = true;
  std::string segments;
  std::vector<double> skip;
  std::uint64_t seed = 1;
};

class Random : public PatternRule {
 public:
  explicit Random(Words words) : words_(std::move(words)) {}

  bool depends_on_head() const override { return words_.per_head; }

  HeadPattern make(const PatternInput& input) const override {
    const std::uint64_t head =
        words_.per_head ? static_cast<std::uint64_t>(input.head + 1) : std::uint64_t{0};
    HeadPattern pattern;
    pattern.map = make_block_map(axis(input.video.grid, words_.block.rows),
                                 axis(input.video.grid, words_.block.columns),
                                 [&](std::int64_t r, std::int64_t c) {
                                   if (chance(head, kEmpty, r, 0) < words_.empty) return false;
                                   return chance(head, kKept, r, c) < words_.density;
                                 });
    if (words_.masks > 0.0) pattern.mask = masks(pattern.map, head);
    if (words_.order) pattern.order = order(input.video.grid.seq_len(), head);
    const double skip = value_of_head(words_.skip, input.head, "random: skip");
    if (skip < 50.0) pattern.skip = SkipRule{skip};
    return pattern;
  }

 private:
  std::uint64_t bits(std::uint64_t head, Draw draw, std::int64_t a, std::int64_t b) const {
    std::uint64_t key = mixed(words_.seed * 0x9e3779b97f4a7c15ULL + head * 64 + draw);
    key = mixed(key + static_cast<std::uint64_t>(a) * 0x9e3779b97f4a7c15ULL);
    return mixed(key + static_cast<std::uint64_t>(b) * 0x9e3779b97f4a7c15ULL);
  }
  // 0 <= chance < 1.
  double chance(std::uint64_t head, Draw draw, std::int64_t a, std::int64_t b) const {
    return std::ldexp(static_cast<double>(bits(head, draw, a, b) >> 11), -53);
  }

  BlockAxis axis(const FrameGrid& grid, std::int64_t block) const {
    if (words_.segments == "none") return BlockAxis::uniform(grid.seq_len(), block);
    const bool frames = words_.segments == "frames";
    std::vector<std::int64_t> begins;
    const auto cut = [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; at += block) begins.push_back(at);
    };
    for (std::int64_t f = 0; frames && f < grid.frames; ++f) {
      cut(f * grid.patches_per_frame, (f + 1) * grid.patches_per_frame);
    }
    if (!frames) cut(0, grid.video_tokens());
    cut(grid.video_tokens(), grid.seq_len());
    begins.push_back(grid.seq_len());
    return BlockAxis::of_begins(std::move(begins));
  }

  // Whether a mask of shape `shape` attends row i and column j of a block that has `rows` rows and
  // `columns` columns; each shape has a pair at least.
  bool attends(std::uint64_t shape, std::int64_t i, std::int64_t j, std::int64_t rows,
               std::int64_t columns, std::uint64_t random) const {
    switch (shape) {
      case 0:  // below the diagonal
        return j <= i;
      case 1:  // one pair: the last key of the last row
        return i == rows - 1 && j == columns - 1;
      case 2:  // all keys but the first
        return j > 0 || columns == 1;
      case 3:  // all rows but the last
        return i + 1 < rows || rows == 1;
      case 4:  // above the diagonal
        return j >= i || j == columns - 1;
      default:
        return i == 0 || (random & 1u) != 0;
    }
  }

  ElementMask masks(const BlockMap& map, std::uint64_t head) const {
    ElementMaskBuilder builder(map.rows, map.columns);
    const std::int64_t words = builder.words();
    for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
      for (const std::int32_t c : map.row(r)) {
        if (chance(head, kMasked, r, c) >= words_.masks) {
          builder.add_full();
          continue;
        }
        const std::uint64_t shape = bits(head, kShape, r, c) % 6;
        std::vector<std::uint64_t> mask(static_cast<std::size_t>(builder.block_rows() * words), 0);
        for (std::int64_t i = 0; i < map.rows.size(r); ++i) {
          for (std::int64_t j = 0; j < map.columns.size(c); ++j) {
            const std::uint64_t random =
                bits(head, kBit, map.rows.begin(r) + i, map.columns.begin(c) + j);
            if (!attends(shape, i, j, map.rows.size(r), map.columns.size(c), random)) continue;
            mask[static_cast<std::size_t>(i * words + j / 64)] |= std::uint64_t{1} << (j % 64);
          }
        }
        builder.add(mask);
      }
    }
    return builder.take();
  }

  Permutation order(std::int64_t tokens, std::uint64_t head) const {
    std::vector<std::int32_t> drawn(static_cast<std::size_t>(tokens));
    std::iota(drawn.begin(), drawn.end(), 0);
    for (std::size_t i = drawn.size(); i > 1; --i) {
      std::swap(drawn[i - 1],
                drawn[bits(head, kOrder, static_cast<std::int64_t>(i), 0) % std::uint64_t{i}]);
    }
    return {std::move(drawn), "random"};
  }

  Words words_;
};

constexpr std::array<RuleParameter, 10> kParameters = {{
    {"block_q", "128", "tokens of a query block, 1 .. 4096"},
    {"block_k", "64", "tokens of a key block, 1 .. 4096"},
    {"density", "0.5", "chance of a block to be kept, 0 .. 1"},
    {"empty", "0", "chance of a query block to have no keys, 0 .. 1"},
    {"masks", "0", "chance of a kept block to have an element mask, 0 .. 1"},
    {"order", "0", "1: the tokens in a random order"},
    {"per_head", "1", "0: one map for all heads"},
    {"segments", "none", "where blocks end early: none, text (before the text), frames"},
    {"skip", "50",
     "threshold of the online skip in log2 units, one or one for each head, -8 .. 50; 50: none"},
    {"seed", "1", "of the numbers that are drawn, 0 .. 2^53"},
}};

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Words read;
  read.block = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  read.density = words.number("density", 0.0, 1.0);
  read.empty = words.number("empty", 0.0, 1.0);
  read.masks = words.number("masks", 0.0, 1.0);
  read.order = words.flag("order");
  read.per_head = words.flag("per_head");
  read.segments = words.choice("segments", {"none", "text", "frames"});
  read.skip = words.numbers("skip", -8.0, 50.0);
  read.seed = static_cast<std::uint64_t>(words.integer("seed", 0, std::int64_t{1} << 53));
  return std::make_unique<Random>(std::move(read));
}

}  // namespace

const RuleInfo& random_rule() {
  static const RuleInfo info{
      "random",
      "Random",
      "this toolkit",
      "blocks drawn at random, with whatever else a map may hold: for testing kernels",
      kParameters,
      &make,
      {"density", 0.0, 1.0}};
  return info;
}

}  // namespace lvsa::sparse
