#pragma once
// What the plugin does with one attention call: its own rule, nothing else.

#include <optional>

#include "analysis/diagnose/diagnosis.hpp"
#include "core/config/config.hpp"

namespace lvsa::analysis {

/// The part of a question that does not change from call to call, worked out once.
struct PluginSettings {
  AttentionPath path = AttentionPath::kBackend;
  const Behaviour* behaviour = nullptr;
  ParallelDegrees degrees;
  Config config;
  std::vector<std::int64_t> candidates;  ///< for P
  bool silenced = false;
};

/// Throws what config_from_environment() and candidate_patches_per_frame() throw.
PluginSettings plugin_settings(const Question& question);

/// T as the plugin has it: LVSA_TOTAL_LATENT_FRAMES, else what it was told.
std::optional<std::int64_t> plugin_frames(const PluginSettings& settings,
                                          std::optional<std::int64_t> told);

/// The outcome without its texts: fast.
struct BareOutcome {
  std::optional<FrameGrid> grid;
  std::optional<FallbackReason> reason;
};
BareOutcome bare_outcome(const PluginSettings& settings, std::int64_t seq_len,
                         std::optional<std::int64_t> frames);

/// The outcome with all it prints.
PluginOutcome plugin_outcome(const PluginSettings& settings, const Environment& environment,
                             std::int64_t seq_len, std::optional<std::int64_t> frames);

}  // namespace lvsa::analysis
