// Writes the file of a comparison: docs/speed.md.

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinity; reports write it as a string.
Json number(double value) {
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json estimate_json(const RatioEstimate& e) {
  return {
      {"median", e.median}, {"low", number(e.low)}, {"high", number(e.high)}, {"level", e.level}};
}

Json side_json(const SpeedSide& side) {
  return {{"option", side.option},
          {"name", side.name},
          {"library", side.library},
          {"on_device", side.on_device}};
}

Json rules_json(const SpeedRules& r) {
  return {{"alpha", r.alpha},
          {"least_delta", r.least_delta},
          {"most_delta", r.most_delta},
          {"noise_factor", r.noise_factor},
          {"noise_level", r.noise_level},
          {"clock_change", r.clock_change}};
}

template <typename Value>
void put(Json& json, const char* name, const std::optional<Value>& value) {
  if (value) json[name] = *value;
}

Json state_json(const MachineState& s) {
  Json json = Json::object();
  put(json, "load_1min", s.load_1min);
  put(json, "steal_share", s.steal_share);
  put(json, "cpu_mhz", s.cpu_mhz);
  put(json, "cpu_probe_ghz", s.cpu_probe_ghz);
  if (!s.governor.empty()) json["governor"] = s.governor;
  put(json, "gpu_sm_mhz", s.gpu_sm_mhz);
  put(json, "gpu_power_w", s.gpu_power_w);
  put(json, "gpu_temperature_c", s.gpu_temperature_c);
  put(json, "gpu_throttle", s.gpu_throttle);
  return json;
}

Json case_json(const SpeedCase& c) {
  return {{"line", c.line},
          {"verdict", speed_verdict_name(c.verdict)},
          {"reason", c.reason},
          {"ratio", estimate_json(c.ratio)},
          {"noise_ratio", estimate_json(c.noise_ratio)},
          {"noise", number(c.noise)},
          {"delta", number(c.delta)},
          {"p_change", c.p_change},
          {"p_same", c.p_same},
          {"calls", c.calls},
          {"a_s", c.a_s},
          {"b_s", c.b_s},
          {"clock_ratio", c.clock_ratio},
          {"clock_spread", c.clock_spread},
          {"remarks", c.remarks},
          {"ratios", c.ratios},
          {"noise_ratios", c.noise_ratios},
          {"block_round", c.block_round}};
}

void append_lines(std::string& text, const char* name, const Json& array) {
  text += fmt::format(" \"{}\": [", name);
  for (std::size_t i = 0; i < array.size(); ++i) {
    text += fmt::format("{}\n  {}", i > 0 ? "," : "", array[i].dump());
  }
  text += "\n ]";
}

}  // namespace

std::string to_speed_json(const SpeedComparison& comparison) {
  Json provenance = Json::object();
  for (const auto& [name, value] : comparison.provenance) provenance[name] = value;
  Json cases = Json::array();
  Json states = Json::array();
  for (const SpeedCase& c : comparison.cases) cases.push_back(case_json(c));
  for (const MachineState& s : comparison.states) states.push_back(state_json(s));
  std::string text = "{";
  const auto add = [&](const char* name, const Json& value) {
    text += fmt::format("{} \"{}\": {}", text.size() > 1 ? ",\n" : "", name, value.dump());
  };
  add("type", "lvsa-speed");
  add("schema", kSpeedSchema);
  add("verdict", speed_verdict_name(overall_verdict(comparison)));
  add("a", side_json(comparison.a));
  add("b", side_json(comparison.b));
  add("device", comparison.device);
  add("clock", comparison.clock);
  add("rules", rules_json(comparison.rules));
  add("provenance", provenance);
  text += ",\n";
  append_lines(text, "states", states);
  text += ",\n";
  append_lines(text, "cases", cases);
  return text + "\n}\n";
}

}  // namespace lvsa::analysis
