#include "core/blocks/head_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace lvsa {
namespace {

// Sets the bits [begin, end) of a row of words.
void set_bits(std::uint64_t* words, std::int64_t begin, std::int64_t end) {
  for (std::int64_t w = begin / 64; w * 64 < end; ++w) {
    const std::int64_t low = std::max<std::int64_t>(begin - w * 64, 0);
    const std::int64_t high = std::min<std::int64_t>(end - w * 64, 64);
    const std::uint64_t upto = high == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << high) - 1;
    words[w] |= upto & ~((std::uint64_t{1} << low) - 1);
  }
}

// One row of blocks under construction: for each column the bits of all rows.
class BlockRow {
 public:
  BlockRow(const BlockAxis& columns, std::int64_t block_rows, std::int64_t words)
      : columns_(&columns),
        stride_(block_rows * words),
        words_(words),
        touched_(static_cast<std::size_t>(columns.blocks()), -1) {}

  void add(std::int64_t row, const KeyRange& range) {
    for (std::int64_t c = columns_->block_of(range.first);
         c < columns_->blocks() && columns_->begin(c) < range.second; ++c) {
      const std::int64_t begin = std::max(range.first, columns_->begin(c)) - columns_->begin(c);
      const std::int64_t end = std::min(range.second, columns_->end(c)) - columns_->begin(c);
      set_bits(bits_of(c).data() + row * words_, begin, end);
    }
  }

  // Moves what was collected into the map and the masks.
  void flush(std::int64_t rows, BlockMap& map, ElementMaskBuilder& masks) {
    std::sort(used_.begin(), used_.end());
    for (const std::int64_t c : used_) {
      const std::vector<std::uint64_t>& bits =
          slots_[static_cast<std::size_t>(touched_[static_cast<std::size_t>(c)])];
      std::int64_t pairs = 0;
      for (const std::uint64_t word : bits) pairs += std::popcount(word);
      map.indices.push_back(static_cast<std::int32_t>(c));
      if (pairs == rows * columns_->size(c)) {
        masks.add_full();
      } else {
        masks.add(bits);
      }
    }
    for (const std::int64_t c : used_) touched_[static_cast<std::size_t>(c)] = -1;
    used_.clear();
  }

 private:
  std::vector<std::uint64_t>& bits_of(std::int64_t c) {
    std::int64_t& slot = touched_[static_cast<std::size_t>(c)];
    if (slot < 0) {
      slot = static_cast<std::int64_t>(used_.size());
      used_.push_back(c);
      if (slots_.size() < used_.size()) slots_.emplace_back();
      slots_[static_cast<std::size_t>(slot)].assign(static_cast<std::size_t>(stride_), 0);
    }
    return slots_[static_cast<std::size_t>(slot)];
  }

  const BlockAxis* columns_;
  std::int64_t stride_;
  std::int64_t words_;
  std::vector<std::int64_t> touched_;  // [columns] slot of a column, -1: none yet
  std::vector<std::int64_t> used_;
  std::vector<std::vector<std::uint64_t>> slots_;
};

void append(std::vector<KeyRange>& ranges, std::int64_t begin, std::int64_t end) {
  if (!ranges.empty() && ranges.back().second == begin) {
    ranges.back().second = end;
  } else {
    ranges.emplace_back(begin, end);
  }
}

// Calls `use(begin, end)` for the runs of attended keys of one row of a kept block, as places.
template <typename Use>
void for_runs(const HeadPattern& p, std::int64_t entry, std::int64_t row, const Use& use) {
  const std::int32_t column = p.map.indices[static_cast<std::size_t>(entry)];
  const std::int64_t begin = p.map.columns.begin(column);
  const std::int64_t size = p.map.columns.size(column);
  const std::int32_t mask = p.mask.mask_of(entry);
  if (mask < 0) return use(begin, begin + size);
  for (std::int64_t i = 0; i < size; ++i) {
    if (!p.mask.attends(mask, row, i)) continue;
    std::int64_t end = i + 1;
    while (end < size && p.mask.attends(mask, row, end)) ++end;
    use(begin + i, begin + end);
    i = end;
  }
}

}  // namespace

