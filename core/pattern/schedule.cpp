#include "core/pattern/schedule.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace lvsa {
namespace {

void require_not_negative(std::int64_t latent, std::int64_t video, const char* variable) {
  if (latent < 0) {
    throw Error(ErrorKind::kValue, fmt::format("{}={} gives {} latent frames; 0 or more is due",
                                               variable, video, latent));
  }
}

}  // namespace

std::int64_t Schedule::offset(std::int64_t step) const {
  return rotates && interval && *interval > 0 ? floor_modulo(step, *interval) : 0;
}

Schedule make_schedule(const Config& config, std::int64_t frames) {
  if (frames < 1) {
    throw Error(ErrorKind::kValue, fmt::format("latent frames is {}; at least 1 is due", frames));
  }
  require_not_negative(config.latent_window_size(), config.window_size, "LVSA_WINDOW_SIZE");
  require_not_negative(config.latent_n_first_frames(), config.n_first_frames,
                       "LVSA_N_FIRST_FRAMES");
  Schedule schedule;
  schedule.automatic = config.auto_keyframes;
  schedule.rotates = config.rotate_keyframes;
  if (config.auto_keyframes) {
    schedule.terms = keyframe_interval_terms({.frames = frames,
                                              .window_frames = config.latent_window_size(),
                                              .n_first_frames = config.latent_n_first_frames(),
                                              .reference_frames = config.reference_latent_frames,
                                              .sparsity_scale = config.sparsity_scale});
    schedule.interval = schedule.terms.interval;
    return schedule;
  }
  const std::int64_t interval = config.latent_key_frame_interval();
  require_not_negative(interval, config.key_frame_interval, "LVSA_KEY_FRAME_INTERVAL");
  if (interval > 0) schedule.interval = interval;
  return schedule;
}

PatternSpec pattern_spec(const Config& config, const Schedule& schedule, std::int64_t frames,
                         std::int64_t step, const Behaviour& behaviour,
                         std::span<const std::int64_t> condition_frames) {
  PatternSpec spec;
  spec.frames = frames;
  spec.window_frames = config.latent_window_size();
  spec.n_first_frames = config.latent_n_first_frames();
  spec.interval = schedule.interval;
  spec.offset = schedule.offset(step);
  spec.expand_window = behaviour.plugin_honours_expand_window ? config.expand_window : true;
  if (behaviour.condition_frames) {
    spec.extra_globals.assign(condition_frames.begin(), condition_frames.end());
  }
  return spec;
}

}  // namespace lvsa
