// Sliding tile attention: tiles of tokens, each attends a box of tiles around it.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/rule_words.hpp"
#include "core/blocks/segment_pattern.hpp"
#include "core/config/python_number.hpp"
#include "core/error.hpp"
#include "core/sparse/rules.hpp"

namespace lvsa::sparse {
namespace {

using Three = std::array<std::int64_t, 3>;  // time, height, width

constexpr std::array<RuleParameter, 6> kParameters = {{
    {"tile", "6,8,8", "tokens of a tile: time,height,width, 1 .. 1024 each"},
    {"window", "3", "tiles of the window: one number or time,height,width; '/' between heads"},
    {"even", "wide",
     "windows of an even number n, wide: n + 1 tiles, as first published; exact: n"},
    {"ragged", "refuse",
     "sizes that tiles do not divide, refuse: as published; tiles: smaller ones"},
    {"block_q", "128", "tokens of a query block, 1 .. 4096"},
    {"block_k", "64", "tokens of a key block, 1 .. 4096"},
}};

struct Settings {
  Three tile{6, 8, 8};
  std::vector<Three> windows;  // one for all heads, or one a head
  bool exact_even = false;
  bool ragged = false;
  BlockSize size;
};

// Tiles [first, last] that a tile attends along an axis of `tiles`.
std::pair<std::int64_t, std::int64_t> reach(std::int64_t tile, std::int64_t tiles,
                                            std::int64_t window, bool exact_even) {
  const std::int64_t left = window / 2;
  const std::int64_t right = left - (exact_even && window % 2 == 0 ? 1 : 0);
  // Shifted at the borders, not clipped. Where the axis is shorter than the window, the upper bound
  // of the centre lies below the lower one and wins; all tiles are attended then.
  const std::int64_t centre = std::min(std::max(tile, left), tiles - 1 - right);
  return {std::max<std::int64_t>(centre - left, 0), std::min(centre + right, tiles - 1)};
}

// The tiles of a video, in their order: time, then height, then width.
class Tiling {
 public:
  Tiling(const VideoGrid& video, const Three& tile)
      : extent_{video.grid.frames, video.height, video.width}, tile_(tile) {
    for (std::size_t a = 0; a < 3; ++a) count_[a] = (extent_[a] + tile_[a] - 1) / tile_[a];
    begins_.push_back(0);
    for (std::int64_t i = 0; i < tiles(); ++i) {
      const Three at = at_of(i);
      begins_.push_back(begins_.back() + side(at, 0) * side(at, 1) * side(at, 2));
    }
  }

  std::int64_t tiles() const { return count_[0] * count_[1] * count_[2]; }
  const Three& count() const { return count_; }
  std::int64_t begin(std::int64_t tile) const { return begins_[static_cast<std::size_t>(tile)]; }
  std::int64_t number(std::int64_t t, std::int64_t y, std::int64_t x) const {
    return (t * count_[1] + y) * count_[2] + x;
  }
  Three at_of(std::int64_t tile) const {
    return {tile / (count_[1] * count_[2]), tile / count_[2] % count_[1], tile % count_[2]};
  }

  // The tokens of a tile, in their order inside of it.
  void append_tokens(std::int64_t tile, std::vector<std::int32_t>& tokens) const {
    const Three at = at_of(tile);
    for (std::int64_t t = 0; t < side(at, 0); ++t) {
      for (std::int64_t y = 0; y < side(at, 1); ++y) {
        const std::int64_t row =
            ((at[0] * tile_[0] + t) * extent_[1] + at[1] * tile_[1] + y) * extent_[2];
        for (std::int64_t x = 0; x < side(at, 2); ++x) {
          tokens.push_back(static_cast<std::int32_t>(row + at[2] * tile_[2] + x));
        }
      }
    }
  }

 private:
  std::int64_t side(const Three& at, std::size_t axis) const {
    return std::min(tile_[axis], extent_[axis] - at[axis] * tile_[axis]);
  }

  Three extent_;
  Three tile_;
  Three count_{};
  std::vector<std::int64_t> begins_;  // [tiles + 1] first place of a tile
};

class SlidingTile : public PatternRule {
 public:
  explicit SlidingTile(Settings settings) : settings_(std::move(settings)) {}

  bool depends_on_head() const override { return settings_.windows.size() > 1; }

