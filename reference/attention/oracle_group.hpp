#pragma once
// Query rows of one head that the oracle computes together, so that each key and value is read and
// converted once for all of them. A row's numbers do not depend on the rows beside it: each of its
// sums runs over its own keys in ascending order.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "reference/attention/oracle.hpp"
#include "reference/attention/oracle_loops.hpp"
#include "reference/attention/row_reader.hpp"

namespace lvsa::reference {

/// Bytes that a group needs for a row of `keys` keys while it is at work.
std::int64_t oracle_row_bytes(std::int64_t keys);

class OracleGroup {
 public:
  /// Rows of one batch element and one kv head, ascending tokens; with key_ranges, of one head and
  /// equal keys. All that is passed must outlive the group.
  OracleGroup(const AttentionProblem& problem, std::span<const RowId> rows,
              const ScoreErrorModel& errors, const OracleLoops& loops);

  /// results[r] for rows[r].
  void attend(std::span<RowResult> results);

  /// The keys of row `r` with their scores; attend() must not have run.
  std::vector<KeyTerm> key_terms(std::size_t r);

 private:
  /// Neighbouring key tokens that the same rows attend; with key_ranges, places in `tokens_`.
  struct Run {
    std::int64_t begin;
    std::int64_t end;
    std::vector<std::size_t> active;
  };
  /// Numbers of a row: the keys that the passes have been through, and where its own are.
  struct RowState {
    std::int64_t keys = 0;
    std::int64_t passed = 0;
    double* query = nullptr;
    double* weight = nullptr;      // scores, then p
    double* eta_weight = nullptr;  // magnitudes, then p eta
    double* out = nullptr;
    double* magnitude = nullptr;
    double* spread = nullptr;
    double* shift = nullptr;
    double* value_sum = nullptr;
  };

  void find_runs();
  void find_tokens();
  void read(const RowReader& reader, std::int64_t token, std::int64_t count, double* out,
            std::int64_t pitch) const;
  void place_rows();
  void make_scores();
  void soften(std::size_t r, RowResult& result);
  void add_values(std::span<const RowResult> results);
  void add_deviations();
  /// Calls visit(run, first token, count) for each block of keys, ascending.
  template <typename Visit>
  void for_each_block(Visit visit);
  /// Tokens from `token` on that may be read next.
  std::int64_t ahead(std::int64_t token) const {
    return (tokens_.empty() ? problem_.k.shape[1] : std::int64_t(tokens_.size())) - token;
  }
  void load_keys(std::int64_t token, std::int64_t count);
  void load_values(std::int64_t token, std::int64_t count);
  void sum_values(const Run& run, std::int64_t token, std::int64_t count);

  const AttentionProblem& problem_;
  std::span<const RowId> rows_;
  const ScoreErrorModel& errors_;
  const OracleLoops& loops_;
  std::int64_t kv_head_;
  std::int64_t dim_;
  std::int64_t width_;                // dim_ up to a multiple of kOraclePanel
  std::vector<std::int64_t> tokens_;  // with key_ranges: the keys of all rows
  std::vector<Run> runs_;
  std::vector<RowState> states_;
  std::vector<double> columns_;     // the last six of each row's
  std::unique_ptr<double[]> keys_;  // what is kept for each key of each row
  std::vector<double> block_;
  RowReader k_;
  RowReader v_;
  std::vector<double> rows_read_;  // of K, before they are put into panels
  std::vector<double> frame_sum_;  // sum |v| over the frame at hand
};

}  // namespace lvsa::reference
