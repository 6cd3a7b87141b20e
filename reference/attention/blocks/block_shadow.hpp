#pragma once
// The replay of a declared schedule for block maps (docs/bounds_schedule.md): which keys a row has,
// and how they are cut into tiles.
//
// tiles_cross_frames of the schedule, for maps: 1: the kept blocks of a row, one behind the other,
// are cut as one sequence; 0: each kept block by itself. Pairs that a mask hides take their places
// in tiles and weigh nothing; a tile of hidden pairs alone leaves everything as it was.

#include <span>
#include <vector>

#include "reference/attention/blocks/block_oracle.hpp"
#include "reference/attention/shadow.hpp"

namespace lvsa::reference {

/// The keys of a row by a schedule. `decisions`: of the row's query block, empty without a skip
/// rule; blocks that are skipped have no tiles.
ShadowSequence map_sequence(const HeadPattern& pattern, std::int64_t query_token,
                            const Schedule& schedule, std::span<const SkipDecision> decisions);

/// The rows by the schedule; exact[i] is the oracle's result of rows[i]. Rows of which it says
/// nothing have `finite` false: those with a block whose skip is in doubt, those of heads that skip
/// while tiles run across blocks or whose threshold is below 0, so that skipped blocks may raise
/// the maximum, those with hidden tiles where rescaling is not exact. None has a result with
/// tiles_cross_frames 2 or text first.
std::vector<ShadowRow> replay_map_rows(const BlockAttention& attention, std::span<const RowId> rows,
                                       const Schedule& schedule, const ShadowErrors& errors,
                                       const ScoreErrorModel& score_errors,
                                       std::span<const RowResult> exact);

/// One of them, key by key.
ShadowTrace trace_map_row(const BlockAttention& attention, const RowId& row,
                          const Schedule& schedule, const ShadowErrors& errors,
                          const ScoreErrorModel& score_errors, const RowResult& exact);

}  // namespace lvsa::reference
