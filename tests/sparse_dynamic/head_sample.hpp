#pragma once
// q and k of one head for tests: as a tensor for the rules, as rows for the restatements.

#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/blocks/pattern_rule.hpp"
#include "core/tensor/tensor.hpp"
#include "reference/sparse/rainfusion.hpp"

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
  Rows v;
  Tensor q_tensor;
  Tensor k_tensor;
  Tensor v_tensor;

  HeadSample(VideoGrid video_, std::int64_t dim, DType dtype_, Fill q_fill, Fill k_fill,
             std::uint64_t seed);
  /// Without v.
  PatternInput input(std::int64_t head = 0) const;
  /// As the restatements take it.
  reference::VideoHead video_head() const;
};

/// A video of a frame of height x width tokens.
VideoGrid video_of(std::int64_t frames, std::int64_t height, std::int64_t width, std::int64_t text);
/// Constant and repeating rows among others.
rc::Gen<Fill> any_fill();
/// A number of 0 .. 1, often one of its ends.
rc::Gen<double> any_share();

/// Asserts, for rapidcheck, that a pattern is well formed and equal to its restatement: class,
/// order, and every pair; and that its order and the way back leave every row as it was.
void assert_restated(const HeadPattern& pattern, const reference::TokenPattern& due,
                     const HeadSample& sample);

/// What a query token attends, token by token: [S][S].
std::vector<std::vector<bool>> attended(const HeadPattern& pattern);
/// The blocks of a map: [rows][columns].
std::vector<std::vector<bool>> blocks_of(const BlockMap& map);

}  // namespace lvsa::sparse_test
