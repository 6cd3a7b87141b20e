#include "reference/parallel/sequence_world.hpp"

#include <algorithm>
#include <string>

namespace lvsa::reference {
namespace {

constexpr std::int64_t kMostRanks = 4096;

void check_split(std::int64_t size, std::int64_t world, std::int64_t rank) {
  require(size >= 0, "a split of " + std::to_string(size) + " entries: 0 or more are due");
  require(world >= 1, "a world of " + std::to_string(world) + " ranks: at least 1 is due");
  require(rank >= 0 && rank < world,
          "rank " + std::to_string(rank) + ": 0 .. " + std::to_string(world - 1) + " is due");
}

}  // namespace

std::vector<std::int64_t> SequenceWorld::ulysses_group(std::int64_t g) const {
  std::vector<std::int64_t> ranks;
  for (std::int64_t u = 0; u < ulysses; ++u) ranks.push_back(rank(u, g));
  return ranks;
}

std::vector<std::int64_t> SequenceWorld::ring_group(std::int64_t u) const {
  std::vector<std::int64_t> ranks;
  for (std::int64_t g = 0; g < ring; ++g) ranks.push_back(rank(u, g));
  return ranks;
}

void check_world(const SequenceWorld& world) {
  require(world.ulysses >= 1 && world.ulysses <= kMostRanks,
          "ulysses degree " + std::to_string(world.ulysses) + ": 1 .. 4096 is due");
  require(world.ring >= 1 && world.ring <= kMostRanks,
          "ring degree " + std::to_string(world.ring) + ": 1 .. 4096 is due");
}

TokenRange chunk_of(std::int64_t size, std::int64_t world, std::int64_t rank) {
  check_split(size, world, rank);
  const std::int64_t chunk = padded_size(size, world) / world;
  const std::int64_t begin = std::min(size, rank * chunk);
  return {begin, std::min(size, begin + chunk)};
}

TokenRange strict_chunk_of(std::int64_t size, std::int64_t world, std::int64_t rank) {
  check_split(size, world, rank);
  require(size >= world && size % world == 0, std::to_string(size) + " entries over " +
                                                  std::to_string(world) + " ranks: a multiple of " +
                                                  std::to_string(world) + " is due");
  return chunk_of(size, world, rank);
}

std::vector<std::int64_t> partial_chunk_of(std::int64_t size, std::int64_t text_len,
                                           std::int64_t world, std::int64_t rank) {
  require(text_len >= 0 && text_len <= size, "text length " + std::to_string(text_len) + " of " +
                                                 std::to_string(size) + " entries: 0 .. " +
                                                 std::to_string(size) + " is due");
  const TokenRange rest = chunk_of(size - text_len, world, rank);
  std::vector<std::int64_t> entries;
  for (std::int64_t i = 0; i < text_len; ++i) entries.push_back(i);
  for (std::int64_t i = rest.begin; i < rest.end; ++i) entries.push_back(text_len + i);
  return entries;
}

std::int64_t padded_size(std::int64_t size, std::int64_t world) {
  return ceil_divide(size, world) * world;
}

HeadCounts padded_heads(const HeadCounts& heads, std::int64_t ulysses) {
  require(heads.query >= 1 && heads.key_value >= 1 && heads.query % heads.key_value == 0,
          std::to_string(heads.query) + " query heads on " + std::to_string(heads.key_value) +
              " kv heads: a multiple is due");
  require(ulysses >= 1, "ulysses degree " + std::to_string(ulysses) + ": at least 1 is due");
  const std::int64_t key_value = padded_size(heads.key_value, ulysses);
  return {key_value * (heads.query / heads.key_value), key_value};
}

}  // namespace lvsa::reference
