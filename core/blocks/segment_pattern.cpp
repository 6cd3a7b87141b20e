#include "core/blocks/segment_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <limits>
#include <map>
#include <utility>

#include "core/error.hpp"

namespace lvsa {
namespace {

// A rectangle of attended pairs inside of a block.
struct Piece {
  std::int32_t row_begin;
  std::int32_t row_end;
  std::int32_t key_begin;
  std::int32_t key_end;
  auto operator<=>(const Piece&) const = default;
};

// The pattern under construction, a row of blocks at a time.
class Rows {
 public:
  Rows(BlockAxis rows, BlockAxis columns)
      : map_{std::move(rows), std::move(columns), {0}, {}},
        masks_(map_.rows, map_.columns),
        pieces_(static_cast<std::size_t>(map_.columns.blocks())) {}

  const BlockMap& map() const { return map_; }

  void add(std::int32_t row_begin, std::int32_t row_end, const KeyRange& keys) {
    const BlockAxis& columns = map_.columns;
    for (std::int64_t c = columns.block_of(keys.first);
         c < columns.blocks() && columns.begin(c) < keys.second; ++c) {
      const std::int64_t begin = std::max(keys.first, columns.begin(c)) - columns.begin(c);
      const std::int64_t end = std::min(keys.second, columns.end(c)) - columns.begin(c);
      std::vector<Piece>& pieces = pieces_[static_cast<std::size_t>(c)];
      if (pieces.empty()) used_.push_back(static_cast<std::int32_t>(c));
      pieces.push_back(
          {row_begin, row_end, static_cast<std::int32_t>(begin), static_cast<std::int32_t>(end)});
    }
  }

  // Ends the row of blocks that was being filled.
  void flush() {
    const auto r = static_cast<std::int64_t>(map_.indptr.size()) - 1;
    std::sort(used_.begin(), used_.end());
    for (const std::int32_t c : used_) {
      std::vector<Piece>& pieces = pieces_[static_cast<std::size_t>(c)];
      map_.indices.push_back(c);
      add_mask(pieces, map_.rows.size(r) * map_.columns.size(c));
      pieces.clear();
    }
    used_.clear();
    if (map_.kept() > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::kOverflow,
                  "block map: more than 2^31 - 1 blocks; larger blocks are due");
    }
    map_.indptr.push_back(static_cast<std::int32_t>(map_.kept()));
  }

  HeadPattern take() {
    HeadPattern pattern;
    pattern.map = std::move(map_);
    pattern.mask = masks_.take();
    return pattern;
  }

 private:
  // Most boundary blocks repeat, so their bits are made once.
  void add_mask(const std::vector<Piece>& pieces, std::int64_t all_pairs) {
    std::int64_t pairs = 0;
    for (const Piece& p : pieces) {
      pairs += std::int64_t{p.row_end - p.row_begin} * (p.key_end - p.key_begin);
    }
    if (pairs == all_pairs) return masks_.add_full();
    const auto known = known_.find(pieces);
    if (known != known_.end()) return masks_.add_again(known->second);
    std::vector<std::uint64_t> bits(static_cast<std::size_t>(masks_.block_rows() * masks_.words()));
    for (const Piece& p : pieces) {
      for (std::int64_t row = p.row_begin; row < p.row_end; ++row) {
        for (std::int64_t key = p.key_begin; key < p.key_end; ++key) {
          bits[static_cast<std::size_t>(row * masks_.words() + key / 64)] |= std::uint64_t{1}
                                                                             << (key % 64);
        }
      }
    }
    known_.emplace(pieces, masks_.add(bits));
  }

  BlockMap map_;
  ElementMaskBuilder masks_;
  std::vector<std::vector<Piece>> pieces_;  // [columns], of the row of blocks being filled
  std::vector<std::int32_t> used_;          // columns with pieces
  std::map<std::vector<Piece>, std::int32_t> known_;
};

void check_segments(std::span<const QuerySegment> segments, std::int64_t tokens) {
  std::int64_t at = 0;
  for (const QuerySegment& segment : segments) {
    if (segment.begin != at || segment.end <= segment.begin) {
      throw Error(ErrorKind::kValue,
                  fmt::format("segments: {} .. {} after place {}", segment.begin, segment.end, at));
    }
    at = segment.end;
  }
  if (at != tokens) {
    throw Error(ErrorKind::kValue, fmt::format("segments: they end at {} of {}", at, tokens));
  }
}

}  // namespace

HeadPattern pattern_of_segments(BlockAxis rows, BlockAxis columns,
                                std::span<const QuerySegment> segments) {
  check_segments(segments, rows.tokens());
  Rows result(std::move(rows), std::move(columns));
  std::size_t first = 0;
  for (std::int64_t r = 0; r < result.map().rows.blocks(); ++r) {
    const std::int64_t begin = result.map().rows.begin(r);
    const std::int64_t end = result.map().rows.end(r);
    while (segments[first].end <= begin) ++first;
    for (std::size_t s = first; s < segments.size() && segments[s].begin < end; ++s) {
      const auto row_begin = static_cast<std::int32_t>(std::max(segments[s].begin, begin) - begin);
      const auto row_end = static_cast<std::int32_t>(std::min(segments[s].end, end) - begin);
      for (const KeyRange& keys : segments[s].keys) result.add(row_begin, row_end, keys);
    }
    result.flush();
  }
  return result.take();
}

void append_range(std::vector<KeyRange>& ranges, std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  if (!ranges.empty() && ranges.back().second == begin) {
    ranges.back().second = end;
  } else {
    ranges.emplace_back(begin, end);
  }
}

}  // namespace lvsa
