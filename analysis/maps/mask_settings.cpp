#include "analysis/maps/mask_settings.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/config/python_number.hpp"
#include "core/error.hpp"
#include "core/geometry/detection.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorKind::kValue, message); }

void require_at_least(const char* option, const std::optional<std::int64_t>& value,
                      std::int64_t least) {
  if (value && *value < least)
    refuse(fmt::format("{} {}: {} or more is due", option, *value, least));
}

void check_ranges(const MaskRequest& request) {
  require_at_least("--frames", request.video_frames, 1);
  require_at_least("--latent-frames", request.latent_frames, 1);
  require_at_least("--height", request.height, 1);
  require_at_least("--width", request.width, 1);
  require_at_least("--patches", request.patches, 1);
  require_at_least("--text", request.text_tokens, 0);
  require_at_least("--window", request.window, 0);
  require_at_least("--n-first", request.n_first, 0);
  require_at_least("--reference", request.reference, 1);
  require_at_least("--step", request.step, 0);
}

void check_contradictions(const MaskRequest& request, const ModelPreset& model) {
  if (request.video_frames && request.latent_frames) {
    refuse(fmt::format("--frames {} and --latent-frames {}: one of the two is due",
                       *request.video_frames, *request.latent_frames));
  }
  if (request.height.has_value() != request.width.has_value()) {
    refuse(fmt::format("{}: --height and --width together are due",
                       request.height ? fmt::format("--height {}", *request.height)
                                      : fmt::format("--width {}", *request.width)));
  }
  if (request.patches && request.height) {
    refuse(fmt::format("--patches {} and --height {} --width {}: one of the two ways is due",
                       *request.patches, *request.height, *request.width));
  }
  if (request.text_tokens.value_or(0) > 0 && model.text_kind == TextKind::kNone) {
    refuse(fmt::format("--text {}: {} has no text tokens in self-attention; 0 is due",
                       *request.text_tokens, model.name));
  }
  const Behaviour& published = behaviour(request.version);
  if (request.condition && !published.condition_frames) {
    refuse(fmt::format("--condition '{}': LVSA {} has no condition frames; --lvsa 1.3 is due",
                       *request.condition, published.name));
  }
  if (!request.expand.value_or(true) && !published.plugin_honours_expand_window) {
    refuse(fmt::format("--no-expand: the plugin of LVSA {} always expands; --lvsa 1.3 is due",
                       published.name));
  }
}

// A size that only the environment can have brought in.
std::int64_t positive(std::int64_t value, const char* variable) {
  if (value < 1) refuse(fmt::format("{}: {}; 1 or more is due", variable, value));
  return value;
}

bool is_given(const Environment& environment, const char* variable) {
  return !get(environment, variable).value_or("").empty();
}

// Whether the settings name a value, so that the model's own must stand back.
bool is_set(const Environment& environment, const std::string& variable, const char* key) {
  if (const auto text = get(environment, "LVSA_CONFIG"); text && !text->empty()) {
    return nlohmann::json::parse(*text).contains(key);
  }
  return get(environment, variable).has_value();
}

void apply_interval(const std::string& text, Config& config) {
  config.auto_keyframes = text == "auto";
  if (config.auto_keyframes) return;
  const auto frames = parse_python_int(text);
  if (!frames || *frames < 0) {
    refuse(fmt::format("--interval '{}': video frames, 0 or more, or auto is due", text));
  }
  config.key_frame_interval = *frames;
}

Config resolve_config(const MaskRequest& request, const ModelPreset& model,
                      const Environment& environment) {
  Config config = config_from_environment(environment);
  if (!is_set(environment, "LVSA_REFERENCE_LATENT_FRAMES", "reference_latent_frames")) {
    config.reference_latent_frames = model.reference_latent_frames;
  }
  if (!is_set(environment, "LVSA_VAE_TEMPORAL_FACTOR", "vae_temporal_factor")) {
    config.vae_temporal_factor = model.rule.vae_temporal_factor;
  }
  config.window_size = request.window.value_or(config.window_size);
  config.n_first_frames = request.n_first.value_or(config.n_first_frames);
  config.reference_latent_frames = request.reference.value_or(config.reference_latent_frames);
  config.sparsity_scale = request.scale.value_or(config.sparsity_scale);
  config.rotate_keyframes = request.rotate.value_or(config.rotate_keyframes);
  config.expand_window = request.expand.value_or(config.expand_window);
  if (request.interval) apply_interval(*request.interval, config);
  positive(config.vae_temporal_factor, "LVSA_VAE_TEMPORAL_FACTOR");
  return config;
}

std::int64_t resolve_frames(const MaskRequest& request, const ModelPreset& model,
                            const Config& config) {
  if (request.video_frames) return latent_frames(model, *request.video_frames);
  if (request.latent_frames) return *request.latent_frames;
  if (!config.total_latent_frames) return model.reference_latent_frames;
  return positive(*config.total_latent_frames, "LVSA_TOTAL_LATENT_FRAMES");
}

std::int64_t resolve_patches(const MaskRequest& request, const ModelPreset& model,
                             const Environment& environment) {
  if (request.patches) return *request.patches;
  if (request.height) return patches_per_frame(model, {*request.height, *request.width});
  const bool sized =
      is_given(environment, "LVSA_VIDEO_HEIGHT") && is_given(environment, "LVSA_VIDEO_WIDTH");
  if (sized || is_given(environment, "LVSA_PATCHES_PER_FRAME")) {
    return positive(candidate_patches_per_frame(environment).front(), "LVSA_PATCHES_PER_FRAME");
  }
  return patches_per_frame(model);
}

std::vector<std::int64_t> resolve_condition_frames(const MaskRequest& request,
                                                   const Environment& environment,
                                                   std::int64_t frames) {
  if (!request.condition) return condition_latent_frames(environment);
  std::vector<std::int64_t> result;
  const std::string& text = *request.condition;
  for (std::size_t start = 0; start <= text.size() && !text.empty();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string part = text.substr(start, comma - start);
    const auto frame = parse_python_int(part);
    if (!frame || *frame < 0 || *frame >= frames) {
      refuse(fmt::format("--condition '{}': '{}' is no latent frame; 0 .. {} is due", text, part,
                         frames - 1));
    }
    result.push_back(*frame);
    start = comma + 1;
  }
  return result;
}

}  // namespace

MaskSettings resolve_mask_settings(const MaskRequest& request, const ModelPreset& model,
                                   const Environment& environment) {
  check_ranges(request);
  check_contradictions(request, model);
  MaskSettings settings;
  settings.model = model;
  settings.version = request.version;
  settings.step = request.step.value_or(0);
  settings.config = resolve_config(request, model, environment);
  settings.grid = make_frame_grid(resolve_frames(request, model, settings.config),
                                  resolve_patches(request, model, environment),
                                  request.text_tokens.value_or(model.usual_text_tokens));
  // A kernel indexes these elements with 64 bits.
  checked_product(settings.grid.seq_len(),
                  checked_product(model.heads, model.head_dim, "heads x head dim"),
                  "elements of the queries");
  settings.condition_frames = resolve_condition_frames(request, environment, settings.grid.frames);
  return settings;
}

}  // namespace lvsa::analysis
