// Reads the file of a comparison: docs/speed.md.

#include <fmt/format.h>

#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/run/wire.hpp"
#include "analysis/speed/speed_result.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kType = "lvsa-speed";

// One object of the text, which knows where it stands and refuses fields that nobody asked for.
class Fields {
 public:
  Fields(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) wrong("", "an object");
  }

  [[noreturn]] void wrong(const std::string& field, const std::string& due) const {
    const std::string dot = field.empty() ? "" : ".";
    throw Error(ErrorKind::kValue,
                fmt::format("{}{}{}: {} is due", path_, dot, one_line(field), due));
  }

  void only(std::initializer_list<std::string_view> names) const {
    for (const auto& [key, value] : json_.items()) {
      bool known = false;
      for (const std::string_view name : names) known = known || name == key;
      if (!known) wrong(key, "no such field");
    }
  }

  const Json& at(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) wrong(name, "a value");
    return *found;
  }
  bool has(const char* name) const { return json_.contains(name); }
  Fields object(const char* name) const { return {at(name), path_ + "." + name}; }

  void read(const char* name, std::string& to) const {
    if (!at(name).is_string()) wrong(name, "a string");
    to = at(name).get<std::string>();
  }
  void read(const char* name, bool& to) const {
    if (!at(name).is_boolean()) wrong(name, "true or false");
    to = at(name).get<bool>();
  }
  void read(const char* name, double& to) const {
    if (!at(name).is_number()) wrong(name, "a number");
    to = at(name).get<double>();
    if (!(to >= 0.0)) wrong(name, "a number of at least 0");
  }
  // Ends of intervals, and what is made of them: infinite where there are too few blocks.
  void read_unbounded(const char* name, double& to) const {
    if (at(name) == "Infinity") {
      to = std::numeric_limits<double>::infinity();
    } else {
      read(name, to);
    }
  }
  void read(const char* name, std::int64_t& to) const { to = integer(at(name), name); }
  template <typename Value>
  void read(const char* name, std::vector<Value>& to) const {
    if (!at(name).is_array()) wrong(name, "an array");
    for (const Json& entry : at(name)) to.push_back(element(entry, name, Value{}));
  }
  void read(const char* name, std::optional<double>& to) const {
    if (has(name)) read(name, to.emplace());
  }
  void read(const char* name, std::optional<std::uint64_t>& to) const {
    if (has(name)) to = static_cast<std::uint64_t>(integer(at(name), name));
  }

 private:
  std::int64_t integer(const Json& value, const char* name) const {
    const bool fits = value.is_number_integer() &&
                      !(value.is_number_unsigned() &&
                        value.get<std::uint64_t>() >
                            static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) &&
                      value.get<std::int64_t>() >= 0;
    if (!fits) wrong(name, "an integer of at least 0");
    return value.get<std::int64_t>();
  }
  double element(const Json& value, const char* name, double) const {
    if (!value.is_number() || !(value.get<double>() > 0.0)) wrong(name, "numbers above 0");
    return value.get<double>();
  }
  std::int64_t element(const Json& value, const char* name, std::int64_t) const {
    return integer(value, name);
  }
  std::string element(const Json& value, const char* name, const std::string&) const {
    if (!value.is_string()) wrong(name, "strings");
    return value.get<std::string>();
  }

  const Json& json_;
  std::string path_;
};

RatioEstimate read_estimate(const Fields& f) {
  f.only({"median", "low", "high", "level"});
  RatioEstimate e;
  f.read("median", e.median);
  f.read("low", e.low);
  f.read_unbounded("high", e.high);
  f.read("level", e.level);
  return e;
}

SpeedSide read_side(const Fields& f) {
  f.only({"option", "name", "library", "on_device"});
  SpeedSide side;
  f.read("option", side.option);
  f.read("name", side.name);
  f.read("library", side.library);
  f.read("on_device", side.on_device);
  return side;
}

SpeedRules read_rules(const Fields& f) {
  f.only({"alpha", "least_delta", "most_delta", "noise_factor", "noise_level", "clock_change"});
  SpeedRules r;
  f.read("alpha", r.alpha);
  f.read("least_delta", r.least_delta);
  f.read("most_delta", r.most_delta);
  f.read("noise_factor", r.noise_factor);
  f.read("noise_level", r.noise_level);
  f.read("clock_change", r.clock_change);
  if (!(r.alpha > 0.0 && r.alpha < 1.0)) f.wrong("alpha", "a number between 0 and 1");
  if (!(r.noise_level > 0.0 && r.noise_level < 1.0)) {
    f.wrong("noise_level", "a number between 0 and 1");
  }
  return r;
}

