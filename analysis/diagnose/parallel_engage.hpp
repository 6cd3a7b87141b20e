#pragma once
// Does LVSA engage in a parallel world: on the backend, and on the model's hook.

#include <optional>
#include <string>
#include <vector>

#include "analysis/diagnose/parallel_layout.hpp"
#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"
#include "core/config/presets.hpp"

namespace lvsa::analysis {

struct PathAnswer {
  std::string path;  ///< "backend", "wan-hook", "hunyuan-hook", "cosmos3-hook"
  bool engages = false;
  std::int64_t seq_len = 0;  ///< query tokens that the path sees
  std::string why;           ///< one line
  std::string message;       ///< the line that the plugin prints, if any
  std::string note;          ///< one line: settings that would miss the grid in any world
  /// A hook that steps aside: whether the layer's own backend engages, were it LVSA's.
  std::optional<bool> delegate_engages;
};

/// The answers are about the world: the plugin is asked as if its settings named the layout's P.
/// The backend, and the hook of the model if it has one.
std::vector<PathAnswer> parallel_answers(const ParallelLayout& layout, const ModelPreset& model,
                                         const Environment& environment, Version version);

}  // namespace lvsa::analysis
