#pragma once
// The LVSA settings as the published plugin reads them: from LVSA_* variables or from one JSON
// object in LVSA_CONFIG.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"

namespace lvsa {

/// Settings of the pattern. Frame-valued ones are in video frames, as the variables are; the
/// latent_* functions floor them by the VAE's temporal factor. Values are taken as they stand:
/// what a pattern cannot be built from is refused where the pattern is built.
struct Config {
  std::int64_t window_size = 12;         ///< video frames on each side
  std::int64_t n_first_frames = 4;       ///< video frames that are always global
  std::int64_t key_frame_interval = 16;  ///< video frames; used when auto_keyframes is off
  bool auto_keyframes = true;
  bool rotate_keyframes = false;
  bool expand_window = true;
  std::string backend = "sdpa";
  std::int64_t vae_temporal_factor = 4;
  std::optional<std::int64_t> total_latent_frames;
  double sparsity_scale = 1.0;
  std::int64_t reference_latent_frames = 21;

  /// W, n_first and the fixed interval in latent frames. Throw Error(kZeroDivision) when the
  /// temporal factor is 0.
  std::int64_t latent_window_size() const;
  std::int64_t latent_n_first_frames() const;
  std::int64_t latent_key_frame_interval() const;
};

/// From LVSA_CONFIG when that is set and not empty, else from the other variables. Throws the error
/// that the published code raises (kValue, kJson, kType, kOverflow), naming the variable.
Config config_from_environment(const Environment& environment);

/// From one JSON object; unknown keys are ignored, missing ones take the defaults.
Config config_from_json(std::string_view text, std::string_view origin);

/// True for "1", "true" and "yes" in any case, false for everything else.
bool parse_flag(std::string_view text);

/// An integer variable, or the default when it is not set. Throws Error(kValue) naming the
/// variable.
std::int64_t integer_setting(const Environment& environment, const std::string& name,
                             std::int64_t default_value);

/// LVSA_CONDITION_LATENT_FRAMES as a list: comma-separated, parts that are no integers skipped.
std::vector<std::int64_t> condition_latent_frames(const Environment& environment);

/// floor(a / b) and the remainder that goes with it (never negative for b > 0), as Python has them.
/// Throws Error(kZeroDivision) for b = 0.
std::int64_t floor_divide(std::int64_t a, std::int64_t b);
std::int64_t floor_modulo(std::int64_t a, std::int64_t b);

}  // namespace lvsa
