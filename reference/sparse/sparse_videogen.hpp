#pragma once
// Sparse-VideoGen v1, restated with whole matrices of masks. Source: version 1 of its published
// code (2025); the sampled rows are given, since the published ones are random.

#include "reference/sparse/rainfusion.hpp"

namespace lvsa::reference {

struct SparseVideoGenRequest {
  bool wan = false;
  double mul = 1.0;           ///< frames that the band is wide to each side
  double sample_width = 1.5;  ///< frames of the samples' bands
  bool sink_before_reorder = true;
  std::int64_t unit = 128;
  std::vector<std::int64_t> rows;  ///< sampled tokens
};
/// "spatial" or "temporal"; ties are spatial.
TokenPattern sparse_videogen(const VideoHead& head, const SparseVideoGenRequest& request);

/// mul of a kept density a of all pairs: S (1 - sqrt(1 - (a - 2 L / S))) / P.
double sparse_videogen_multiplier(const VideoHead& head, double density);

}  // namespace lvsa::reference
