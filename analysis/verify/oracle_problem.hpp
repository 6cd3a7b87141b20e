#pragma once
// The problem that the oracle solves: its attended lists come from the literal reference, never
// from the code under test.

#include <cstdint>
#include <vector>

#include "analysis/verify/case.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// The frames that each frame attends in a case: interval, rotation, global frames and windows by
/// reference/pattern.
std::vector<std::vector<std::int32_t>> reference_lists(const Case& c);

/// The oracle's problem on given tensors; scale = 1 / sqrt(D).
reference::AttentionProblem oracle_problem(const Case& c, const TensorView& q, const TensorView& k,
                                           const TensorView& v);

}  // namespace lvsa::analysis