MachineState read_state(const Fields& f) {
  f.only({"load_1min", "steal_share", "cpu_mhz", "cpu_probe_ghz", "governor", "gpu_sm_mhz",
          "gpu_power_w", "gpu_temperature_c", "gpu_throttle"});
  MachineState s;
  f.read("load_1min", s.load_1min);
  f.read("steal_share", s.steal_share);
  f.read("cpu_mhz", s.cpu_mhz);
  f.read("cpu_probe_ghz", s.cpu_probe_ghz);
  if (f.has("governor")) f.read("governor", s.governor);
  f.read("gpu_sm_mhz", s.gpu_sm_mhz);
  f.read("gpu_power_w", s.gpu_power_w);
  f.read("gpu_temperature_c", s.gpu_temperature_c);
  f.read("gpu_throttle", s.gpu_throttle);
  return s;
}

SpeedCase read_case(const Fields& f) {
  f.only({"line", "verdict", "reason", "ratio", "noise_ratio", "noise", "delta", "p_change",
          "p_same", "calls", "a_s", "b_s", "clock_ratio", "clock_spread", "remarks", "ratios",
          "noise_ratios", "block_round"});
  SpeedCase c;
  std::string verdict;
  f.read("line", c.line);
  f.read("verdict", verdict);
  const auto known = parse_speed_verdict(verdict);
  if (!known) f.wrong("verdict", "FASTER, SAME, SLOWER or UNDECIDED");
  c.verdict = *known;
  f.read("reason", c.reason);
  c.ratio = read_estimate(f.object("ratio"));
  c.noise_ratio = read_estimate(f.object("noise_ratio"));
  f.read_unbounded("noise", c.noise);
  f.read_unbounded("delta", c.delta);
  f.read("p_change", c.p_change);
  f.read("p_same", c.p_same);
  f.read("calls", c.calls);
  f.read("a_s", c.a_s);
  f.read("b_s", c.b_s);
  f.read("clock_ratio", c.clock_ratio);
  f.read("clock_spread", c.clock_spread);
  f.read("remarks", c.remarks);
  f.read("ratios", c.ratios);
  f.read("noise_ratios", c.noise_ratios);
  f.read("block_round", c.block_round);
  if (c.ratios.empty()) f.wrong("ratios", "at least one number");
  if (!(c.clock_ratio > 0.0)) f.wrong("clock_ratio", "a number above 0");
  for (const std::int64_t round : c.block_round) {
    if (round > 1'000'000) f.wrong("block_round", "numbers of processes");
  }
  return c;
}

Provenance read_provenance(const Fields& f, const Json& json) {
  Provenance provenance;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) f.wrong(key, "a string");
    provenance.emplace_back(key, value.get<std::string>());
  }
  return provenance;
}

}  // namespace

SpeedComparison parse_speed_json(std::string_view text, const std::string& where) {
  constexpr JsonLimits kLimits{16, 4'000'000};
  const Json json = parse_strict_ordered_json(text, where, kLimits);
  const Fields f(json, where);
  std::string word;
  f.read("type", word);
  if (word != kType) f.wrong("type", fmt::format("'{}'", kType));
  std::int64_t schema = 0;
  f.read("schema", schema);
  if (schema != kSpeedSchema) {
    f.wrong("schema",
            fmt::format("{} (this file is of another version: {})", kSpeedSchema, schema));
  }
  f.only({"type", "schema", "verdict", "a", "b", "device", "clock", "rules", "provenance", "states",
          "cases"});
  SpeedComparison comparison;
  comparison.a = read_side(f.object("a"));
  comparison.b = read_side(f.object("b"));
  f.read("device", comparison.device);
  f.read("clock", comparison.clock);
  if (comparison.clock != "wall" && comparison.clock != "cpu") f.wrong("clock", "wall or cpu");
  comparison.rules = read_rules(f.object("rules"));
  comparison.provenance = read_provenance(f.object("provenance"), f.at("provenance"));
  const auto each = [&](const char* name, auto take) {
    if (!f.at(name).is_array()) f.wrong(name, "an array");
    std::size_t number = 0;
    for (const Json& entry : f.at(name)) {
      take(Fields(entry, fmt::format("{}.{}[{}]", where, name, number++)));
    }
  };
  each("states", [&](const Fields& s) { comparison.states.push_back(read_state(s)); });
  each("cases", [&](const Fields& c) { comparison.cases.push_back(read_case(c)); });
  f.read("verdict", word);
  if (word != speed_verdict_name(overall_verdict(comparison))) {
    f.wrong("verdict",
            fmt::format("{}, by the cases", speed_verdict_name(overall_verdict(comparison))));
  }
  return comparison;
}

SpeedComparison read_speed_file(const std::string& path) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 28;
  return parse_speed_json(read_small_file(path, kMostBytes), path);
}

}  // namespace lvsa::analysis
