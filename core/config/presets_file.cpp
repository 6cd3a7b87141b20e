// Presets from JSON, checked value by value.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/config/presets.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa {
namespace {

using nlohmann::json;

constexpr std::array kKeys = {"name",
                              "like",
                              "title",
                              "heads",
                              "kv_heads",
                              "head_dim",
                              "blocks",
                              "rounds_up",
                              "reference_latent_frames",
                              "sizes",
                              "text",
                              "usual_text_tokens",
                              "patch_size",
                              "source",
                              "largest_text_tokens",
                              "hook_variable",
                              "vae_spatial_factor",
                              "vae_temporal_factor",
                              "temporal_patch_size"};
constexpr std::array kRequiredKeys = {"reference_latent_frames", "heads", "head_dim", "blocks",
                                      "sizes"};

// One entry of the file: knows where it stands, so that every complaint can say so.
class Entry {
 public:
  Entry(const json& object, std::string where) : object_(object), where_(std::move(where)) {}

  bool has(const char* key) const { return object_.contains(key); }

  [[noreturn]] void fail(const char* key, const char* due,
                         ErrorKind kind = ErrorKind::kValue) const {
    throw Error(
        kind, fmt::format("{}: \"{}\" is {}; {} is due", where_, key, object_.at(key).dump(), due));
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kValue, fmt::format("{}: {}", where_, what));
  }

  void read(const char* key, std::string& target) const {
    if (!has(key)) return;
    if (!object_.at(key).is_string()) fail(key, "a string", ErrorKind::kType);
    target = object_.at(key).get<std::string>();
  }

  void read(const char* key, bool& target) const {
    if (!has(key)) return;
    if (!object_.at(key).is_boolean()) fail(key, "true or false", ErrorKind::kType);
    target = object_.at(key).get<bool>();
  }

  void read_count(const char* key, std::int64_t least, std::int64_t& target) const {
    if (!has(key)) return;
    const json& value = object_.at(key);
    if (!value.is_number_integer()) fail(key, "an integer", ErrorKind::kType);
    const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX;
    if (too_large || value.get<std::int64_t>() < least) {
      fail(key, least > 0 ? "a positive 64-bit integer" : "0 or a positive 64-bit integer");
    }
    target = value.get<std::int64_t>();
  }

  void read_sizes(std::vector<VideoSize>& target) const {
    constexpr const char* kDue = "a list of [height, width] pairs of positive pixels";
    if (!has("sizes")) return;
    const json& value = object_.at("sizes");
    if (!value.is_array() || value.empty()) fail("sizes", kDue, ErrorKind::kType);
    target.clear();
    for (const json& pair : value) {
      if (!pair.is_array() || pair.size() != 2) fail("sizes", kDue, ErrorKind::kType);
      for (const json& side : pair) {
        if (!side.is_number_integer()) fail("sizes", kDue, ErrorKind::kType);
        if (side.get<std::int64_t>() < 1) fail("sizes", kDue);
      }
      target.push_back({pair[0].get<std::int64_t>(), pair[1].get<std::int64_t>()});
    }
  }

  void read_text_kind(TextKind& target) const {
    if (!has("text")) return;
    for (const TextKind kind : {TextKind::kNone, TextKind::kJoint, TextKind::kFrontOfKeys}) {
      if (object_.at("text") != std::string(lvsa::name(kind))) continue;
      target = kind;
      return;
    }
    fail("text", R"("none", "joint" or "front")");
  }

  void check_keys() const {
    for (const auto& item : object_.items()) {
      if (std::ranges::find(kKeys, item.key()) != kKeys.end()) continue;
      fail(fmt::format("\"{}\" is no key; one of {} is due", printable(item.key()),
                       fmt::join(kKeys, ", ")));
    }
  }

 private:
  const json& object_;
  std::string where_;
};

const ModelPreset* builtin(std::string_view name) {
  const auto found = std::ranges::find(builtin_presets(), name, &ModelPreset::name);
  return found == builtin_presets().end() ? nullptr : &*found;
}

// What the entry starts from: the preset that "like" names, or the built-in one of its own name.
ModelPreset start_of(const Entry& entry, const std::string& name, const std::string& path) {
  std::string like;
  entry.read("like", like);
  ModelPreset preset;
  if (const ModelPreset* base = builtin(entry.has("like") ? like : name)) {
    preset = *base;
  } else if (entry.has("like")) {
    entry.fail("like", "the name of a built-in model");
  } else {
    for (const char* key : kRequiredKeys) {
      if (!entry.has(key)) entry.fail(fmt::format("\"{}\" is missing", key));
    }
  }
  if (preset.name != name) preset.title = name;
  preset.name = name;
  preset.source = path;
  return preset;
}

