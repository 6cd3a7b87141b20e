#pragma once
// One row of the shadow, from its scores: which maximum each tile has, what P is rounded to, and
// which of the roundings are in doubt.

#include <cstdint>
#include <span>
#include <vector>

#include "reference/attention/p_rounding.hpp"
#include "reference/attention/shadow.hpp"
#include "reference/attention/shadow_tiles.hpp"

namespace lvsa::reference {

/// Tiles in succession, of one split, that certainly have the same maximum.
struct ShadowEpoch {
  std::int64_t split = 0;
  double max = 0.0;           ///< M_e
  double max_error = 0.0;     ///< kappa_e
  double factor = 0.0;        ///< g_e = exp(M_e - M), M the row's largest score
  double factor_error = 0.0;  ///< rho_e: of the factors on the way to the end
  double sum = 0.0;           ///< sum of what the denominator sums: exp(s_j - M_e), or P
  double sum_error = 0.0;     ///< sum exp(s_j - M_e) e_j
  double doubt = 0.0;         ///< sum of the doubts
  std::int64_t tiles = 0;
};

/// A row's weights. `weight` and `doubt` have an entry for each key.
struct ShadowPlan {
  std::vector<ShadowTile> tiles;
  std::vector<std::size_t> epoch_of;  ///< of each tile
  std::vector<ShadowEpoch> epochs;
  std::vector<double> weight;  ///< R_j: P as it enters P.V, relative to its epoch's maximum
  std::vector<double> doubt;   ///< largest error of R_j
  double max_eta = 0.0;
  double sum = 0.0;        ///< denominator, relative to M
  double sum_error = 0.0;  ///< relative error of a sum over p by errors of scores
  std::int64_t doubtful = 0;
};

/// scores[j] = s_j and errors[j], the bound of what the kernel's score is off, of each key.
ShadowPlan plan_row(std::vector<ShadowTile> tiles, const Schedule& schedule,
                    const ShadowErrors& errors, std::span<const double> scores,
                    std::span<const double> score_errors, double accumulation_error);

}  // namespace lvsa::reference
