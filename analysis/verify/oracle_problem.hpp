#pragma once
// The problem that the oracle solves: its attended lists come from the literal reference, never
// from the code under test.

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// The frames that each frame attends in a case: interval, rotation, global frames and windows by
/// reference/pattern.
std::vector<std::vector<std::int32_t>> reference_lists(const Case& c);

/// The oracle's problem on given tensors; scale = 1 / sqrt(D).
reference::AttentionProblem oracle_problem(const Case& c, const TensorView& q, const TensorView& k,
                                           const TensorView& v);

/// The problem of a case on its own tensors, times their factors where they have some.
class CaseProblem {
 public:
  /// The tensors must outlive the problem.
  CaseProblem(const Case& c, const AttentionTensors& tensors);
  CaseProblem(const CaseProblem&) = delete;
  CaseProblem& operator=(const CaseProblem&) = delete;
  reference::AttentionProblem& operator*() { return problem_; }

 private:
  std::optional<AttentionTensors> scaled_;
  reference::AttentionProblem problem_;
};

}  // namespace lvsa::analysis