void check_head_pattern(const HeadPattern& pattern, const std::string& name) {
  check_block_map(pattern.map, name);
  check_element_mask(pattern.mask, pattern.map, name);
  if (pattern.order) {
    const std::int64_t tokens = pattern.map.rows.tokens();
    if (pattern.order->size() != tokens || pattern.map.columns.tokens() != tokens) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: an order of {} tokens for {} queries and {} keys", name,
                              pattern.order->size(), tokens, pattern.map.columns.tokens()));
    }
  }
  if (pattern.skip && !std::isfinite(pattern.skip->threshold_log2)) {
    throw Error(ErrorKind::kValue, fmt::format("{}: skip threshold {} is no finite number", name,
                                               pattern.skip->threshold_log2));
  }
}

HeadPattern pattern_of_ranges(
    BlockAxis rows, BlockAxis columns,
    const std::function<void(std::int64_t, std::vector<KeyRange>&)>& ranges) {
  HeadPattern pattern;
  pattern.map = BlockMap{std::move(rows), std::move(columns), {0}, {}};
  BlockMap& map = pattern.map;
  ElementMaskBuilder masks(map.rows, map.columns);
  BlockRow line(map.columns, masks.block_rows(), masks.words());
  std::vector<KeyRange> keys;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    for (std::int64_t place = map.rows.begin(r); place < map.rows.end(r); ++place) {
      keys.clear();
      ranges(place, keys);
      for (const KeyRange& range : keys) line.add(place - map.rows.begin(r), range);
    }
    line.flush(map.rows.size(r), map, masks);
    if (map.kept() > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::kOverflow,
                  "block map: more than 2^31 - 1 blocks; larger blocks are due");
    }
    map.indptr.push_back(static_cast<std::int32_t>(map.kept()));
  }
  pattern.mask = masks.take();
  return pattern;
}

std::vector<KeyRange> visible_tokens(const HeadPattern& p, std::int64_t query_token) {
  const std::int64_t place = p.order ? p.order->place(query_token) : query_token;
  const std::int64_t block = p.map.rows.block_of(place);
  const std::int64_t row = place - p.map.rows.begin(block);
  std::vector<KeyRange> places;
  for (std::int64_t e = p.map.indptr[static_cast<std::size_t>(block)];
       e < p.map.indptr[static_cast<std::size_t>(block) + 1]; ++e) {
    for_runs(p, e, row, [&](std::int64_t begin, std::int64_t end) { append(places, begin, end); });
  }
  if (!p.order) return places;
  std::vector<std::int32_t> tokens;
  for (const KeyRange& range : places) {
    for (std::int64_t i = range.first; i < range.second; ++i) tokens.push_back(p.order->token(i));
  }
  std::sort(tokens.begin(), tokens.end());
  std::vector<KeyRange> result;
  for (const std::int32_t token : tokens) append(result, token, token + std::int64_t{1});
  return result;
}

std::int64_t attended_pairs(const HeadPattern& p) {
  std::vector<std::int64_t> of_mask;
  for (std::int32_t m = 0; m < p.mask.masks(); ++m) {
    std::int64_t pairs = 0;
    for (std::int64_t i = 0; i < p.mask.block_rows * p.mask.words; ++i) {
      pairs += std::popcount(p.mask.row_bits(m, 0)[i]);
    }
    of_mask.push_back(pairs);
  }
  std::int64_t pairs = 0;
  for (std::int64_t r = 0; r < p.map.rows.blocks(); ++r) {
    for (std::int64_t e = p.map.indptr[static_cast<std::size_t>(r)];
         e < p.map.indptr[static_cast<std::size_t>(r) + 1]; ++e) {
      const std::int32_t mask = p.mask.mask_of(e);
      pairs += mask < 0 ? p.map.rows.size(r) *
                              p.map.columns.size(p.map.indices[static_cast<std::size_t>(e)])
                        : of_mask[static_cast<std::size_t>(mask)];
    }
  }
  return pairs;
}

double token_density(const HeadPattern& p) {
  return static_cast<double>(attended_pairs(p)) /
         (static_cast<double>(p.map.rows.tokens()) * static_cast<double>(p.map.columns.tokens()));
}

}  // namespace lvsa
