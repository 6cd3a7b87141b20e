#include "core/blocks/block_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "core/error.hpp"

namespace lvsa {
namespace {

constexpr float kNoThreshold = std::numeric_limits<float>::infinity();

float threshold_of(const HeadPattern& pattern) {
  return pattern.skip ? static_cast<float>(pattern.skip->threshold_log2) : kNoThreshold;
}

}  // namespace

// Fills a BlockProblem; what is known so far is needed only until it is finished.
class BlockProblem::Builder {
 public:
  explicit Builder(BlockProblem& target) : t_(target) {}

  void add(const HeadPattern& pattern, std::int64_t batch, std::int64_t head) {
    const std::string name = fmt::format("pattern of batch element {}, head {}", batch, head);
    check_head_pattern(pattern, name);
    if (!(pattern.map.rows == t_.rows_) || !(pattern.map.columns == t_.columns_)) {
      throw Error(ErrorKind::kValue,
                  name +
                      ": its blocks differ from those of the first pattern; all heads of a call "
                      "share their blocks");
    }
    add_threshold(pattern, head, batch, name);
    t_.map_of_head_.push_back(number_of(map_of(pattern)));
    t_.order_of_head_.push_back(pattern.order ? number_of(*pattern.order) : -1);
  }

  void finish() {
    for (const Map& map : t_.maps_) {
      t_.c_maps_.push_back({map.indptr.data(), map.indices.data(),
                            map.entry_mask.empty() ? nullptr : map.entry_mask.data()});
    }
    if (t_.order_count_ == 0) t_.order_of_head_.clear();
    const auto none = [](float threshold) { return threshold == kNoThreshold; };
    if (std::all_of(t_.thresholds_.begin(), t_.thresholds_.end(), none)) t_.thresholds_.clear();
  }

 private:
  void add_threshold(const HeadPattern& pattern, std::int64_t head, std::int64_t batch,
                     const std::string& name) {
    const float threshold = threshold_of(pattern);
    if (batch == 0) {
      t_.thresholds_.push_back(threshold);
    } else if (t_.thresholds_[static_cast<std::size_t>(head)] != threshold) {
      throw Error(
          ErrorKind::kValue,
          fmt::format("{}: skip threshold {}, that of batch element 0 is {}; a head has one", name,
                      threshold, t_.thresholds_[static_cast<std::size_t>(head)]));
    }
  }

  Map map_of(const HeadPattern& pattern) {
    Map map{pattern.map.indptr, pattern.map.indices, {}};
    if (pattern.mask.masks() == 0) return map;
    std::vector<std::int32_t> numbers;  // those of the pattern's masks here
    for (std::int32_t m = 0; m < pattern.mask.masks(); ++m) {
      numbers.push_back(number_of(pattern.mask, m));
    }
    for (const std::int32_t m : pattern.mask.entry) {
      map.entry_mask.push_back(m < 0 ? -1 : numbers[static_cast<std::size_t>(m)]);
    }
    return map;
  }

  std::int32_t number_of(Map map) {
    const auto found = std::find(t_.maps_.begin(), t_.maps_.end(), map);
    const auto number = static_cast<std::int32_t>(found - t_.maps_.begin());
    if (found == t_.maps_.end()) t_.maps_.push_back(std::move(map));
    return number;
  }

  // A mask in the nominal size, which may have more rows and words than the pattern's.
  std::int32_t number_of(const ElementMask& mask, std::int32_t m) {
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(t_.block_rows_ * t_.mask_words_), 0);
    for (std::int64_t r = 0; r < mask.block_rows; ++r) {
      const std::uint64_t* from = mask.row_bits(m, r);
      std::copy(from, from + mask.words, bits.begin() + r * t_.mask_words_);
    }
    const auto [found, fresh] =
        masks_.try_emplace(std::move(bits), static_cast<std::int32_t>(t_.mask_count_));
    if (fresh) {
      t_.mask_bits_.insert(t_.mask_bits_.end(), found->first.begin(), found->first.end());
      ++t_.mask_count_;
    }
    return found->second;
  }

  std::int32_t number_of(const Permutation& order) {
    const std::int64_t size = order.size();
    for (std::int64_t i = 0; i < t_.order_count_; ++i) {
      const std::int32_t* known = t_.orders_.data() + i * size;
      if (std::equal(known, known + size, order.tokens().begin()))
        return static_cast<std::int32_t>(i);
    }
    t_.orders_.insert(t_.orders_.end(), order.tokens().begin(), order.tokens().end());
    return static_cast<std::int32_t>(t_.order_count_++);
  }

  BlockProblem& t_;
  std::map<std::vector<std::uint64_t>, std::int32_t> masks_;
};

BlockProblem::BlockProblem(std::span<const HeadPattern> patterns, std::int64_t batch,
                           std::int64_t heads, std::int64_t block_rows, std::int64_t block_columns)
    : batch_(batch), heads_(heads) {
  const auto given = static_cast<std::int64_t>(patterns.size());
  if (batch < 1 || heads < 1 || (given != heads && given != batch * heads)) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} patterns for {} batch elements of {} heads: one for each head, or "
                            "for each of both, is due",
                            given, batch, heads));
  }
  rows_ = patterns.front().map.rows;
  columns_ = patterns.front().map.columns;
  block_rows_ = block_rows == 0 ? rows_.largest() : block_rows;
  block_columns_ = block_columns == 0 ? columns_.largest() : block_columns;
  if (block_rows_ < rows_.largest() || block_columns_ < columns_.largest()) {
    throw Error(ErrorKind::kValue,
                fmt::format("blocks of {} x {} tokens exceed the nominal {} x {}", rows_.largest(),
                            columns_.largest(), block_rows_, block_columns_));
  }
  mask_words_ = (block_columns_ + 63) / 64;
  Builder builder(*this);
  for (std::int64_t i = 0; i < batch * heads; ++i) {
    builder.add(patterns[static_cast<std::size_t>(i % given)], i / heads, i % heads);
  }
  builder.finish();
}

void BlockProblem::fill(lvsa_block_problem& p) const {
  p.batch = batch_;
  p.heads = heads_;
  p.query_tokens = rows_.tokens();
  p.key_tokens = columns_.tokens();
  p.block_rows = block_rows_;
  p.block_columns = block_columns_;
  p.row_blocks = rows_.blocks();
  p.column_blocks = columns_.blocks();
  p.row_begin = rows_.begins().data();
  p.column_begin = columns_.begins().data();
  p.map_count = maps();
  p.maps = c_maps_.data();
  p.map_of_head = map_of_head_.data();
  p.mask_count = mask_count_;
  p.mask_words = mask_words_;
  p.mask_bits = mask_bits_.empty() ? nullptr : mask_bits_.data();
  p.order_count = order_count_;
  p.orders = orders_.empty() ? nullptr : orders_.data();
  p.order_of_head = order_of_head_.empty() ? nullptr : order_of_head_.data();
  p.skip_threshold_log2 = thresholds_.empty() ? nullptr : thresholds_.data();
}

}  // namespace lvsa
