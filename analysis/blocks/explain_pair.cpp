#include "analysis/blocks/explain_pair.hpp"

#include <algorithm>
#include <utility>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/explain_map.hpp"
#include "analysis/blocks/map_oracle.hpp"
#include "analysis/blocks/map_readings.hpp"
#include "analysis/verify/explain_parts.hpp"
#include "analysis/verify/inputs.hpp"
#include "reference/attention/blocks/block_oracle.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

const HeadPattern& head_of(const MapSubject& subject, const PairId& at) {
  return subject.made.heads[static_cast<std::size_t>(at.batch * subject.c.heads + at.head)];
}

void check_pair(const MapSubject& subject, const PairId& at) {
  require_inside("--block", "batch element", at.batch, subject.c.batch);
  require_inside("--block", "head", at.head, subject.c.heads);
  const BlockMap& map = head_of(subject, at).map;
  require_inside("--block", "query block", at.query_block, map.rows.blocks());
  require_inside("--block", "key block", at.key_block, map.columns.blocks());
}

std::vector<std::int64_t> tokens_of(const HeadPattern& head, const BlockAxis& axis,
                                    std::int64_t block) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t place = axis.begin(block); place < axis.end(block); ++place) {
    tokens.push_back(head.order ? std::int64_t{head.order->token(place)} : place);
  }
  return tokens;
}

bool row_fits(const Case& c, const KernelOutputs& outputs, const BoundModel& model,
              const BlockMaps& maps, const RowId& row, const reference::RowResult& exact) {
  const RowSteps steps = map_steps(model, maps, row, exact.keys);
  std::vector<double> got(exact.out.size());
  outputs.out.read_row(row.batch, row.token, row.head, got.data());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double t = output_tolerance(model, exact, i, steps).total;
    if (!accept_interval(exact.out[i], t, output_dtype(c)).contains(got[i])) return false;
  }
  if (!outputs.lse) return true;
  const double t = lse_tolerance(model, exact, steps);
  return accept_interval(exact.lse, t, LVSA_F32)
      .contains(outputs.lse(row.batch, row.token, row.head));
}

// Counts how many rows of the query block fit a reading.
class Reader {
 public:
  Reader(const MapSubject& subject, const PairId& at, const LeftBehind& left,
         const std::vector<RowId>& rows)
      : subject_(subject),
        at_(at),
        outputs_(left.outputs),
        rows_(rows),
        model_(make_bound_model(outputs_.numerics ? &*outputs_.numerics : nullptr, subject.c.dtype,
                                subject.c.head_dim)) {}

  ExplainedReading count(MapReading reading) const {
    const Case& c = subject_.c;
    const reference::BlockAttention a = subject_.attention();
    std::vector<HeadPattern> heads = subject_.made.heads;
    heads[static_cast<std::size_t>(at_.batch * c.heads + at_.head)] = std::move(reading.head);
    const BlockMaps maps(reference::cpu_blocks_kernel(), std::move(heads), c.batch,
                         subject_.made.nominal);
    const auto exact = attend_map_rows({a.q, a.k, a.v, a.scale, maps}, rows_, model_.scores);
    ExplainedReading counted{std::move(reading.what), 0};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (row_fits(c, outputs_, model_, maps, rows_[i], exact[i])) ++counted.fits;
    }
    return counted;
  }

 private:
  const MapSubject& subject_;
  const PairId& at_;
  const KernelOutputs& outputs_;
  const std::vector<RowId>& rows_;
  BoundModel model_;
};

// The readings of the pair and of the map; where rows fail and none of these fits all of them,
// those of other key blocks that do.
void add_readings(ExplainedPair& made, const MapSubject& subject, const PairId& at,
                  const LeftBehind& left, const std::vector<RowId>& rows) {
  constexpr std::int64_t kMostColumns = 512;
  const Reader reader(subject, at, left, rows);
  const HeadPattern& head = head_of(subject, at);
  const auto all = static_cast<std::int64_t>(rows.size());
  made.judged = left.name;
  made.readings.push_back(reader.count({"as the map has it", head}));
  bool found = made.readings.front().fits == all;
  const auto add = [&](std::vector<MapReading> readings) {
    for (MapReading& reading : readings) {
      made.readings.push_back(reader.count(std::move(reading)));
      found = found || made.readings.back().fits == all;
    }
  };
  add(readings_of_pair(head, at.query_block, at.key_block));
  const auto first = subject.made.heads.begin() + at.batch * subject.c.heads;
  add(readings_of_head({first, first + subject.c.heads}, at.head));
  const std::int64_t columns = std::min(kMostColumns, head.map.columns.blocks());
  for (std::int64_t column = 0; column < columns && !found; ++column) {
    if (column == at.key_block) continue;
    for (MapReading& reading : readings_of_pair(head, at.query_block, column)) {
      ExplainedReading counted = reader.count(std::move(reading));
      if (counted.fits == all) made.readings.push_back(std::move(counted));
    }
  }
}

