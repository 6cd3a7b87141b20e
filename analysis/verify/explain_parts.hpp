#pragma once
// What explanations of frame lists and of block maps have in common: everything that follows from
// the row's exact result and its keys.

#include <cstdint>
#include <functional>
#include <optional>

#include "analysis/verify/explain.hpp"
#include "analysis/verify/tier_b.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// Throws Error(kValue) naming the option, what it counts and the range unless 0 <= index < size.
void require_inside(const char* option, const char* what, std::int64_t index, std::int64_t size);

/// Throws Error(kValue) naming the range when the element is outside the case.
void check_at(const Case& c, const ElementId& at);

struct ExplainedSource {
  const reference::AttentionProblem& problem;  ///< its keys are those of the row
  const std::optional<ElementCall>& call;
  std::int64_t most = 0;  ///< keys a term
  /// The row by a declared schedule.
  std::function<reference::ShadowTrace(const ScheduleJudge&)> trace;
};

/// Fills in the rest of an explanation that has case, element, model, row and steps.
void fill_explanation(Explanation& e, const ExplainedSource& source);

}  // namespace lvsa::analysis
