#pragma once
// Tier A bounds: how far a right kernel's output may be from the exact one, per element, knowing
// nothing of its schedule but what it declares. First order, times 1 + 2^-6. Derivation:
// docs/bounds.md.

#include <cstdint>

#include "core/kernel/lvsa_kernel.h"
#include "core/tensor/tensor.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// What the bounds assume of a kernel's arithmetic.
struct BoundModel {
  double p_roundoff = 0.0;            ///< u_P: P rounded before P.V
  double p_underflow = 0.0;           ///< mu_P: what P loses below its smallest number
  double accumulator_roundoff = 0.0;  ///< u_a
  std::int64_t key_tile = 0;          ///< B; 0: unknown, the worst case counts
  bool tiles_cross_frames = false;
  std::int64_t splits = 1;  ///< partial results merged by log-sum-exp
  reference::ScoreErrorModel scores;
};

/// The model of a kernel that declares `numerics` (null: nothing) and reads `dtype` inputs of head
/// size D. Unknown fields take the worst case: P in the type of the inputs, fp32 accumulators that
/// truncate (2^-23), any tile.
BoundModel make_bound_model(const lvsa_numerics* numerics, DType dtype, std::int64_t head_dim);

/// B + 2N for a row of `keys` keys in `ranges_tiles` tiles; the worst case where the tile is
/// unknown.
double accumulation_steps(const BoundModel& model, std::int64_t keys, std::int64_t tiles);

/// Key tiles of a row over token ranges of whole frames and text.
std::int64_t count_tiles(const BoundModel& model, const FrameGrid& grid,
                         std::int64_t frames_attended, std::int64_t keys);

/// Tolerance t_c of output column c, and its four terms.
struct Tolerance {
  double p_rounding = 0.0;    ///< u_P A_c
  double scores = 0.0;        ///< sum p_j |v_jc - o_c| eta_j / L
  double accumulation = 0.0;  ///< (B + 2N + 4) u_a (A_c + |o_c|)
  double underflow = 0.0;     ///< mu_P sum |v_jc| / L
  double total = 0.0;         ///< the sum times 1 + 2^-6
};
Tolerance output_tolerance(const BoundModel& model, const reference::RowResult& row, std::size_t c,
                           double steps);

/// Tolerance of the natural log-sum-exp.
double lse_tolerance(const BoundModel& model, const reference::RowResult& row, double steps);

/// RN(exact - t) <= output <= RN(exact + t): rounding is monotone, so a right kernel's rounded
/// output cannot leave this interval. NaN never does lie in it.
struct Interval {
  double low = 0.0;
  double high = 0.0;
  bool contains(double value) const { return value >= low && value <= high; }
};
/// The smallest error before the last rounding that explains `got`: 0 when `exact` rounds to it,
/// else from `exact` to the nearest value that does. An output is accepted when this is at most its
/// tolerance, up to ties in rounding. Infinity when `got` is not finite and `exact` is.
double unrounded_error(double exact, double got, DType out_dtype);

Interval accept_interval(double exact, double tolerance, DType out_dtype);

/// Scores so uncertain that the first-order bound says little: some eta_j >= 2^-8.
bool scores_are_weak(const reference::RowResult& row);

}  // namespace lvsa::analysis
