#include "analysis/diagnose/judge.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/pattern/schedule.hpp"

namespace lvsa::analysis {
namespace {

constexpr float kAsLikely = 2.0F;       // nats: below, two readings are a draw
constexpr float kStillPossible = 5.0F;  // a model this much less likely may still be the one
constexpr float kNobodyKnows = 10.0F;   // readings that cost more explain nothing

std::optional<std::int64_t> frames_of(const Question& question, const PluginSettings& settings) {
  if (question.latent_frames) return question.latent_frames;
  if (!question.video_frames) return std::nullopt;
  if (question.model) return latent_frames(*question.model, *question.video_frames);
  PatchRule rule;
  rule.vae_temporal_factor = std::max<std::int64_t>(settings.config.vae_temporal_factor, 1);
  return latent_frames(*question.video_frames, rule);
}

}  // namespace

Judge::Judge(const Question& question)
    : settings_(plugin_settings(question)),
      finder_(question, settings_.path, settings_.candidates),
      told_frames_(frames_of(question, settings_)),
      model_known_(question.model.has_value()),
      layer_is_lvsa_(question.layer_is_lvsa) {
  const std::int64_t blocks = integer_setting(question.environment, "LVSA_N_BLOCKS", 0);
  if (blocks > 0) n_blocks_ = blocks;
  for (const ModelPreset& model : finder_.models())
    contradicted_.push_back(!against(model).empty());
}

std::vector<Contradiction> Judge::against(const ModelPreset& model) const {
  std::vector<Contradiction> found;
  const auto check = [&](const char* variable, const char* key, std::int64_t is, std::int64_t due) {
    if (is != due) found.push_back({variable, key, fmt::to_string(is), fmt::to_string(due)});
  };
  const Config& config = settings_.config;
  if (config.auto_keyframes) {
    check("LVSA_REFERENCE_LATENT_FRAMES", "reference_latent_frames", config.reference_latent_frames,
          model.reference_latent_frames);
  }
  check("LVSA_VAE_TEMPORAL_FACTOR", "vae_temporal_factor", config.vae_temporal_factor,
        model.rule.vae_temporal_factor);
  if (n_blocks_ && config.rotate_keyframes) check("LVSA_N_BLOCKS", "", *n_blocks_, model.blocks);
  return found;
}

std::vector<Contradiction> Judge::contradictions(const BareReading& reading) const {
  if (reading.model < 0) return {};
  if (!contradicted_[static_cast<std::size_t>(reading.model)]) return {};
  const auto models = finder_.models_of(reading, kStillPossible);
  for (const std::int32_t model : models) {
    if (!contradicted_[static_cast<std::size_t>(model)]) return {};
  }
  const std::int32_t likeliest = models.empty() ? reading.model : models.front();
  return against(finder_.models()[static_cast<std::size_t>(likeliest)]);
}

std::vector<Contradiction> Judge::contradictions_of(std::int32_t model) const {
  return model < 0 ? std::vector<Contradiction>{}
                   : against(finder_.models()[static_cast<std::size_t>(model)]);
}

std::int64_t Judge::interval(std::int64_t frames) const {
  const auto known = intervals_.find(frames);
  if (known != intervals_.end()) return known->second;
  const Schedule schedule = make_schedule(settings_.config, frames);
  const bool all = settings_.config.latent_window_size() > 0 &&
                   2 * settings_.config.latent_window_size() + 1 >= frames;
  const std::int64_t interval = all ? 1 : schedule.interval.value_or(0);
  intervals_.emplace(frames, interval);
  return interval;
}

Ruling Judge::rule(std::int64_t seq_len, std::optional<std::int64_t> told) const {
  Ruling ruling;
  const auto frames = plugin_frames(settings_, told);
  ruling.outcome = bare_outcome(settings_, seq_len, frames);
  const auto& grid = ruling.outcome.grid;
  finder_.each(seq_len, {told, settings_.config.total_latent_frames},
               [&](const BareReading& reading) {
                 if (!ruling.top || reading.cost < ruling.top->cost) ruling.top = reading;
                 if (grid && reading.same_grid(*grid) &&
                     (!ruling.agreeing || reading.cost < ruling.agreeing->cost)) {
                   ruling.agreeing = reading;
                 }
               });
  const auto engaged = [&](std::int64_t t) {
    return interval(t) == 1 ? Verdict::kDenseByDesign : Verdict::kSparse;
  };
  if (!grid) {
    ruling.verdict = Verdict::kFallback;
    const bool aside = ruling.outcome.reason == FallbackReason::kSequenceParallel;
    if (aside && layer_is_lvsa_ && settings_.degrees.ring == 1 && ruling.top && frames) {
      // The hook hands over: the layer's backend reads the gathered grid.
      PluginSettings backend = settings_;
      backend.path = AttentionPath::kBackend;
      const std::int64_t gathered = ruling.top->frames * ruling.top->patches;
      if (bare_outcome(backend, gathered, frames).grid) ruling.verdict = engaged(*frames);
    }
    return ruling;
  }
  const bool agrees = ruling.agreeing && ruling.agreeing->cost <= ruling.top->cost + kAsLikely;
  const bool told_off =
      agrees && (ruling.agreeing->told_size_off || ruling.agreeing->told_text_off);
  if (told_off) {
    ruling.verdict = Verdict::kUnknown;  // what was told is not what is there
  } else if (agrees) {
    ruling.verdict =
        contradictions(*ruling.agreeing).empty() ? engaged(grid->frames) : Verdict::kMisconfigured;
  } else if (model_known_ || (told && *told != grid->frames)) {
    ruling.verdict = Verdict::kMisread;  // this model has no such sequence
  } else {
    const bool explained = ruling.top && ruling.top->cost < kNobodyKnows;
    ruling.verdict = explained ? Verdict::kMisread : Verdict::kUnknown;
  }
  return ruling;
}

}  // namespace lvsa::analysis
