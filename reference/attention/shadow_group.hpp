#pragma once
// Rows that share their keys, so that each key and value is read and converted once for all.

#include <cstdint>
#include <utility>
#include <vector>

#include "reference/attention/shadow.hpp"
#include "reference/attention/shadow_loops.hpp"
#include "reference/attention/shadow_row.hpp"

namespace lvsa::reference {

class ShadowGroup {
 public:
  /// All that is passed must outlive the group.
  ShadowGroup(const AttentionProblem& problem, const Schedule& schedule,
              const ShadowErrors& errors);

  /// Rows of one batch element, key/value head and frame; `result` is filled by replay().
  void add(const RowId& row, const RowResult& exact, ShadowRow& result);
  void replay();
  /// The same, all rows with these keys.
  void replay(const ShadowSequence& sequence);
  /// After replay(): the first row key by key, all but its result.
  ShadowTrace trace() const;

 private:
  struct Row {
    RowId id;
    const RowResult* exact;
    ShadowRow* result;
    std::vector<double> query;
    std::vector<double> scores;
    std::vector<double> score_errors;
    ShadowPlan plan;
    std::vector<double> values;  ///< [epochs][D]: sum of R_j v_jc
    std::vector<double> doubts;  ///< [epochs][D]: sum of f_j |v_jc - centre|
  };

  void find_keys();
  void work_off();
  void make_scores();
  void make_plan(Row& row);
  void add_values();
  void add_tile(Row& row, std::size_t tile, std::int64_t first, std::int64_t count,
                const std::vector<double>& block) const;
  void finish(Row& row) const;
  void finish_lse(Row& row, const std::vector<double>& errors) const;
  /// Errors of the factors by which epochs enter the result, merging of splits included.
  std::vector<double> factor_errors(const Row& row) const;
  double merge_error(const Row& row, std::int64_t split, double lse) const;
  std::int64_t kv_head() const;
  /// The denominator sums what P.V multiplies, so that errors of weights count from the output on.
  bool centred() const;

  const AttentionProblem& problem_;
  const Schedule& schedule_;
  const ShadowErrors& errors_;
  const ShadowLoops& loops_;
  std::int64_t dim_;
  std::vector<Row> rows_;
  std::vector<std::int64_t> tokens_;  ///< of the keys
  std::vector<ShadowTile> tiles_;
  std::int64_t places_ = 0;
};

}  // namespace lvsa::reference
