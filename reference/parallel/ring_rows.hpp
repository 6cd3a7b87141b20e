#pragma once
// The part of one rank: its query rows, and the blocks of keys that come around the ring.

#include <cstdint>
#include <vector>

#include "reference/parallel/head_tensor.hpp"

namespace lvsa::reference {

struct ShardedProblem;

/// A block of keys as it arrives, with the video token that it begins with.
struct RingBlock {
  const HeadTensor* key = nullptr;
  const HeadTensor* value = nullptr;
  std::int64_t first_token = 0;
};

struct RingInput {
  const ShardedProblem* problem = nullptr;
  const HeadTensor* query = nullptr;  ///< video rows, the heads of this Ulysses rank
  std::int64_t first_query = 0;       ///< their first video token
  std::vector<RingBlock> blocks;      ///< in the order of the ring steps
  std::int64_t block_tokens = 0;      ///< of a full block
  std::int64_t group = 1;             ///< query heads a kv head
  HeadTensor text_query;              ///< the same on every ring rank
  HeadTensor text_key;
  HeadTensor text_value;
};

struct AttendedRows {
  HeadTensor out;
  HeadTensor lse;
  std::int64_t empty_first_blocks = 0;
};

struct RingRows {
  AttendedRows video;
  AttendedRows text;
};

RingRows attend_ring(const RingInput& input);

}  // namespace lvsa::reference
