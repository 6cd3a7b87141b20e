#pragma once
// Compares what a kernel left behind with the oracle, row by row, and decides the verdict.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/result.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/oracle.hpp"
#include "reference/attention/shadow.hpp"

namespace lvsa::analysis {

/// What a kernel left behind, wherever it ran.
struct KernelOutputs {
  TensorView out;  ///< [B, S, H, D] in the case's element type
  /// Natural log-sum-exp of a row (batch, token, head); empty: the kernel has none.
  std::function<float(std::int64_t, std::int64_t, std::int64_t)> lse;
  std::int64_t unwritten_outputs = 0;
  std::int64_t unwritten_lse = 0;
  std::optional<lvsa_numerics> numerics;  ///< what is declared of its arithmetic
};

/// Compares outputs with the oracle on the given rows and decides the verdict. `result` must have
/// its case and describe_pattern() behind it.
void judge_outputs(CaseResult& result, const KernelOutputs& outputs,
                   const AttentionTensors& tensors, const FramePattern& pattern,
                   const std::vector<reference::RowId>& rows,
                   const std::function<void(double)>& progress = {});

/// Rows with what is due in them, from any oracle.
struct ExactRows {
  std::span<const reference::RowId> rows;
  std::span<const reference::RowResult> results;
  /// Rounding steps of a row with so many keys.
  std::function<RowSteps(const reference::RowId&, std::int64_t)> steps;
};
/// What a declared schedule makes of the same rows.
struct ScheduleRows {
  const BoundModel* model = nullptr;  ///< ScheduleJudge::model(); null: none is declared
  std::vector<reference::ShadowRow> shadows;
};
/// The same on results that are there already: by tier A, and by tier B where there is a schedule.
void judge_rows(CaseResult& result, const KernelOutputs& outputs, const BoundModel& model,
                const ExactRows& exact, const ScheduleRows& schedule = {});

/// Rounding steps on the way to a row's result, for its bounds: tiles and keys by the model.
RowSteps row_steps(const BoundModel& model, const FrameGrid& grid, const FramePattern& pattern,
                   const reference::RowId& row, std::int64_t keys);

}  // namespace lvsa::analysis
