#pragma once
// The arithmetic of one row of the emulated kernel.

#include <cstdint>
#include <vector>

#include "reference/attention/mutants/defects.hpp"

namespace lvsa::reference {

/// Keys a tile of the emulated kernel; a tile ends with its frame.
inline constexpr std::int64_t kMutantTile = 32;

/// A key as the row sees it.
struct MutantKey {
  const float* k = nullptr;  ///< [D]
  const float* v = nullptr;  ///< [D]
  float bias = 0.0F;         ///< added to the score
  bool no_weight = false;    ///< its weight is replaced by 0 before P.V
};
using MutantTile = std::vector<MutantKey>;

/// What a row comes to.
struct MutantResult {
  std::vector<float> out;
  float lse = 0.0F;
};

/// One query row over its tiles; `split` tiles in front make the first half where partial results
/// are merged. `carried` is where the denominator starts (0 in a healthy kernel).
MutantResult mutant_row(const float* q, std::int64_t head_dim, float scale,
                        const std::vector<MutantTile>& tiles, std::size_t split, float carried,
                        Defect defect);

}  // namespace lvsa::reference
