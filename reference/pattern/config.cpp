#include "reference/pattern/config.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "reference/pattern/frame_set.hpp"

namespace lvsa::reference {

namespace {

using Json = nlohmann::json;

// True for 1, true and yes in any case; anything else, "on" included, is false.
bool parse_bool(const std::string& text) {
  std::string lower = text;
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower == "1" || lower == "true" || lower == "yes";
}

Config config_from_variables(const Environment& environment) {
  Config config;
  const auto read_int = [&](const char* name, std::int64_t& value) {
    if (const auto text = get(environment, name)) value = parse_int(*text);
  };
  const auto read_bool = [&](const char* name, bool& value) {
    if (const auto text = get(environment, name)) value = parse_bool(*text);
  };
  read_int("LVSA_WINDOW_SIZE", config.window_size);
  read_int("LVSA_N_FIRST_FRAMES", config.n_first_frames);
  read_int("LVSA_KEY_FRAME_INTERVAL", config.key_frame_interval);
  read_bool("LVSA_AUTO_KEYFRAMES", config.auto_keyframes);
  read_bool("LVSA_ROTATE_KEYFRAMES", config.rotate_keyframes);
  read_bool("LVSA_EXPAND_WINDOW", config.expand_window);
  if (const auto text = get(environment, "LVSA_BACKEND")) config.backend = *text;
  read_int("LVSA_VAE_TEMPORAL_FACTOR", config.vae_temporal_factor);
  // Of the integers only this one may be set to nothing.
  const auto total = get(environment, "LVSA_TOTAL_LATENT_FRAMES");
  if (total && !total->empty()) config.total_latent_frames = parse_int(*total);
  if (const auto text = get(environment, "LVSA_SPARSITY_SCALE")) {
    config.sparsity_scale = parse_float(*text);
  }
  read_int("LVSA_REFERENCE_LATENT_FRAMES", config.reference_latent_frames);
  return config;
}

[[noreturn]] void refuse_type(const std::string& key, const Json& value, const char* wanted) {
  throw Error(ErrorKind::kType,
              "LVSA_CONFIG: " + key + " is " + value.dump() + ", must be " + wanted);
}

void read_json(const std::string& key, const Json& value, std::int64_t& target) {
  // Python takes the real 16.0 and goes on with it as with 16; beyond 2^53 a real counts no frames.
  if (value.is_number_float()) {
    const double real = value.get<double>();
    if (std::trunc(real) != real || std::abs(real) > 9007199254740992.0) {
      refuse_type(key, value, "an integer");
    }
    target = static_cast<std::int64_t>(real);
    return;
  }
  if (!value.is_number_integer()) refuse_type(key, value, "an integer");
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw Error(ErrorKind::kOverflow, "LVSA_CONFIG: " + key + " does not fit in 64 bits");
  }
  target = value.get<std::int64_t>();
}

void read_json(const std::string& key, const Json& value, bool& target) {
  if (!value.is_boolean()) refuse_type(key, value, "true or false");
  target = value.get<bool>();
}

void read_json(const std::string& key, const Json& value, double& target) {
  if (!value.is_number()) refuse_type(key, value, "a number");
  target = value.get<double>();
}

void read_json(const std::string& key, const Json& value, std::string& target) {
  if (!value.is_string()) refuse_type(key, value, "a text");
  target = value.get<std::string>();
}

void read_json(const std::string& key, const Json& value, std::optional<std::int64_t>& target) {
  target.reset();
  if (!value.is_null()) read_json(key, value, target.emplace());
}

Config config_from_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw Error(ErrorKind::kJson, "LVSA_CONFIG is no JSON: " + text);
  if (!json.is_object()) throw Error(ErrorKind::kType, "LVSA_CONFIG is no JSON object: " + text);
  Config config;
  const auto read = [&](const char* key, auto& target) {
    if (json.contains(key)) read_json(key, json.at(key), target);
  };
  read("window_size", config.window_size);
  read("n_first_frames", config.n_first_frames);
  read("key_frame_interval", config.key_frame_interval);
  read("auto_keyframes", config.auto_keyframes);
  read("rotate_keyframes", config.rotate_keyframes);
  read("expand_window", config.expand_window);
  read("backend", config.backend);
  read("vae_temporal_factor", config.vae_temporal_factor);
  read("total_latent_frames", config.total_latent_frames);
  read("sparsity_scale", config.sparsity_scale);
  read("reference_latent_frames", config.reference_latent_frames);
  return config;
}

}  // namespace

Config config_from_env(const Environment& environment) {
  const std::optional<std::string> json = get(environment, "LVSA_CONFIG");
  if (json && !json->empty()) return config_from_json(*json);
  return config_from_variables(environment);
}

std::int64_t to_latent_frames(std::int64_t video_frames, std::int64_t vae_temporal_factor) {
  if (vae_temporal_factor == 0) {
    throw Error(ErrorKind::kZeroDivision, "LVSA_VAE_TEMPORAL_FACTOR is 0");
  }
  // a // b with a negative b is (-a) // (-b).
  if (vae_temporal_factor < 0) return floor_divide(-video_frames, -vae_temporal_factor);
  return floor_divide(video_frames, vae_temporal_factor);
}

std::vector<std::int64_t> condition_latent_frames(const Environment& environment) {
  std::vector<std::int64_t> frames;
  const std::string text = get(environment, "LVSA_CONDITION_LATENT_FRAMES").value_or("");
  for (const std::string& part : split_at_commas(text)) {
    if (const auto frame = parse_int_or_nothing(part)) frames.push_back(*frame);
  }
  return frames;
}

}  // namespace lvsa::reference
