#include "analysis/diagnose/backend_requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/gate/json_reader.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;
using reference::AttentionCall;
using reference::BackendConfig;
using reference::InstalledPlugin;
using reference::PluginParams;

constexpr JsonLimits kLimits{16, 100'000};
constexpr std::int64_t kMostSteps = 10000;

// What the reference finds wrong, at the place where it stands.
template <typename Value>
void require_valid_at(const JsonReader& at, const Value& value) {
  try {
    reference::require_valid(value);
  } catch (const Error& error) {
    at.fail(error.what());
  }
}

template <typename Target>
void read_integer(const JsonReader& object, std::string_view key, Target& target) {
  if (const auto member = object.member(key); member && !member->is_null()) {
    target = member->integer(std::numeric_limits<std::int64_t>::min());
  }
}

void read_flag(const JsonReader& object, std::string_view key, bool& target) {
  if (const auto member = object.member(key)) target = member->boolean();
}

// Names of parameters and profiles stand in messages and tables of one line.
void require_plain_name(const std::string& name, const JsonReader& value) {
  const auto plain = [](char c) { return c >= ' ' && c != '\x7f'; };
  if (!name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), plain)) return;
  value.fail("a name of 1 to 100 characters in one line is due");
}

PluginParams read_params(const JsonReader& object) {
  PluginParams params;
  for (const auto& [name, value] : object.members()) {
    require_plain_name(name, value);
    params[name] = value.dumped();
  }
  return params;
}

reference::SparsitySchedule read_schedule(const JsonReader& value) {
  const std::string word = value.word({"constant", "conservative", "aggressive"});
  if (word == "conservative") return reference::SparsitySchedule::kConservative;
  if (word == "aggressive") return reference::SparsitySchedule::kAggressive;
  return reference::SparsitySchedule::kConstant;
}

BackendConfig read_config(const JsonReader& object) {
  object.require_object({"backend", "pattern_type", "params", "block_size_q", "block_size_kv",
                         "window_size", "spatial_radius", "schedule", "profiles", "step_ranges"});
  BackendConfig config;
  if (const auto value = object.member("backend")) config.backend = value->nonempty_text();
  if (const auto value = object.member("pattern_type")) {
    config.pattern_type = value->nonempty_text();
  }
  if (const auto value = object.member("params")) config.params = read_params(*value);
  read_integer(object, "block_size_q", config.block_size_q);
  read_integer(object, "block_size_kv", config.block_size_kv);
  read_integer(object, "window_size", config.window_size);
  read_integer(object, "spatial_radius", config.spatial_radius);
  if (const auto value = object.member("schedule")) config.schedule = read_schedule(*value);
  if (const auto value = object.member("profiles")) {
    for (const auto& [name, params] : value->members()) {
      require_plain_name(name, params);
      config.profiles[name] = read_params(params);
    }
  }
  if (const auto value = object.member("step_ranges")) {
    for (const JsonReader& range : value->elements()) {
      range.require_object({"first", "end", "profile"});
      config.step_ranges.push_back({range.required("first").integer(0),
                                    range.required("end").integer(0),
                                    range.required("profile").nonempty_text()});
    }
  }
  require_valid_at(object, config);
  return config;
}

// Anything but an object advertises nothing, as in the published dispatcher; so do unknown names.
reference::PluginCapabilities read_capabilities(const JsonReader& value) {
  reference::PluginCapabilities made;
  if (value.dumped().front() != '{') return made;
  read_flag(value, "supports_attention_mask", made.attention_mask);
  read_flag(value, "supports_full_attn_spans", made.full_attn_spans);
  return made;
}

InstalledPlugin read_plugin(const JsonReader& object) {
  object.require_object({"name", "path", "loads", "error", "signatures", "capabilities"});
  InstalledPlugin plugin;
  if (const auto value = object.member("name")) plugin.name = value->nonempty_text();
  if (const auto value = object.member("path")) plugin.path = value->nonempty_text();
  if (plugin.name.empty() && plugin.path.empty()) object.fail("a name or a path is due");
  if (!plugin.path.empty() && !reference::is_class_path(plugin.path)) {
    object.required("path").wrong("module.path:function");
  }
  read_flag(object, "loads", plugin.loads);
  if (const auto value = object.member("error")) plugin.load_error = value->nonempty_text();
  if (const auto value = object.member("signatures")) {
    plugin.takes_first = plugin.takes_second = false;
    for (const JsonReader& element : value->elements()) {
      const std::int64_t version = element.integer(1);
      if (version > 2) element.wrong("1 or 2");
      (version == 1 ? plugin.takes_first : plugin.takes_second) = true;
    }
  }
  if (const auto value = object.member("capabilities")) {
    plugin.capabilities = read_capabilities(*value);
  }
  return plugin;
}

std::vector<InstalledPlugin> read_installed(const JsonReader& array) {
  std::vector<InstalledPlugin> plugins;
  for (const JsonReader& element : array.elements()) plugins.push_back(read_plugin(element));
  return plugins;
}

void read_triple(const JsonReader& object, std::string_view key,
                 std::optional<std::array<std::int64_t, 3>>& target) {
  const auto value = object.member(key);
  if (!value) return;
  const std::vector<JsonReader> elements = value->elements();
  if (elements.size() != 3) value->wrong("three integers for T, H and W");
  target = {elements[0].integer(1), elements[1].integer(1), elements[2].integer(1)};
}