// What stands in the map at the pair.
void add_entry(ExplainedPair& made, const HeadPattern& head, const PairId& at) {
  const auto row = head.map.row(at.query_block);
  made.columns.assign(row.begin(), row.end());
  for (std::int64_t r = 0; r < head.map.rows.blocks(); ++r) {
    const auto other = head.map.row(r);
    if (std::binary_search(other.begin(), other.end(), static_cast<std::int32_t>(at.key_block))) {
      made.keepers.push_back(r);
    }
  }
  const auto found = std::find(made.columns.begin(), made.columns.end(), at.key_block);
  made.kept = found != made.columns.end();
  if (!made.kept) return;
  made.entry =
      head.map.indptr[static_cast<std::size_t>(at.query_block)] + (found - made.columns.begin());
  made.mask = head.mask.mask_of(made.entry);
  const auto queries = static_cast<std::int64_t>(made.query_tokens.size());
  const auto keys = static_cast<std::int64_t>(made.key_tokens.size());
  for (std::int64_t q = 0; q < queries; ++q) {
    std::string line;
    for (std::int64_t k = 0; k < keys; ++k) {
      const bool attended = head.mask.attends(made.mask, q, k);
      made.pairs += attended ? 1 : 0;
      line += attended ? '#' : '.';
    }
    if (made.mask >= 0) made.bits.push_back(line);
  }
}

void add_shares(ExplainedPair& made, reference::BlockOracle& oracle, const HeadPattern& head,
                const std::vector<RowId>& rows, const reference::ScoreErrorModel& errors) {
  for (const RowId& row : rows) {
    double all = 0.0;
    double mine = 0.0;
    for (const reference::KeyTerm& key : attend_keys(oracle.problem(), row, errors)) {
      const std::int64_t place = place_of_token(head, key.token);
      all += key.p;
      if (place >= made.key_begin && place < made.key_end) mine += key.p;
    }
    made.shares.push_back(all > 0.0 ? mine / all : 0.0);
  }
}

}  // namespace

std::vector<std::int64_t> query_tokens(const MapSubject& subject, const PairId& at) {
  check_pair(subject, at);
  const HeadPattern& head = head_of(subject, at);
  return tokens_of(head, head.map.rows, at.query_block);
}

ExplainedPair explain_pair(const MapSubject& subject, const PairId& at,
                           const std::optional<LeftBehind>& left) {
  ExplainedPair made;
  made.query_tokens = query_tokens(subject, at);
  const HeadPattern& head = head_of(subject, at);
  made.batch = at.batch;
  made.head_number = at.head;
  made.head = explain_head(subject, at.batch, at.head, at.query_block);
  made.key_block = at.key_block;
  made.key_begin = head.map.columns.begin(at.key_block);
  made.key_end = head.map.columns.end(at.key_block);
  made.key_tokens = tokens_of(head, head.map.columns, at.key_block);
  add_entry(made, head, at);
  std::vector<RowId> rows;
  for (const std::int64_t token : made.query_tokens) rows.push_back({at.batch, token, at.head});
  const BoundModel model = make_bound_model(nullptr, subject.c.dtype, subject.c.head_dim);
  reference::BlockOracle oracle(subject.attention(), model.scores);
  const auto& decisions = oracle.decisions(at.batch, at.head, at.query_block);
  if (made.kept) {
    const auto first = head.map.indptr[static_cast<std::size_t>(at.query_block)];
    made.skip = decisions[static_cast<std::size_t>(made.entry - first)];
  }
  add_shares(made, oracle, head, rows, model.scores);
  if (left) add_readings(made, subject, at, *left, rows);
  return made;
}

}  // namespace lvsa::analysis
