#include "analysis/blocks/map_oracle.hpp"

#include "reference/attention/blocks/block_oracle.hpp"

namespace lvsa::analysis {

std::vector<reference::RowResult> attend_map_rows(const MapProblem& problem,
                                                  std::span<const reference::RowId> rows,
                                                  const reference::ScoreErrorModel& errors) {
  reference::BlockOracle oracle(
      {problem.q, problem.k, problem.v, problem.scale, problem.maps.heads()}, errors);
  std::vector<reference::RowResult> results;
  for (reference::BlockRowResult& exact : oracle.attend_rows(rows)) {
    for (std::size_t c = 0; c < exact.doubt.size(); ++c) exact.row.score_shift[c] += exact.doubt[c];
    exact.row.lse_shift += exact.doubt_lse;
    results.push_back(std::move(exact.row));
  }
  return results;
}

}  // namespace lvsa::analysis
