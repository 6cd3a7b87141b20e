#include "reference/attention/blocks/block_shadow.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "reference/attention/shadow_tiles.hpp"

namespace lvsa::reference {
namespace {

// Collects the keys of a row place by place and cuts them where the schedule does.
class Cutter {
 public:
  explicit Cutter(std::int64_t tile) : tile_(tile) {}

  void begin_piece() { places_ = 0; }
  void add(std::int64_t token, bool attended) {
    if (places_ % tile_ == 0) end_tile();
    ++places_;
    ++sequence_.places;
    if (attended) sequence_.tokens.push_back(token);
  }
  ShadowSequence take() {
    end_tile();
    return std::move(sequence_);
  }

 private:
  void end_tile() {
    const auto keys = static_cast<std::int64_t>(sequence_.tokens.size());
    if (keys > begin_) {
      sequence_.tiles.push_back({begin_, keys, 0});
    } else if (sequence_.places > tile_begin_) {
      ++sequence_.hidden_tiles;
    }
    begin_ = keys;
    tile_begin_ = sequence_.places;
  }

  std::int64_t tile_;
  std::int64_t places_ = 0;      // of the piece at hand
  std::int64_t begin_ = 0;       // first key of the tile at hand
  std::int64_t tile_begin_ = 0;  // the same of all places
  ShadowSequence sequence_;
};

bool is_skipped(std::span<const SkipDecision> decisions, std::size_t entry) {
  return !decisions.empty() && decisions[entry].state == SkipState::kSkipped;
}

bool is_open(std::span<const SkipDecision> decisions) {
  return std::any_of(decisions.begin(), decisions.end(),
                     [](const SkipDecision& d) { return d.state == SkipState::kInDoubt; });
}

bool says_something(const HeadPattern& pattern, const Schedule& schedule) {
  return !pattern.skip || (schedule.tiles_cross_frames == 0 && pattern.skip->threshold_log2 >= 0.0);
}

std::int64_t place_of(const HeadPattern& pattern, std::int64_t token) {
  return pattern.order ? pattern.order->place(token) : token;
}

}  // namespace

ShadowSequence map_sequence(const HeadPattern& pattern, std::int64_t query_token,
                            const Schedule& schedule, std::span<const SkipDecision> decisions) {
  const BlockMap& map = pattern.map;
  const std::int64_t place = place_of(pattern, query_token);
  const std::int64_t block = map.rows.block_of(place);
  const std::int64_t line = place - map.rows.begin(block);
  const std::int64_t first_entry = map.indptr[static_cast<std::size_t>(block)];
  Cutter cutter(schedule.key_tile);
  cutter.begin_piece();
  for (std::size_t i = 0; i < map.row(block).size(); ++i) {
    if (is_skipped(decisions, i)) continue;
    if (schedule.tiles_cross_frames == 0) cutter.begin_piece();
    const std::int32_t column = map.row(block)[i];
    const std::int32_t mask = pattern.mask.mask_of(first_entry + static_cast<std::int64_t>(i));
    for (std::int64_t key = map.columns.begin(column); key < map.columns.end(column); ++key) {
      cutter.add(pattern.order ? pattern.order->token(key) : key,
                 pattern.mask.attends(mask, line, key - map.columns.begin(column)));
    }
  }
  ShadowSequence sequence = cutter.take();
  put_in_order(sequence.tiles, schedule);
  return sequence;
}

namespace {

bool is_of_maps(const Schedule& schedule) {
  return schedule.tiles_cross_frames != 2 && schedule.key_order != LVSA_KEYS_TEXT_FIRST;
}

// Nothing where the schedule says nothing of the row.
std::optional<ShadowSequence> sequence_of(const BlockAttention& attention, BlockOracle& oracle,
                                          const RowId& row, const Schedule& schedule) {
  const HeadPattern& pattern = attention.pattern(row.batch, row.head);
  if (!says_something(pattern, schedule)) return std::nullopt;
  std::span<const SkipDecision> decisions;
  if (pattern.skip) {
    const std::int64_t place = place_of(pattern, row.token);
    decisions = oracle.decisions(row.batch, row.head, pattern.map.rows.block_of(place));
  }
  if (is_open(decisions)) return std::nullopt;
  ShadowSequence sequence = map_sequence(pattern, row.token, schedule, decisions);
  // A maximum that is rounded anew in each tile drifts in hidden ones, too.
  if (sequence.hidden_tiles > 0 && !schedule.rescale_exact) return std::nullopt;
  return sequence;
}

}  // namespace

std::vector<ShadowRow> replay_map_rows(const BlockAttention& attention, std::span<const RowId> rows,
                                       const Schedule& schedule, const ShadowErrors& errors,
                                       const ScoreErrorModel& score_errors,
                                       std::span<const RowResult> exact) {
  std::vector<ShadowRow> results(rows.size());
  for (ShadowRow& row : results) row.finite = false;
  if (!is_of_maps(schedule)) return results;
  BlockOracle oracle(attention, score_errors);
  oracle.decide(rows);
  std::vector<std::size_t> chosen;
  std::vector<RowId> ids;
  std::vector<RowResult> due;
  std::vector<ShadowSequence> sequences;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto sequence = sequence_of(attention, oracle, rows[i], schedule);
    if (!sequence) continue;
    chosen.push_back(i);
    ids.push_back(rows[i]);
    due.push_back(exact[i]);
    sequences.push_back(std::move(*sequence));
  }
  std::vector<ShadowRow> replayed =
      replay_rows(oracle.problem(), ids, sequences, schedule, errors, due);
  for (std::size_t i = 0; i < chosen.size(); ++i) results[chosen[i]] = std::move(replayed[i]);
  return results;
}

ShadowTrace trace_map_row(const BlockAttention& attention, const RowId& row,
                          const Schedule& schedule, const ShadowErrors& errors,
                          const ScoreErrorModel& score_errors, const RowResult& exact) {
  ShadowTrace nothing;
  nothing.row.finite = false;
  if (!is_of_maps(schedule)) return nothing;
  BlockOracle oracle(attention, score_errors);
  const auto sequence = sequence_of(attention, oracle, row, schedule);
  if (!sequence) return nothing;
  return trace_row(oracle.problem(), row, *sequence, schedule, errors, exact);
}

}  // namespace lvsa::reference
