#pragma once
// The parameters that a call of the second version hands over, and the share of the first.

#include <cstdint>
#include <string>
#include <vector>

#include "reference/plugin/backend_config.hpp"
#include "reference/plugin/plugin_dispatch.hpp"

namespace lvsa::reference {

/// `topk` of the first version at a step: that of the step's profile as it is, else the schedule's
/// share of params.topk (0.5 where there is none).
double scheduled_topk(const BackendConfig& config, std::int64_t step, std::int64_t steps);

/// Params of the second version: static (the configuration's fields, params, the step's profile) <
/// per forward (denoise_step_idx, total_denoise_steps, latent_shape, patch_size; `topk` where a
/// schedule moves it) < dynamic (extra); later ones win, null is dropped. Then the frame geometry,
/// total_latent_frames and patches_per_frame, where their product is the sequence; else a warning
/// is added. A total_latent_frames among the params stays as it is.
PluginParams merged_params(const BackendConfig& config, const AttentionCall& call,
                           std::int64_t step, std::int64_t steps, const DispatchQuirks& quirks,
                           std::vector<std::string>& warnings);

}  // namespace lvsa::reference