  HeadPattern make(const PatternInput& input) const override {
    check(input);
    const FrameGrid& grid = input.video.grid;
    const Tiling tiling(input.video, settings_.tile);
    const Three& window =
        settings_.windows[settings_.windows.size() > 1 ? static_cast<std::size_t>(input.head) : 0];
    std::vector<QuerySegment> segments;
    std::vector<std::int32_t> order;
    order.reserve(static_cast<std::size_t>(grid.seq_len()));
    for (std::int64_t i = 0; i < tiling.tiles(); ++i) {
      segments.push_back({tiling.begin(i), tiling.begin(i + 1), keys_of(tiling, i, window)});
      append_range(segments.back().keys, grid.video_tokens(), grid.seq_len());
      tiling.append_tokens(i, order);
    }
    if (grid.text_tokens > 0) {
      segments.push_back({grid.video_tokens(), grid.seq_len(), {{0, grid.seq_len()}}});
    }
    for (std::int64_t i = grid.video_tokens(); i < grid.seq_len(); ++i) {
      order.push_back(static_cast<std::int32_t>(i));
    }
    HeadPattern pattern =
        pattern_of_segments(BlockAxis::uniform(grid.seq_len(), settings_.size.rows),
                            BlockAxis::uniform(grid.seq_len(), settings_.size.columns), segments);
    pattern.order = Permutation(std::move(order), "sta: tile order");
    return pattern;
  }

 private:
  std::vector<KeyRange> keys_of(const Tiling& tiling, std::int64_t tile,
                                const Three& window) const {
    const Three at = tiling.at_of(tile);
    std::array<std::pair<std::int64_t, std::int64_t>, 3> box;
    for (std::size_t a = 0; a < 3; ++a) {
      box[a] = reach(at[a], tiling.count()[a], window[a], settings_.exact_even);
    }
    std::vector<KeyRange> keys;
    for (std::int64_t t = box[0].first; t <= box[0].second; ++t) {
      for (std::int64_t y = box[1].first; y <= box[1].second; ++y) {
        append_range(keys, tiling.begin(tiling.number(t, y, box[2].first)),
                     tiling.begin(tiling.number(t, y, box[2].second) + 1));
      }
    }
    return keys;
  }

  void check(const PatternInput& input) const {
    const VideoGrid& video = input.video;
    const auto refuse = [](const std::string& what) {
      throw Error(ErrorKind::kValue, "sta: " + what);
    };
    if (video.height < 1 || video.height * video.width != video.grid.patches_per_frame) {
      refuse(fmt::format("height {} x width {} for {} tokens a frame: both sizes are due",
                         video.height, video.width, video.grid.patches_per_frame));
    }
    const Three extent{video.grid.frames, video.height, video.width};
    const std::array<const char*, 3> names{"frames", "height", "width"};
    for (std::size_t a = 0; a < 3 && !settings_.ragged; ++a) {
      if (extent[a] % settings_.tile[a] != 0) {
        refuse(
            fmt::format("{} {} is no multiple of the tile's {}, as the published code requires; "
                        "ragged=tiles makes smaller tiles at the end",
                        names[a], extent[a], settings_.tile[a]));
      }
    }
    if (settings_.windows.size() > 1 &&
        (input.head < 0 || input.head >= static_cast<std::int64_t>(settings_.windows.size()))) {
      refuse(fmt::format("window: {} windows, none for head {}", settings_.windows.size(),
                         input.head));
    }
  }

  Settings settings_;
};

// "3,3,3", or "3" for all axes where `short_form`.
Three read_three(const RuleWords& words, const char* name, const std::string& text,
                 bool short_form) {
  std::vector<std::int64_t> numbers;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    const auto value = parse_python_int_saturated(part);
    if (!value || *value < 1 || *value > 1024) {
      words.refuse(name, fmt::format("'{}' is no integer of 1 .. 1024", part));
    }
    numbers.push_back(*value);
  }
  if (short_form && numbers.size() == 1) return {numbers[0], numbers[0], numbers[0]};
  if (numbers.size() != 3) words.refuse(name, "three numbers are due: time,height,width");
  return {numbers[0], numbers[1], numbers[2]};
}

std::unique_ptr<PatternRule> make(const RuleWords& words) {
  Settings settings;
  settings.tile = read_three(words, "tile", words.text("tile"), false);
  std::istringstream in(words.text("window") + "/");
  for (std::string part; std::getline(in, part, '/');) {
    settings.windows.push_back(read_three(words, "window", part, true));
  }
  settings.exact_even = words.choice("even", {"wide", "exact"}) == "exact";
  settings.ragged = words.choice("ragged", {"refuse", "tiles"}) == "tiles";
  settings.size = {words.integer("block_q", 1, 4096), words.integer("block_k", 1, 4096)};
  return std::make_unique<SlidingTile>(std::move(settings));
}

}  // namespace

const RuleInfo& sliding_tile_rule() {
  static const RuleInfo info{"sta",
                             "Sliding tile attention",
                             "Fast Video Generation with Sliding Tile Attention (2025)",
                             "a box of tiles around each tile, in tile-major order",
                             kParameters,
                             &make,
                             {"window", 1.0, 31.0, true}};
  return info;
}

}  // namespace lvsa::sparse
