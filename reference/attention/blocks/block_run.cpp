#include "reference/attention/blocks/block_run.hpp"

#include <algorithm>
#include <limits>

#include "reference/attention/blocks/block_panels.hpp"

namespace lvsa::reference {
namespace {

// One kept block of a query block.
struct Entry {
  std::int64_t begin;  // places of its keys
  std::int64_t end;
  std::int32_t mask;
};

class BlockRun {
 public:
  BlockRun(const BlockPlan& plan, const BlockItem& item, const BlockBuffers& buffers)
      : plan_(plan),
        p_(plan.problem()),
        item_(item),
        b_(buffers),
        map_(plan.map(item.batch, item.head)),
        panels_(plan, item, buffers) {}

  void run() {
    if (!panels_.take_rows()) return;
    if (item_.skips) {
      attend_with_skip();
    } else {
      attend_as_one();
    }
    panels_.write();
  }

 private:
  std::int64_t first_entry() const { return map_.indptr[item_.row_block]; }
  std::int64_t end_entry() const { return map_.indptr[item_.row_block + 1]; }
  Entry entry(std::int64_t e) const {
    const std::int64_t column = map_.indices[e];
    return {p_.column_begin[column], p_.column_begin[column + 1],
            map_.entry_mask == nullptr ? -1 : map_.entry_mask[e]};
  }

  // Tiles across blocks: the keys of all kept blocks as one sequence.
  void attend_as_one() {
    BlockTile tile;
    for (std::int64_t e = first_entry(); e < end_entry(); ++e) {
      const Entry block = entry(e);
      for (std::int64_t place = block.begin; place < block.end;) {
        const std::int64_t count = std::min<std::int64_t>(kKeyTile - tile.keys, block.end - place);
        add(tile, block, place, count);
        place += count;
        if (tile.keys == kKeyTile) attend_and_clear(tile);
      }
    }
    if (tile.keys > 0) attend_and_clear(tile);
  }

  static void add(BlockTile& tile, const Entry& block, std::int64_t place, std::int64_t count) {
    tile.add({place, static_cast<std::int32_t>(count), tile.keys, block.mask,
              static_cast<std::int32_t>(place - block.begin)});
  }

  void attend_and_clear(BlockTile& tile) {
    panels_.pack_keys(tile);
    panels_.pack_values(tile);
    panels_.attend(tile);
    tile.clear();
  }

  // Block by block: the scores of all rows decide whether the rest is worth its while.
  void attend_with_skip() {
    const float threshold = p_.skip_threshold_log2[item_.head];
    std::vector<float> top(static_cast<std::size_t>(panels_.rows()));
    for (std::int64_t e = first_entry(); e < end_entry(); ++e) {
      const Entry block = entry(e);
      make_tiles(block);
      std::fill(top.begin(), top.end(), -std::numeric_limits<float>::infinity());
      float* scores = b_.scores;
      for (const BlockTile& tile : tiles_) {
        panels_.pack_keys(tile);
        panels_.make_scores(tile, scores);
        panels_.join_maxima(tile, scores, top.data());
        scores += plan_.most_rows() * kKeyTile;
      }
      const bool skipped = e + 1 < end_entry() && gains_nothing(block, top, threshold);
      for (std::size_t r = 0; r < top.size(); ++r) b_.seen[r] = std::max(b_.seen[r], top[r]);
      scores = b_.scores;
      for (const BlockTile& tile : tiles_) {
        if (skipped) break;
        panels_.pack_values(tile);
        panels_.finish(tile, scores);
        scores += plan_.most_rows() * kKeyTile;
      }
    }
  }

  // delta + threshold <= 0 for each row that attends a pair of the block. A NaN keeps it.
  bool gains_nothing(const Entry& block, const std::vector<float>& top, float threshold) const {
    for (std::size_t r = 0; r < top.size(); ++r) {
      const float delta = top[r] - b_.seen[r];
      if (!(delta + threshold <= 0.0F) && row_attends(block, static_cast<std::int64_t>(r))) {
        return false;
      }
    }
    return true;
  }

  bool row_attends(const Entry& block, std::int64_t row) const {
    if (block.mask < 0) return true;
    const std::uint64_t* words =
        p_.mask_bits + (block.mask * p_.block_rows + b_.block_row[row]) * p_.mask_words;
    return std::any_of(words, words + p_.mask_words, [](std::uint64_t w) { return w != 0; });
  }

  void make_tiles(const Entry& block) {
    tiles_.clear();
    for (std::int64_t place = block.begin; place < block.end; place += kKeyTile) {
      tiles_.emplace_back();
      add(tiles_.back(), block, place, std::min<std::int64_t>(kKeyTile, block.end - place));
    }
  }

  const BlockPlan& plan_;
  const lvsa_block_problem& p_;
  const BlockItem& item_;
  const BlockBuffers& b_;
  const lvsa_block_map& map_;
  BlockPanels panels_;
  std::vector<BlockTile> tiles_;
};

}  // namespace

void attend_block_item(const BlockPlan& plan, const BlockItem& item, const BlockBuffers& buffers) {
  BlockRun(plan, item, buffers).run();
}

}  // namespace lvsa::reference
