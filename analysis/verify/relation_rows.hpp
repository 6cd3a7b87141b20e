#pragma once
// Rows that calls left behind: compared with another call's, and with what is due.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/relation_run.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// Whether both calls declare the same schedule, so that equal rows must come out bit for bit.
bool same_schedule(const Outputs& a, const Outputs& b);

/// The row of the other call that a row is compared with; nothing: not compared.
struct RowPair {
  reference::RowId here;
  reference::RowId there;
};
using RowPairs = std::vector<RowPair>;
/// Every row of the problem's tokens with the row at the same place.
RowPairs same_rows(const Problem& problem);

/// How an element must follow from the other call's.
enum class Expect { kSameBits, kDoubled, kNegated };
/// Compares outputs (and log-sum-exps, unless `lse` is false); one line on the first difference, or
/// nothing.
std::optional<std::string> rows_differ(const Problem& problem, const Outputs& here,
                                       const Outputs& there, const RowPairs& rows,
                                       Expect expect = Expect::kSameBits, bool lse = true);
std::optional<std::string> lse_differs(const Problem& problem, const Outputs& here,
                                       const Outputs& there, const RowPairs& rows);

/// Rows of the problem's tokens spread over tokens, heads and batch elements, at most `most`.
std::vector<reference::RowId> spread_rows(const Problem& problem, std::size_t most);

/// At most `most` of the rows of pairs, spread over them.
std::vector<reference::RowId> some_of(const RowPairs& rows, std::size_t most);

/// The oracle's view of a problem, with the tensors times their scales that it looks at.
struct OracleOfProblem {
  std::shared_ptr<GuardedTensor> q, k, v;
  reference::AttentionProblem problem;
  operator const reference::AttentionProblem&() const { return problem; }
};
OracleOfProblem oracle_of(const Problem& problem);
/// What is due in rows, also where the problem has maps. `doubt` of a skip rule is in the scores'
/// terms.
std::vector<reference::RowResult> exact_rows(const Problem& problem,
                                             std::span<const reference::RowId> rows,
                                             const reference::ScoreErrorModel& errors);

/// Keys that a row attends; a skip rule does not count.
std::int64_t row_keys(const Problem& problem, const reference::RowId& row);
/// Rounding steps of a row by the model, for its bounds.
RowSteps problem_steps(const BoundModel& model, const Problem& problem, const reference::RowId& row,
                       std::int64_t keys);
BoundModel model_of(const Problem& problem, const Outputs& outputs);
/// Tier A on some rows: one line on the first element outside its bound, or nothing.
std::optional<std::string> outside_bounds(const Problem& problem, const Outputs& outputs,
                                          const std::vector<reference::RowId>& rows);

/// "batch 0, frame 3 row 17, head 1".
std::string place_of(const Problem& problem, const reference::RowId& row);

}  // namespace lvsa::analysis
