#pragma once
// A report on inferred steps as text and as JSON.

#include <string>

#include "analysis/diagnose/step_simulation.hpp"

namespace lvsa::analysis {

struct StepRenderOptions {
  std::string title;      ///< what was simulated, one line
  std::string truth;      ///< where the true steps come from
  bool rotates = false;   ///< whether keyframes rotate at all
  bool all_rows = false;  ///< every step instead of runs of steps
};

/// Several lines, each ended by a newline.
std::string steps_as_text(const StepReport& report, const StepSimulation& simulation,
                          const StepSettings& settings, const StepRenderOptions& options);
/// One JSON object, indented, with a newline at the end.
std::string steps_as_json(const StepReport& report, const StepSimulation& simulation,
                          const StepSettings& settings, const StepRenderOptions& options);

}  // namespace lvsa::analysis