void read_values(const Entry& entry, ModelPreset& preset) {
  entry.read("title", preset.title);
  entry.read_count("reference_latent_frames", 1, preset.reference_latent_frames);
  entry.read_count("heads", 1, preset.heads);
  if (preset.kv_heads == 0) preset.kv_heads = preset.heads;
  entry.read_count("kv_heads", 1, preset.kv_heads);
  entry.read_count("head_dim", 1, preset.head_dim);
  entry.read_count("blocks", 1, preset.blocks);
  entry.read_count("vae_temporal_factor", 1, preset.rule.vae_temporal_factor);
  entry.read_count("vae_spatial_factor", 1, preset.rule.vae_spatial_factor);
  entry.read_count("patch_size", 1, preset.rule.patch_size);
  entry.read_count("temporal_patch_size", 1, preset.rule.temporal_patch_size);
  entry.read("rounds_up", preset.rule.rounds_up);
  entry.read_sizes(preset.sizes);
  entry.read_text_kind(preset.text_kind);
  entry.read_count("usual_text_tokens", 0, preset.usual_text_tokens);
  entry.read_count("largest_text_tokens", 0, preset.largest_text_tokens);
  if (!entry.has("largest_text_tokens") && entry.has("usual_text_tokens")) {
    preset.largest_text_tokens = std::max(preset.usual_text_tokens, preset.largest_text_tokens);
  }
  entry.read("hook_variable", preset.hook_variable);
  entry.read("source", preset.source);
}

void check_together(const Entry& entry, const ModelPreset& preset) {
  if (preset.heads % preset.kv_heads != 0) {
    entry.fail(fmt::format("\"heads\" is {}, \"kv_heads\" is {}; a multiple of kv_heads is due",
                           preset.heads, preset.kv_heads));
  }
  if (preset.usual_text_tokens > preset.largest_text_tokens) {
    entry.fail(fmt::format("\"usual_text_tokens\" is {}; at most largest_text_tokens, {}, is due",
                           preset.usual_text_tokens, preset.largest_text_tokens));
  }
  if (preset.text_kind == TextKind::kNone && preset.largest_text_tokens > 0) {
    entry.fail(
        fmt::format("\"text\" is \"none\" with {} text tokens; 0 of them, \"joint\" or "
                    "\"front\" is due",
                    preset.largest_text_tokens));
  }
  for (const VideoSize& size : preset.sizes) {
    try {
      patches_per_frame(preset, size);
    } catch (const Error& error) {
      entry.fail(fmt::format("\"sizes\": {}", error.what()));
    }
  }
}

ModelPreset read_preset(const json& object, const std::string& path, std::size_t index) {
  if (!object.is_object()) {
    throw Error(ErrorKind::kType,
                fmt::format("{}: models[{}] is {}; an object is due", path, index, object.dump()));
  }
  const Entry unnamed(object, fmt::format("{}: models[{}]", path, index));
  if (!unnamed.has("name")) unnamed.fail("\"name\" is missing");
  std::string name;
  unnamed.read("name", name);
  if (name.empty()) unnamed.fail("name", "the name of a model");
  const Entry entry(object, fmt::format("{}: model '{}'", path, name));
  entry.check_keys();
  ModelPreset preset = start_of(entry, name, path);
  read_values(entry, preset);
  check_together(entry, preset);
  return preset;
}

std::string read_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: is a directory; a JSON file of models is due", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::kIo, fmt::format("{}: cannot be opened for reading", path));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Error(ErrorKind::kIo, fmt::format("{}: cannot be read", path));
  return text;
}

// Objects of the file must not say a key twice: the parser would keep the last one silently.
json parse(const std::string& text, const std::string& path) {
  std::vector<std::vector<std::string>> keys;
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (std::ranges::find(keys.back(), key) != keys.back().end()) {
        throw Error(ErrorKind::kValue, fmt::format("{}: \"{}\" is there twice in one object; once "
                                                   "is due",
                                                   path, printable(key)));
      }
      keys.back().push_back(key);
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception& error) {  // numbers beyond double included
    throw Error(ErrorKind::kJson, fmt::format("{}: no valid JSON: {}", path, error.what()));
  }
}

}  // namespace

std::vector<ModelPreset> load_presets(const std::string& path) {
  const json file = parse(read_file(path), path);
  if (!file.is_object() || file.size() != 1 || !file.contains("models") ||
      !file.at("models").is_array()) {
    throw Error(ErrorKind::kType,
                fmt::format(R"({}: an object {{"models": [...]}} and nothing else is due)", path));
  }
  std::vector<ModelPreset> presets;
  for (const json& object : file.at("models")) {
    ModelPreset preset = read_preset(object, path, presets.size());
    if (std::ranges::find(presets, preset.name, &ModelPreset::name) != presets.end()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: model '{}' is there twice; once is due", path, preset.name));
    }
    presets.push_back(std::move(preset));
  }
  return presets;
}

}  // namespace lvsa
