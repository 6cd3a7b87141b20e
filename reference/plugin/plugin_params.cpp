#include "reference/plugin/plugin_params.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reference/plugin/kept_share.hpp"

namespace lvsa::reference {
namespace {

const PluginParams* profile_of(const BackendConfig& config, std::int64_t step) {
  const StepRange* range = range_of(config, step);
  if (range == nullptr || range->profile == kDenseProfile) return nullptr;
  return &config.profiles.at(range->profile);
}

// The fields of the configuration that are no parameters go with them: their place is not in the
// RFC.
PluginParams static_params(const BackendConfig& config, std::int64_t step,
                           const DispatchQuirks& quirks) {
  PluginParams params;
  if (!quirks.second_hands_params_only) {
    params["pattern_type"] = '"' + config.pattern_type + '"';
    params["block_size_q"] = std::to_string(config.block_size_q);
    params["block_size_kv"] = std::to_string(config.block_size_kv);
    if (config.window_size) params["window_size"] = std::to_string(*config.window_size);
    if (config.spatial_radius) params["spatial_radius"] = std::to_string(*config.spatial_radius);
  }
  for (const auto& [name, value] : config.params) params[name] = value;
  if (const PluginParams* profile = profile_of(config, step)) {
    for (const auto& [name, value] : *profile) params[name] = value;
  }
  return params;
}

std::string triple(const std::array<std::int64_t, 3>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

struct FrameGeometry {
  std::int64_t frames = 0;
  std::int64_t patches_per_frame = 0;
};

std::optional<FrameGeometry> geometry_of(const AttentionCall& call) {
  if (call.frames) return FrameGeometry{*call.frames, *call.patches_per_frame};
  if (!call.latent_shape) return std::nullopt;
  const auto& latent = *call.latent_shape;
  const auto& patch = *call.patch_size;
  return FrameGeometry{latent[0] / patch[0], (latent[1] / patch[1]) * (latent[2] / patch[2])};
}

void publish_geometry(const AttentionCall& call, PluginParams& params,
                      std::vector<std::string>& warnings) {
  const auto geometry = geometry_of(call);
  if (!geometry || params.count("total_latent_frames") != 0) return;
  const std::int64_t tokens = geometry->frames * geometry->patches_per_frame;
  if (tokens != call.seq_len) {
    warnings.push_back(
        fmt::format("{} frames of {} patches are {} tokens, the sequence has {}: no frame geometry "
                    "is published",
                    geometry->frames, geometry->patches_per_frame, tokens, call.seq_len));
    return;
  }
  params["total_latent_frames"] = std::to_string(geometry->frames);
  params["patches_per_frame"] = std::to_string(geometry->patches_per_frame);
}

}  // namespace

double scheduled_topk(const BackendConfig& config, std::int64_t step, std::int64_t steps) {
  if (const PluginParams* profile = profile_of(config, step)) {
    if (const auto topk = topk_of(*profile, "profile topk")) return *topk;
  }
  const double base = topk_of(config.params, "params.topk").value_or(kDefaultTopk);
  return kept_share(config.schedule, base, step, steps);
}

PluginParams merged_params(const BackendConfig& config, const AttentionCall& call,
                           std::int64_t step, std::int64_t steps, const DispatchQuirks& quirks,
                           std::vector<std::string>& warnings) {
  PluginParams params = static_params(config, step, quirks);
  params["denoise_step_idx"] = std::to_string(step);
  params["total_denoise_steps"] = std::to_string(steps);
  if (call.latent_shape) {
    params["latent_shape"] = triple(*call.latent_shape);
    params["patch_size"] = triple(*call.patch_size);
  }
  if (config.schedule != SparsitySchedule::kConstant) {
    params["topk"] = fmt::format("{}", scheduled_topk(config, step, steps));
  }
  for (const auto& [name, value] : call.extra) params[name] = value;
  std::erase_if(params, [](const auto& entry) { return entry.second == "null"; });
  publish_geometry(call, params, warnings);
  return params;
}

}  // namespace lvsa::reference
