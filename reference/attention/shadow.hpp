#pragma once
// The shadow of a kernel that declares its schedule: the row again in fp64, with the roundings that
// the schedule prescribes. P is rounded as the kernel rounds it, relative to the maximum that the
// kernel has at that tile; only those p whose error could carry them over a rounding's border are
// in doubt. What comes out is the value that a kernel of this schedule gives in otherwise exact
// arithmetic, and the sums that bound its distance from it. Derivation: docs/bounds.md, tier B.
//
// Results do not depend on the number of threads.

#include <cstdint>
#include <span>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/oracle.hpp"

namespace lvsa::reference {

/// A declared schedule, complete. Fields as in lvsa_numerics.
struct Schedule {
  std::int64_t key_tile = 1;
  std::int32_t tiles_cross_frames = 0;
  lvsa_key_order key_order = LVSA_KEYS_ASCENDING;
  lvsa_max_rule max_rule = LVSA_MAX_RUNNING;
  lvsa_dtype p_dtype = LVSA_F32;
  lvsa_p_rounding p_rounding = LVSA_P_NEAREST_EVEN;
  std::int32_t p_scale_log2 = 0;
  bool sum_rounded_p = false;
  bool normalise_first = false;  ///< with LVSA_MAX_FINAL and one split only
  bool rescale_exact = false;
  std::int64_t splits = 1;
  lvsa_split_rule split_rule = LVSA_SPLIT_UNKNOWN;
  std::int64_t split_tiles = 0;
  lvsa_dtype partial_dtype = LVSA_F32;
};

/// How far the kernel's arithmetic may be off.
struct ShadowErrors {
  double accumulator = 0x1p-24;  ///< unit roundoff of one accumulation
  std::int64_t score_step = 0;   ///< elements of q.k that join the accumulator at once; 0 unknown
  std::int64_t sum_step = 0;     ///< keys that join the running sums at once; 0 unknown: one
  double exp_units = 4.0;        ///< error of the exponential in units of 2^-24
  /// Roundings of a score that factors of q and k (lvsa_problem) cost besides.
  double factor_roundings = 0.0;
};

/// One row. Vectors have D entries.
struct ShadowRow {
  std::vector<double> out;     ///< what the schedule gives
  std::vector<double> doubts;  ///< from roundings of P that are in doubt
  std::vector<double> scores;  ///< from errors of scores that reach the sum, maxima and factors
  double lse = 0.0;
  double lse_shift = 0.0;
  double max_eta = 0.0;    ///< largest relative error of a p
  double sum_doubt = 0.0;  ///< share of the denominator in doubt; 0 where it sums unrounded p
  std::int64_t keys = 0;
  std::int64_t places = 0;    ///< keys, and those between them that a mask hides
  std::int64_t tiles = 0;     ///< of the split that has most
  std::int64_t doubtful = 0;  ///< keys whose rounding is in doubt
  bool finite = true;         ///< false: a score is not finite, and nothing else is filled in
};

/// One key of a row: what P of it is by the schedule. Weights are shares of the denominator.
struct ShadowKey {
  std::int64_t token = 0;
  double score = 0.0;
  double score_error = 0.0;  ///< eps_j
  double weight = 0.0;       ///< g_e R_j / L'
  double doubt = 0.0;        ///< g_e f_j / L'; 0 where the rounding is certain
};

/// One row by the schedule, key by key.
struct ShadowTrace {
  ShadowRow row;
  std::int64_t epochs = 0;  ///< maxima that are certainly distinct, over all splits
  std::vector<ShadowKey> keys;
};

/// Keys first .. last - 1 of a row's list of keys.
struct ShadowTile {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t split = 0;
  bool operator==(const ShadowTile&) const = default;
};

/// A row's keys and the tiles that a schedule cuts them into, in order of work.
struct ShadowSequence {
  std::vector<std::int64_t> tokens;
  std::vector<ShadowTile> tiles;  ///< each with a key at least
  std::int64_t places = 0;        ///< of keys in all tiles, those that a mask hides counted
  std::int64_t hidden_tiles = 0;  ///< tiles without a key, which are left out
  bool operator==(const ShadowSequence&) const = default;
};

/// The rows by the schedule. `exact[i]` is the oracle's result for rows[i], about whose output
/// errors are centred. Throws Error(kValue) as attend_rows does, and for spans of unequal length.
std::vector<ShadowRow> replay_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   const Schedule& schedule, const ShadowErrors& errors,
                                   std::span<const RowResult> exact);

/// The same for rows whose keys are given, sequences[i] those of rows[i]; of the problem only
/// tensors and scale are looked at.
std::vector<ShadowRow> replay_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   std::span<const ShadowSequence> sequences,
                                   const Schedule& schedule, const ShadowErrors& errors,
                                   std::span<const RowResult> exact);

/// One row with what the schedule makes of each key; keys are empty where a score is not finite.
ShadowTrace trace_row(const AttentionProblem& problem, const RowId& row, const Schedule& schedule,
                      const ShadowErrors& errors, const RowResult& exact);

/// The same for a row whose keys are given.
ShadowTrace trace_row(const AttentionProblem& problem, const RowId& row,
                      const ShadowSequence& sequence, const Schedule& schedule,
                      const ShadowErrors& errors, const RowResult& exact);

}  // namespace lvsa::reference
