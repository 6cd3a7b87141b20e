#pragma once
// Who owns what when a sequence is split over ranks: chunks, partial splits, padding, and the
// Ulysses and ring groups. Source: published sequence parallelism of vLLM-Omni.

#include <cstdint>
#include <vector>

#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {

/// Ulysses degree x ring degree. Rank r has u = r mod U and g = r div U and owns chunk r: Ulysses
/// groups are contiguous ranks, ring groups strided ones.
struct SequenceWorld {
  std::int64_t ulysses = 1;  ///< U
  std::int64_t ring = 1;     ///< R

  std::int64_t size() const { return ulysses * ring; }
  std::int64_t ulysses_rank(std::int64_t rank) const { return rank % ulysses; }
  std::int64_t ring_rank(std::int64_t rank) const { return rank / ulysses; }
  std::int64_t rank(std::int64_t u, std::int64_t g) const { return g * ulysses + u; }
  /// Ranks of group `ring_rank` that exchange heads, and of group `ulysses_rank` that pass K/V on.
  std::vector<std::int64_t> ulysses_group(std::int64_t ring_rank) const;
  std::vector<std::int64_t> ring_group(std::int64_t ulysses_rank) const;
};

/// Throws Error(kValue) unless both degrees are in 1 .. 4096.
void check_world(const SequenceWorld& world);

/// Entries of rank `rank` when `size` entries are cut into chunks of ceil(size / world): the last
/// is shorter, and ranks behind it have none. Throws Error(kValue) unless size >= 0, world >= 1 and
/// 0 <= rank < world.
TokenRange chunk_of(std::int64_t size, std::int64_t world, std::int64_t rank);

/// The same in strict mode. Throws Error(kValue) unless size >= world and world divides it.
TokenRange strict_chunk_of(std::int64_t size, std::int64_t world, std::int64_t rank);

/// A partial split: the first `text_len` entries on every rank, then the chunk of the rest. Throws
/// as chunk_of, and unless 0 <= text_len <= size.
std::vector<std::int64_t> partial_chunk_of(std::int64_t size, std::int64_t text_len,
                                           std::int64_t world, std::int64_t rank);

/// The next multiple of `world` that is at least `size`.
std::int64_t padded_size(std::int64_t size, std::int64_t world);

struct HeadCounts {
  std::int64_t query = 1;
  std::int64_t key_value = 1;
  bool operator==(const HeadCounts&) const = default;
};

/// The padded mode: kv heads up to a multiple of U, query heads so that the group stays as it was.
/// Throws Error(kValue) unless the kv heads divide the query heads and all are at least 1.
HeadCounts padded_heads(const HeadCounts& heads, std::int64_t ulysses);

}  // namespace lvsa::reference
