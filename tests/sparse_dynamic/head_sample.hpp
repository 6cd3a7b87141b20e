#pragma once
// q and k of one head for tests: as a tensor for the rules, as rows for the restatements.

#include <cstdint>
#include <string>
#include <vector>

#include "core/blocks/pattern_rule.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::sparse_test {

using Rows = std::vector<std::vector<double>>;

/// Kinds of rows.
enum class Fill {
  kNoise,     ///< independent numbers
  kBlobs,     ///< a few directions that neighbours share, and some noise
  kConstant,  ///< one row for all tokens: every comparison is a tie
  kFew,       ///< rows from a choice of three: many ties
};

/// [tokens][dim] numbers of the type.
Rows make_rows(std::int64_t tokens, std::int64_t dim, DType dtype, Fill fill, std::uint64_t seed);

struct HeadSample {
  VideoGrid video;
  DType dtype;
  Rows q;
  Rows k;
  Tensor q_tensor;
  Tensor k_tensor;

  HeadSample(VideoGrid video_, std::int64_t dim, DType dtype_, Fill q_fill, Fill k_fill,
             std::uint64_t seed);
  PatternInput input(std::int64_t head = 0) const;
};

/// What a query token attends, token by token: [S][S].
std::vector<std::vector<bool>> attended(const HeadPattern& pattern);
/// The blocks of a map: [rows][columns].
std::vector<std::vector<bool>> blocks_of(const BlockMap& map);

}  // namespace lvsa::sparse_test
