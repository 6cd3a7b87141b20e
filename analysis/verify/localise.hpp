#pragma once
// Where and why: what the failing elements of a case have in common.
//
// Every statement is true of all failing rows and of few or none of the passing ones; the best
// comes first, and the numbers behind it are told. How it is found: docs/failures.md.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/judge.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// A checked row and what failed in it.
struct CheckedRow {
  reference::RowId id;
  std::vector<std::uint8_t> columns;  ///< [D] 1 where the output failed; empty: nowhere
  bool lse = false;                   ///< the log-sum-exp failed
  bool failed() const { return !columns.empty() || lse; }
};

/// What was compared, for explanations that compute rows again.
struct JudgedCase {
  const Case& c;
  const FramePattern& pattern;
  const KernelOutputs& outputs;
  const reference::AttentionProblem& problem;
  const BoundModel& model;
  std::span<const reference::RowId> rows;
  std::span<const reference::RowResult> exact;
};

/// Which elements lie outside their tier A intervals.
std::vector<CheckedRow> checked_rows(const JudgedCase& judged);

/// One line; empty when no row failed.
std::string where_it_fails(const JudgedCase& judged);

/// "only head 5 (all 12 checked rows there; 84 elsewhere pass)", "only the last 24 rows of each
/// frame"; empty when nothing distinguishes the failing rows. (localise_rows.cpp)
std::string describe_rows(const Case& c, const FramePattern& pattern,
                          std::span<const CheckedRow> rows);

/// "only columns 64-127 of 128", "only columns 63 mod 64"; where V marks keys, "no weight on key
/// tile 127"; empty when all columns fail somewhere.
std::string describe_columns(const JudgedCase& judged, std::span<const CheckedRow> rows);

/// "every element is off by the factor 0.99", "outputs are those of every frame attending every
/// frame (dense)", "outputs hold the rows of another head"; empty when none of it fits. Computes at
/// most a few rows again. (localise_values.cpp)
std::string describe_values(const JudgedCase& judged, std::span<const CheckedRow> rows);

}  // namespace lvsa::analysis