AttentionCall read_call(const JsonReader& object) {
  object.require_object({"name", "is_self_attention", "batch", "seq_len", "heads", "head_dim",
                         "frames", "patches_per_frame", "latent_shape", "patch_size", "attn_mask",
                         "full_attn_spans", "is_causal", "softmax_scale", "extra"});
  AttentionCall call;
  call.name = object.required("name").nonempty_text();
  read_flag(object, "is_self_attention", call.is_self_attention);
  call.seq_len = object.required("seq_len").integer(1);
  read_integer(object, "batch", call.batch);
  read_integer(object, "heads", call.heads);
  read_integer(object, "head_dim", call.head_dim);
  read_integer(object, "frames", call.frames);
  read_integer(object, "patches_per_frame", call.patches_per_frame);
  read_triple(object, "latent_shape", call.latent_shape);
  read_triple(object, "patch_size", call.patch_size);
  read_flag(object, "attn_mask", call.attn_mask);
  read_flag(object, "full_attn_spans", call.full_attn_spans);
  read_flag(object, "is_causal", call.is_causal);
  if (const auto value = object.member("softmax_scale")) {
    call.softmax_scale = value->number(0.0, std::numeric_limits<double>::infinity());
  }
  if (const auto value = object.member("extra")) call.extra = read_params(*value);
  require_valid_at(object, call);
  return call;
}

std::vector<AttentionCall> read_calls(const JsonReader& array) {
  std::vector<AttentionCall> calls;
  std::set<std::string> names;
  for (const JsonReader& element : array.elements()) {
    calls.push_back(read_call(element));
    if (!names.insert(calls.back().name).second) {
      element.fail(
          fmt::format("a second call '{}'; names of their own are due", calls.back().name));
    }
  }
  if (calls.empty()) array.fail("a call is due");
  return calls;
}

std::int64_t read_steps(const JsonReader& value) {
  const std::int64_t steps = value.integer(1);
  if (steps > kMostSteps) value.wrong(fmt::format("an integer from 1 to {}", kMostSteps));
  return steps;
}

// "KEY=VALUE" into the object.
void set_word(Json& object, const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("--set {}: KEY=VALUE is due, as in topk=0.3 or params.topk=0.3",
                            printable(word)));
  }
  const std::string key = word.substr(0, equals);
  const std::string text = word.substr(equals + 1);
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) value = text;
  if (key.rfind("params.", 0) == 0 && key.size() > 7) {
    if (!object["params"].is_object()) object["params"] = Json::object();
    object["params"][key.substr(7)] = std::move(value);
  } else {
    object[key] = std::move(value);
  }
}

}  // namespace

BackendConfig parse_backend_config(std::string_view text, const std::string& file,
                                   std::span<const std::string> words) {
  Json root = parse_strict_ordered_json(text, file, kLimits);
  if (root.is_object()) {
    for (const std::string& word : words) set_word(root, word);
  }
  return read_config(JsonReader(root, file));
}

std::vector<InstalledPlugin> parse_installed_plugins(std::string_view text,
                                                     const std::string& file) {
  const Json root = parse_strict_ordered_json(text, file, kLimits);
  return read_installed(JsonReader(root, file));
}

std::vector<AttentionCall> parse_attention_calls(std::string_view text, const std::string& file) {
  const Json root = parse_strict_ordered_json(text, file, kLimits);
  return read_calls(JsonReader(root, file));
}

std::vector<BackendRequest> parse_backend_requests(std::string_view text, const std::string& file) {
  const Json json = parse_strict_ordered_json(text, file, kLimits);
  const JsonReader root(json, file);
  (void)root.required("schema").word({"lvsa-backend/1"});
  root.require_object({"schema", "about", "requests", "installed", "calls", "steps"});
  BackendRequest shared;
  shared.calls = default_attention_calls();
  const auto read_parts = [](const JsonReader& object, BackendRequest& request) {
    if (const auto value = object.member("installed")) request.installed = read_installed(*value);
    if (const auto value = object.member("calls")) request.calls = read_calls(*value);
    if (const auto value = object.member("steps")) request.steps = read_steps(*value);
  };
  read_parts(root, shared);
  std::vector<BackendRequest> requests;
  std::set<std::string> names;
  for (const JsonReader& element : root.required("requests").elements()) {
    element.require_object({"name", "about", "config", "installed", "calls", "steps"});
    BackendRequest request = shared;
    request.name = element.required("name").nonempty_text();
    if (!names.insert(request.name).second) {
      element.fail(fmt::format("a second request '{}'; names of their own are due", request.name));
    }
    if (const auto value = element.member("config")) request.config = read_config(*value);
    read_parts(element, request);
    requests.push_back(std::move(request));
  }
  if (requests.empty()) root.fail("a request is due");
  return requests;
}

std::vector<AttentionCall> default_attention_calls() {
  AttentionCall self;
  self.name = "self";
  self.seq_len = 32760;
  self.heads = 12;
  self.frames = 21;
  self.patches_per_frame = 1560;
  AttentionCall cross = self;
  cross.name = "cross";
  cross.is_self_attention = false;
  return {self, cross};
}

}  // namespace lvsa::analysis
