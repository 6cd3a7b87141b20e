#pragma once
// What `lvsa-verify parallel` shows, as text and as JSON.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "analysis/diagnose/parallel_compute.hpp"
#include "analysis/diagnose/parallel_engage.hpp"
#include "analysis/diagnose/parallel_layout.hpp"
#include "analysis/diagnose/parallel_plan.hpp"
#include "analysis/diagnose/parallel_suite.hpp"

namespace lvsa::analysis {

std::string layout_as_text(const ParallelLayout& layout, const std::vector<PathAnswer>& answers);
nlohmann::ordered_json layout_as_json(const ParallelLayout& layout,
                                      const std::vector<PathAnswer>& answers);

/// Which frames each sequence rank owns ('#', in part '+') and computes ('-'), a line a rank; empty
/// for more than 16 of them, more than 100 frames, or unknown frames.
std::string layout_picture(const ParallelLayout& layout);

std::string computation_as_text(const ParallelComputation& computation);
nlohmann::ordered_json computation_as_json(const ParallelComputation& computation);

std::string suite_as_text(const std::vector<ParallelCaseResult>& results);
nlohmann::ordered_json suite_as_json(const std::vector<ParallelCaseResult>& results);

std::string defects_as_text(const ParallelDefectReport& report);
nlohmann::ordered_json defects_as_json(const ParallelDefectReport& report);

/// `violations` in full or, as published, the first alone.
std::string plan_as_text(const std::vector<PlanFinding>& violations,
                         const std::vector<PlanFinding>& hazards,
                         const std::vector<PlanSplit>& splits);
nlohmann::ordered_json plan_as_json(const std::vector<PlanFinding>& violations,
                                    const std::vector<PlanFinding>& hazards,
                                    const std::vector<PlanSplit>& splits);

}  // namespace lvsa::analysis
