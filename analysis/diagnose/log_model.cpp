#include "analysis/diagnose/log_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/pattern/keyframe_interval.hpp"

namespace lvsa::analysis {
namespace {

using Models = std::vector<ModelPreset>;

// What a hook or an origin is called, and how the names of its presets begin.
constexpr std::pair<std::string_view, std::string_view> kFamilies[] = {
    {"Wan", "wan"},       {"wan", "wan"},       {"Hunyuan", "hunyuan"},  {"hunyuan", "hunyuan"},
    {"Cosmos", "cosmos"}, {"cosmos", "cosmos"}, {"CogVideo", "cogvideo"}};

std::string family_of(const LogFacts& facts, std::string& reason) {
  const auto look = [&](const std::string& text, const char* what) -> std::string {
    for (const auto& [word, family] : kFamilies) {
      if (!text.starts_with(word)) continue;
      reason = fmt::format("{} {}", what, text);
      return std::string(family);
    }
    return "";
  };
  for (const std::string& hook : facts.installed) {
    if (auto family = look(hook, "hook on"); !family.empty()) return family;
  }
  for (const LogSource& source : facts.sources) {
    for (const LogRequest& request : source.requests) {
      if (auto family = look(request.origin, "lines of"); !family.empty()) return family;
    }
  }
  return "";
}

template <typename Keep>
void keep_if_any(Models& models, const Keep& keep) {
  Models kept;
  std::copy_if(models.begin(), models.end(), std::back_inserter(kept), keep);
  if (!kept.empty()) models = std::move(kept);
}

bool has_patches(const ModelPreset& model, std::int64_t patches) {
  return std::any_of(model.sizes.begin(), model.sizes.end(), [&](const VideoSize& size) {
    return patches_per_frame(model, size) == patches;
  });
}

bool one_reference(const Models& models) {
  return std::all_of(models.begin(), models.end(), [&](const ModelPreset& model) {
    return model.reference_latent_frames == models.front().reference_latent_frames &&
           model.text_kind == models.front().text_kind;
  });
}

}  // namespace

ModelGuess guess_model(const LogFacts& facts) {
  ModelGuess guess;
  Models models = builtin_presets();
  const std::string family = family_of(facts, guess.reason);
  if (!family.empty()) {
    keep_if_any(models, [&](const ModelPreset& m) { return m.name.starts_with(family); });
  }
  std::optional<std::int64_t> blocks = facts.processor_blocks;
  std::optional<std::int64_t> patches;
  for (const LogSource& source : facts.sources) {
    if (source.n_blocks) blocks = source.n_blocks;
    for (const LogRequest& request : source.requests) {
      if (request.patches) patches = request.patches;
    }
  }
  const std::size_t before = models.size();
  if (blocks) keep_if_any(models, [&](const ModelPreset& m) { return m.blocks == *blocks; });
  if (models.size() < before) {
    guess.reason += fmt::format("{}{} blocks", guess.reason.empty() ? "" : ", ", *blocks);
  }
  if (models.size() == builtin_presets().size()) return {};
  if (patches) keep_if_any(models, [&](const ModelPreset& m) { return has_patches(m, *patches); });
  if (!one_reference(models)) return {};
  guess.model = models.front();
  return guess;
}

std::optional<std::int64_t> implied_reference(const LogRequest& request, const Config& config,
                                              const ModelPreset& model) {
  if (!request.interval || !request.frames || !config.auto_keyframes) return std::nullopt;
  std::vector<std::int64_t> references = {model.reference_latent_frames, 21};
  for (const ModelPreset& other : builtin_presets()) {
    references.push_back(other.reference_latent_frames);
  }
  for (const std::int64_t reference : references) {
    try {
      IntervalInputs inputs;
      inputs.frames = *request.frames;
      inputs.window_frames = request.window.value_or(config.latent_window_size());
      inputs.n_first_frames = config.latent_n_first_frames();
      inputs.reference_frames = reference;
      inputs.sparsity_scale = config.sparsity_scale;
      if (keyframe_interval(inputs) == *request.interval) return reference;
    } catch (const Error&) {  // numbers that no plugin would print
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::string models_of_reference(std::int64_t reference) {
  std::vector<std::string> titles;
  for (const ModelPreset& model : builtin_presets()) {
    if (model.reference_latent_frames == reference) titles.push_back(model.title);
  }
  return titles.empty() ? "no known model" : fmt::format("{}", fmt::join(titles, " and "));
}

}  // namespace lvsa::analysis
