#pragma once
// Cases of SpargeAttn's prediction in 16-bit types, and the maps that the CPU's rule gives for
// them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/blocks/block_map.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::test_support {

enum class PredictionFill {
  kNoise,
  kBlobs,     ///< a few directions that neighbours share, and some noise
  kPeaked,    ///< the same, far apart: most probabilities underflow
  kConstant,  ///< one row for all tokens
  kZero,
  kFew,       ///< rows from a choice of three: many ties
  kHoles,     ///< few rows, some of them 0, zeros among the numbers
  kWide,      ///< exponents all over the type's range: sums are not exact
  kTiny,      ///< subnormals
  kHuge,      ///< up to the largest numbers, beside tiny ones
  kPowers,    ///< powers of 2 of a wide range
  kDust,      ///< noise with a few tiny numbers: sums are at the limit of what is exact
  kFaint,     ///< small noise: scores differ, probabilities hardly
  kCancel,    ///< huge rows and their opposites between noise: sums depend on their order
  kPaired,    ///< noise, each odd element like the even one before it
  kOpposed,   ///< noise behind a huge element and its opposite, which kPaired makes cancel
  kInfinity,  ///< noise with one infinity
};
inline constexpr int kPredictionFills = 17;

struct PredictionCase {
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t tokens = 256;
  std::int64_t head_dim = 64;
  std::int64_t block_rows = 128;
  std::int64_t block_columns = 64;
  lvsa_dtype dtype = LVSA_BF16;
  bool heads_first = false;  ///< [B, H, S, D] with gaps between the rows, else [B, S, H, D]
  PredictionFill q_fill = PredictionFill::kBlobs;
  PredictionFill k_fill = PredictionFill::kBlobs;
  std::uint32_t seed = 1;
  std::vector<double> topk = {0.5};  ///< empty: the CDF rule
  std::vector<double> cdfthreshd;
  std::vector<double> simthreshd1 = {-0.1};
  bool attention_sink = false;
  bool smooth_k = true;
  bool partial_kept = true;
  bool round_p = false;

  std::int64_t row_blocks() const { return (tokens + block_rows - 1) / block_rows; }
  std::int64_t column_blocks() const { return (tokens + block_columns - 1) / block_columns; }
};

std::string text(const PredictionCase& c);

/// For rapidcheck: any case of up to `most_tokens` tokens.
PredictionCase any_prediction_case(std::int64_t most_tokens);

struct PredictionTensor {
  std::vector<std::uint16_t> bits;  ///< gaps hold NaN
  std::int64_t strides[4];
};
struct PredictionTensors {
  PredictionTensor q;
  PredictionTensor k;
};
PredictionTensors make_tensors(const PredictionCase& c);

/// Map of each (batch element, head) by core/sparse; none where the rule refuses.
std::vector<std::optional<BlockMap>> rule_maps(const PredictionCase& c,
                                               const PredictionTensors& tensors);

/// Maps as lvsa_sparge_predict() writes them.
struct PredictedMaps {
  std::vector<std::int32_t> row_count;
  std::vector<std::int32_t> indices;
  std::vector<std::int32_t> faults;
};
/// What the arrays hold before: every word is one that no prediction writes.
PredictedMaps unwritten_maps(const PredictionCase& c);

/// The first difference, in words; empty when there is none. A refused head has its fault word set
/// and rows in order; nothing else is said of its maps.
std::string difference(const PredictionCase& c, const std::vector<std::optional<BlockMap>>& due,
                       const PredictedMaps& got);

}  // namespace lvsa::test_support
