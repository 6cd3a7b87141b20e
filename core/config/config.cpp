#include "core/config/config.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/config/python_number.hpp"
#include "core/error.hpp"

namespace lvsa {
namespace {

using nlohmann::json;

double real_setting(const Environment& environment, const std::string& name, double default_value) {
  const auto text = get(environment, name);
  if (!text) return default_value;
  if (const auto value = parse_python_float(*text)) return *value;
  throw Error(ErrorKind::kValue, fmt::format("{}='{}' is no number", name, *text));
}

bool flag_setting(const Environment& environment, const std::string& name, bool default_value) {
  const auto text = get(environment, name);
  return text ? parse_flag(*text) : default_value;
}

[[noreturn]] void wrong_type(std::string_view origin, const char* key, const json& value,
                             const char* due) {
  throw Error(ErrorKind::kType,
              fmt::format("{}: \"{}\" is {}; {} is due", origin, key, value.dump(), due));
}

void read(const json& object, const char* key, std::string_view origin, std::int64_t& target) {
  const auto found = object.find(key);
  if (found == object.end()) return;
  const bool whole = found->is_number_float() && std::nearbyint(found->get<double>()) == *found &&
                     std::fabs(found->get<double>()) < 0x1p53;
  if (!found->is_number_integer() && !whole) wrong_type(origin, key, *found, "an integer");
  target = whole ? static_cast<std::int64_t>(found->get<double>()) : found->get<std::int64_t>();
}

void read(const json& object, const char* key, std::string_view origin, double& target) {
  const auto found = object.find(key);
  if (found == object.end()) return;
  if (!found->is_number()) wrong_type(origin, key, *found, "a number");
  target = found->get<double>();
}

void read(const json& object, const char* key, std::string_view origin, bool& target) {
  const auto found = object.find(key);
  if (found == object.end()) return;
  if (!found->is_boolean()) wrong_type(origin, key, *found, "true or false");
  target = found->get<bool>();
}

void read(const json& object, const char* key, std::string_view origin, std::string& target) {
  const auto found = object.find(key);
  if (found == object.end()) return;
  if (!found->is_string()) wrong_type(origin, key, *found, "a string");
  target = found->get<std::string>();
}

}  // namespace

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) throw Error(ErrorKind::kZeroDivision, fmt::format("{} divided by 0", a));
  if (b == -1) {
    if (a == INT64_MIN) {
      throw Error(ErrorKind::kOverflow, fmt::format("{} divided by -1 exceeds 64 bits", a));
    }
    return -a;
  }
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

std::int64_t floor_modulo(std::int64_t a, std::int64_t b) {
  if (b == 0) throw Error(ErrorKind::kZeroDivision, fmt::format("{} modulo 0", a));
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t Config::latent_window_size() const {
  return floor_divide(window_size, vae_temporal_factor);
}
std::int64_t Config::latent_n_first_frames() const {
  return floor_divide(n_first_frames, vae_temporal_factor);
}
std::int64_t Config::latent_key_frame_interval() const {
  return floor_divide(key_frame_interval, vae_temporal_factor);
}

bool parse_flag(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return lower == "1" || lower == "true" || lower == "yes";
}

std::int64_t integer_setting(const Environment& environment, const std::string& name,
                             std::int64_t default_value) {
  const auto text = get(environment, name);
  if (!text) return default_value;
  if (const auto value = parse_python_int(*text)) return *value;
  throw Error(ErrorKind::kValue, fmt::format("{}='{}' is no integer", name, *text));
}

Config config_from_environment(const Environment& environment) {
  if (const auto text = get(environment, "LVSA_CONFIG"); text && !text->empty()) {
    return config_from_json(*text, "LVSA_CONFIG");
  }
  Config config;
  config.window_size = integer_setting(environment, "LVSA_WINDOW_SIZE", config.window_size);
  config.n_first_frames =
      integer_setting(environment, "LVSA_N_FIRST_FRAMES", config.n_first_frames);
  config.key_frame_interval =
      integer_setting(environment, "LVSA_KEY_FRAME_INTERVAL", config.key_frame_interval);
  config.auto_keyframes = flag_setting(environment, "LVSA_AUTO_KEYFRAMES", config.auto_keyframes);
  config.rotate_keyframes =
      flag_setting(environment, "LVSA_ROTATE_KEYFRAMES", config.rotate_keyframes);
  config.expand_window = flag_setting(environment, "LVSA_EXPAND_WINDOW", config.expand_window);
  config.backend = get(environment, "LVSA_BACKEND").value_or(config.backend);
  config.vae_temporal_factor =
      integer_setting(environment, "LVSA_VAE_TEMPORAL_FACTOR", config.vae_temporal_factor);
  // Set to nothing counts as not set here, and only here.
  if (const auto total = get(environment, "LVSA_TOTAL_LATENT_FRAMES"); total && !total->empty()) {
    config.total_latent_frames = integer_setting(environment, "LVSA_TOTAL_LATENT_FRAMES", 0);
  }
  config.sparsity_scale = real_setting(environment, "LVSA_SPARSITY_SCALE", config.sparsity_scale);
  config.reference_latent_frames =
      integer_setting(environment, "LVSA_REFERENCE_LATENT_FRAMES", config.reference_latent_frames);
  return config;
}

Config config_from_json(std::string_view text, std::string_view origin) {
  json object;
  try {
    object = json::parse(text);
  } catch (const json::parse_error& error) {
    throw Error(ErrorKind::kJson, fmt::format("{}: no valid JSON: {}", origin, error.what()));
  } catch (const json::out_of_range& error) {  // 1e400
    throw Error(ErrorKind::kOverflow, fmt::format("{}: {}", origin, error.what()));
  }
  if (!object.is_object()) {
    throw Error(ErrorKind::kType,
                fmt::format("{}: a JSON object is due, not {}", origin, object.type_name()));
  }
  Config config;
  read(object, "window_size", origin, config.window_size);
  read(object, "n_first_frames", origin, config.n_first_frames);
  read(object, "key_frame_interval", origin, config.key_frame_interval);
  read(object, "auto_keyframes", origin, config.auto_keyframes);
  read(object, "rotate_keyframes", origin, config.rotate_keyframes);
  read(object, "expand_window", origin, config.expand_window);
  read(object, "backend", origin, config.backend);
  read(object, "vae_temporal_factor", origin, config.vae_temporal_factor);
  if (const auto total = object.find("total_latent_frames");
      total != object.end() && !total->is_null()) {
    std::int64_t frames = 0;
    read(object, "total_latent_frames", origin, frames);
    config.total_latent_frames = frames;
  }
  read(object, "sparsity_scale", origin, config.sparsity_scale);
  read(object, "reference_latent_frames", origin, config.reference_latent_frames);
  return config;
}

std::vector<std::int64_t> condition_latent_frames(const Environment& environment) {
  std::vector<std::int64_t> frames;
  const std::string text = get(environment, "LVSA_CONDITION_LATENT_FRAMES").value_or("");
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    if (const auto frame = parse_python_int(std::string_view(text).substr(start, comma - start))) {
      frames.push_back(*frame);
    }
    start = comma + 1;
  }
  return frames;
}

}  // namespace lvsa
