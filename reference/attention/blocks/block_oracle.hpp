#pragma once
// The oracle over block maps: attention in fp64 on the keys that a head's pattern shows a row, less
// the blocks that the online skip leaves out.
//
// The skip rule looks at maxima of scores only, and skipped blocks count in them, so each decision
// stands by itself. Scores of a kernel are off by some eta; a block is *skipped* when it is for all
// scores within their eta, *in doubt* when for some. The result of a row is computed without the
// skipped blocks and with those in doubt; `doubt` bounds what leaving any of the latter out
// changes. With m the mass of the row's keys in doubt (of its sum L) and any part S of them left
// out, o_S - o = - sum_S p_j (v_j - o) / (L (1 - m_S)), so |o_S - o| <= sum_D p_j |v_j - o| / L /
// (1 - m), and lse falls by -ln(1 - m) at most.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "reference/attention/blocks/skip_decisions.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::reference {

struct BlockRowResult {
  RowResult row;                 ///< without skipped blocks, with those in doubt
  std::vector<double> doubt;     ///< [D] what leaving blocks in doubt out may add to |error| of out
  double doubt_lse = 0.0;        ///< how far lse may fall for the same reason
  double doubt_mass = 0.0;       ///< mass of the keys in doubt, of the row's sum
  double skipped_mass = 0.0;     ///< mass of the skipped keys, of the sum over all visible keys
  std::int64_t blocks_kept = 0;  ///< of the row's query block, those in doubt not counted
  std::int64_t blocks_in_doubt = 0;
  std::int64_t blocks_skipped = 0;
};

class BlockOracle {
 public:
  /// Throws Error(kValue) for shapes that do not fit the patterns.
  BlockOracle(const BlockAttention& attention, const ScoreErrorModel& errors);
  ~BlockOracle();
  BlockOracle(const BlockOracle&) = delete;
  BlockOracle& operator=(const BlockOracle&) = delete;

  /// Rows in any order, in parallel; the same bits for any number of threads and company. Skip
  /// decisions of a query block are found once and kept.
  std::vector<BlockRowResult> attend_rows(std::span<const RowId> rows,
                                          const std::function<void()>& done = {});

  /// Finds the skip decisions of the rows' query blocks, in parallel; attend_rows() does the same.
  void decide(std::span<const RowId> rows);
  /// The decisions for the query block of a row, [kept blocks of the map's row]; all kKept without
  /// a skip rule.
  const std::vector<SkipDecision>& decisions(std::int64_t batch, std::int64_t head,
                                             std::int64_t query_block);

  /// The oracle's problem with key_ranges: visible tokens less the skipped blocks, for relations
  /// and probes that want single keys. Valid while this lives; call attend_rows() or decisions()
  /// for the rows first when there is a skip rule.
  const AttentionProblem& problem() const { return problem_; }

 private:
  struct State;
  void add_doubt(const RowId& row, BlockRowResult& result) const;
  void add_skipped_mass(const RowId& row, BlockRowResult& result) const;

  BlockAttention attention_;
  ScoreErrorModel errors_;
  AttentionProblem problem_;
  std::unique_ptr<State> state_;
};

}  // namespace lvsa::reference
