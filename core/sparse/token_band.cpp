#include "core/sparse/token_band.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace lvsa::sparse {
namespace {

enum class Share { kNone, kSome, kAll };

// How much of a block is attended, by its ends alone: kSome where that does not tell.
Share share_of(const TokenBand& band, std::int64_t q0, std::int64_t q1, std::int64_t k0,
               std::int64_t k1) {
  if (q0 >= band.dense_from || k0 >= band.dense_from) return Share::kAll;
  if (std::max(q1 - 1 - k0, k1 - 1 - q0) <= band.half) return Share::kAll;
  if (band.stride == 1 && k1 <= band.sinks) return Share::kAll;
  const std::int64_t apart = std::max<std::int64_t>({q0 - (k1 - 1), k0 - (q1 - 1), 0});
  const bool any = q1 > band.dense_from || k1 > band.dense_from || apart <= band.half ||
                   k0 < band.sinks * band.stride;
  return any ? Share::kSome : Share::kNone;
}

// The pairs of a block; returns their number.
std::int64_t fill_bits(const TokenBand& band, const BlockMap& map, std::int64_t r, std::int64_t c,
                       std::int64_t words, std::vector<std::uint64_t>& bits) {
  const std::int64_t q0 = map.rows.begin(r);
  const std::int64_t k0 = map.columns.begin(c);
  // Far from the band only the key decides, so that one row tells of all.
  const bool same_rows =
      map.rows.end(r) <= band.dense_from &&
      (k0 - map.rows.end(r) >= band.half || q0 - map.columns.end(c) >= band.half);
  std::int64_t pairs = 0;
  for (std::int64_t q = q0; q < map.rows.end(r); ++q) {
    const std::int64_t row = (q - q0) * words;
    if (same_rows && q > q0) {
      std::copy_n(bits.begin(), words, bits.begin() + row);
      continue;
    }
    for (std::int64_t k = k0; k < map.columns.end(c); ++k) {
      if (!band.attends(q, k)) continue;
      const std::int64_t key = k - k0;
      bits[static_cast<std::size_t>(row + key / 64)] |= std::uint64_t{1} << (key % 64);
      ++pairs;
    }
  }
  return same_rows ? pairs * map.rows.size(r) : pairs;
}

}  // namespace

HeadPattern pattern_of_band(BlockAxis rows, BlockAxis columns, const TokenBand& band) {
  HeadPattern pattern;
  pattern.map = BlockMap{std::move(rows), std::move(columns), {0}, {}};
  BlockMap& map = pattern.map;
  ElementMaskBuilder masks(map.rows, map.columns);
  std::vector<std::uint64_t> bits;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    for (std::int64_t c = 0; c < map.columns.blocks(); ++c) {
      const Share share = share_of(band, map.rows.begin(r), map.rows.end(r), map.columns.begin(c),
                                   map.columns.end(c));
      if (share == Share::kNone) continue;
      const std::int64_t pairs = map.rows.size(r) * map.columns.size(c);
      if (share == Share::kSome) {
        bits.assign(static_cast<std::size_t>(masks.block_rows() * masks.words()), 0);
        const std::int64_t found = fill_bits(band, map, r, c, masks.words(), bits);
        if (found == 0) continue;
        if (found < pairs) {
          masks.add(bits);
        } else {
          masks.add_full();
        }
      } else {
        masks.add_full();
      }
      map.indices.push_back(static_cast<std::int32_t>(c));
    }
    if (map.kept() > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::kOverflow,
                  "block map: more than 2^31 - 1 blocks; larger ones are due");
    }
    map.indptr.push_back(static_cast<std::int32_t>(map.kept()));
  }
  pattern.mask = masks.take();
  return pattern;
}

}  // namespace lvsa::sparse
