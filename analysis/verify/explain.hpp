#pragma once
// Everything that goes into the verdict on one output element, in numbers.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/blocks/explained_map.hpp"
#include "analysis/verify/bounds.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/tier_b.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/oracle.hpp"
#include "reference/attention/shadow.hpp"

namespace lvsa::analysis {

/// One output element of a case.
struct ElementId {
  reference::RowId row;
  std::int64_t column = 0;
};

/// What a kernel, or a script in a file, left at an element.
struct ElementCall {
  std::string name;
  std::optional<lvsa_numerics> numerics;  ///< what is declared of the arithmetic
  double got = 0.0;
  std::optional<double> lse;
};

/// One line of the sum that makes a tolerance.
struct ExplainedTerm {
  std::string name;     ///< "rounding of P"
  std::string formula;  ///< in the letters of docs/bounds.md
  double value = 0.0;
};

/// A key and what it adds to a term.
struct ExplainedKey {
  reference::KeyTerm key;
  double value = 0.0;  ///< v_jc
  double share = 0.0;  ///< of the term, 0 .. 1
};

struct ExplainedKeys {
  std::string what;  ///< "weight p_j / L"
  std::vector<ExplainedKey> keys;
};

/// A key whose rounding of P is in doubt, and what that adds to the tolerance.
struct DoubtfulKey {
  reference::ShadowKey key;
  double value = 0.0;  ///< v_jc
  double adds = 0.0;   ///< g_e f_j |v_jc - o_c| / L', or |v_jc| where L sums P as it was
};

/// The same element by the schedule that the kernel declares: tier B.
struct ExplainedSchedule {
  reference::Schedule schedule;
  bool sound = false;  ///< else the row is left to tier A
  reference::ShadowRow row;
  std::int64_t epochs = 0;
  double steps = 0.0;
  double out = 0.0;  ///< what the schedule gives, the middle of the interval
  Tolerance tolerance;
  std::vector<ExplainedTerm> terms;  ///< they add up to tolerance.total / kScheduleFactor
  Interval accepted;
  double ratio = 0.0;
  ScheduleLseTolerance lse_tolerance;
  std::vector<ExplainedTerm> lse_terms;
  Interval lse_accepted;
  double lse_ratio = 0.0;
  std::vector<DoubtfulKey> doubtful;  ///< those that add most
};

struct Explanation {
  Case c;
  ElementId at;
  std::int64_t frame = 0;         ///< of the query; -1 for a text query
  std::int64_t row_in_frame = 0;  ///< or within the text
  std::string declared_by;        ///< name of the kernel; empty: nothing is known, the worst case
  BoundModel model;
  RowSteps steps;
  reference::RowResult row;
  double min_score = 0.0;
  std::int64_t max_score_token = 0;
  std::int64_t max_eta_token = 0;
  double value_sum = 0.0;  ///< sum |v_jc| / L
  double factor = 1.0;     ///< higher_order_factor()
  Tolerance tolerance;
  std::vector<ExplainedTerm> terms;  ///< they add up to tolerance.total / factor
  Interval accepted;
  LseTolerance lse_tolerance;
  std::vector<ExplainedTerm> lse_terms;
  Interval lse_accepted;
  /// With a kernel: what it returned, and the share of the tolerance that its error takes up.
  std::optional<double> got;
  double ratio = 0.0;
  std::optional<double> lse_got;
  double lse_ratio = 0.0;
  std::optional<ExplainedSchedule> schedule;  ///< where the kernel declares one
  std::vector<ExplainedKeys> keys;  ///< for each term that keys add to: those that add most
  std::optional<ExplainedMap> map;  ///< of a case with pattern=
};

/// Runs a kernel on a case of frame lists. Throws Error(kValue) naming the range when `at` is
/// outside the case, and what run_case() throws for the case and KernelCall for the kernel.
ElementCall call_element(const Case& c, const ElementId& at, const lvsa_kernel& kernel);

/// Explains an element of a case of frame lists, and what a call left there, by its declared
/// arithmetic. `most` keys a term. Throws as call_element() does.
Explanation explain_element(const Case& c, const ElementId& at,
                            const std::optional<ElementCall>& call, std::int64_t most);
/// The same with the call of a kernel (null: none).
Explanation explain_element(const Case& c, const ElementId& at, const lvsa_kernel* kernel,
                            std::int64_t most);

}  // namespace lvsa::analysis
