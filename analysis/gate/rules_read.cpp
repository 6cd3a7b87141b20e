// rules.json.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "analysis/gate/json_reader.hpp"
#include "analysis/gate/rules.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostBytes = 16 << 20;

Effect read_effect(const JsonReader& json) {
  return json.word({"report", "fail"}) == "fail" ? Effect::kFail : Effect::kReport;
}

template <typename T, typename Read>
void set(T& target, const JsonReader& object, std::string_view key, Read&& read) {
  if (const auto value = object.member(key)) target = read(*value);
}

double read_worst_ratio(const JsonReader& json) {
  const double ratio = json.number(0.0, kInfinity);
  if (ratio > 1.0) {
    json.fail(fmt::format(
        "{}: contradicts the bounds, which an error must not leave: at most 1 is due", ratio));
  }
  return ratio;
}

double read_factor(const JsonReader& json) { return json.number(1.0, kInfinity); }
double read_floor(const JsonReader& json) { return json.number(0.0, kInfinity); }

std::vector<CheckRule> read_checks(const JsonReader& json) {
  std::vector<CheckRule> rules;
  for (const auto& [match, effect] : json.members()) rules.push_back({match, read_effect(effect)});
  return rules;
}

// A floor above what an error may take up would switch the comparison off without saying so.
void require_floor_below(const JsonReader& json, const CaseRules& rules) {
  if (rules.ratio_floor <= rules.worst_ratio) return;
  json.fail(
      fmt::format("ratio_floor {} contradicts worst_ratio {}: no growth would ever be noticed; a "
                  "floor of at most {} is due",
                  rules.ratio_floor, rules.worst_ratio, rules.worst_ratio));
}

std::vector<std::string> read_globs(const JsonReader& json) {
  std::vector<std::string> globs;
  for (const JsonReader& element : json.elements()) globs.push_back(element.nonempty_text());
  return globs;
}

CaseOverride read_override(const JsonReader& json) {
  json.require_object({"match", "worst_ratio", "ratio_factor", "ratio_floor", "weak", "suspect",
                       "unsupported", "checks"});
  CaseOverride change;
  change.match = json.required("match").nonempty_text();
  set(change.worst_ratio, json, "worst_ratio", read_worst_ratio);
  set(change.ratio_factor, json, "ratio_factor", read_factor);
  set(change.ratio_floor, json, "ratio_floor", read_floor);
  set(change.weak, json, "weak", read_effect);
  set(change.suspect, json, "suspect", read_effect);
  set(change.unsupported, json, "unsupported", read_effect);
  set(change.checks, json, "checks", read_checks);
  return change;
}

void read_conformance(ConformanceRules& rules, const JsonReader& json) {
  json.require_object({"must_pass", "worst_ratio", "ratio_factor", "ratio_floor", "weak", "suspect",
                       "unsupported", "known_failures", "checks", "cases"});
  set(rules.must_pass, json, "must_pass", read_globs);
  set(rules.all.worst_ratio, json, "worst_ratio", read_worst_ratio);
  set(rules.all.ratio_factor, json, "ratio_factor", read_factor);
  set(rules.all.ratio_floor, json, "ratio_floor", read_floor);
  set(rules.all.weak, json, "weak", read_effect);
  set(rules.all.suspect, json, "suspect", read_effect);
  set(rules.all.unsupported, json, "unsupported", read_effect);
  set(rules.known_failures, json, "known_failures", read_effect);
  set(rules.all.checks, json, "checks", read_checks);
  // The floor that nobody gave follows a bound that somebody made tighter than it.
  if (!json.member("ratio_floor")) {
    rules.all.ratio_floor = std::min(rules.all.ratio_floor, rules.all.worst_ratio);
  }
  require_floor_below(json, rules.all);
  const auto cases = json.member("cases");
  if (!cases) return;
  for (const JsonReader& element : cases->elements()) {
    rules.cases.push_back(read_override(element));
    CaseOverride& change = rules.cases.back();
    const double most = change.worst_ratio.value_or(rules.all.worst_ratio);
    if (!change.ratio_floor && most < rules.all.ratio_floor) change.ratio_floor = most;
    CaseRules together = rules.all;
    together.worst_ratio = most;
    together.ratio_floor = change.ratio_floor.value_or(rules.all.ratio_floor);
    require_floor_below(element, together);
  }
}

MetricRule read_metric(const JsonReader& json, MetricRule rule) {
  json.require_object({"absolute", "relative", "least", "most"});
  rule.compared = true;
  // Who says how far a metric may move says all of it.
  if (json.member("absolute") || json.member("relative")) rule.absolute = rule.relative = 0.0;
  set(rule.absolute, json, "absolute", [](const auto& v) { return v.number(0.0, kInfinity); });
  set(rule.relative, json, "relative", [](const auto& v) { return v.number(0.0, kInfinity); });
  const auto any = [](const auto& v) { return v.number(-kInfinity, kInfinity); };
  set(rule.least, json, "least", any);
  set(rule.most, json, "most", any);
  if (rule.least > rule.most) {
    json.fail(fmt::format("least {} contradicts most {}: nothing would ever pass", rule.least,
                          rule.most));
  }
  return rule;
}

Metric read_metric_name(const JsonReader& json, const std::string& name) {
  if (const auto metric = metric_of_name(name)) return *metric;
  std::vector<std::string_view> names;
  for (const MetricInfo& metric : metric_infos()) names.push_back(metric.name);
  const std::string_view near = nearest(name, names);
  std::string all;
  for (const std::string_view known : names)
    all += fmt::format("{}{}", all.empty() ? "" : ", ", known);
  json.fail(near.empty() ? fmt::format("no metric has this name; there are {}", all)
                         : fmt::format("no metric has this name; the nearest one is '{}'", near));
}

void read_sweep(SweepRules& rules, const JsonReader& json) {
  json.require_object({"metrics", "settings"});
  if (const auto metrics = json.member("metrics")) {
    for (const auto& [name, value] : metrics->members()) {
      MetricRule& rule = rules.metrics[static_cast<std::size_t>(read_metric_name(value, name))];
      rule = read_metric(value, rule);
    }
  }
  const auto settings = json.member("settings");
  if (!settings) return;
  for (const JsonReader& element : settings->elements()) {
    element.require_object({"setting", "class", "metrics"});
    SweepOverride change;
    set(change.setting, element, "setting", [](const auto& v) { return v.nonempty_text(); });
    set(change.sample_class, element, "class", [](const auto& v) { return v.nonempty_text(); });
    for (const auto& [name, value] : element.required("metrics").members()) {
      const Metric metric = read_metric_name(value, name);
      const MetricRule& before = rules.metrics[static_cast<std::size_t>(metric)];
      change.metrics.emplace_back(metric, read_metric(value, before));
    }
    rules.settings.push_back(std::move(change));
  }
}

void read_speed(PairRules& rules, const JsonReader& json) {
  json.require_object({"slower", "must_not_be_slower", "most_ratio"});
  set(rules.slower, json, "slower", read_effect);
  set(rules.must_not_be_slower, json, "must_not_be_slower", read_globs);
  set(rules.most_ratio, json, "most_ratio", [](const auto& v) { return v.number(0.0, kInfinity); });
  if (rules.slower == Effect::kReport && !rules.must_not_be_slower.empty()) {
    json.fail(
        "must_not_be_slower contradicts slower \"report\": leave one of them out, or say "
        "slower \"fail\"");
  }
}

}  // namespace

GateRules parse_rules(std::string_view text, const std::string& file) {
  const nlohmann::ordered_json json = parse_strict_ordered_json(text, file, {16, 100'000});
  const JsonReader reader(json, file);
  reader.require_object({"schema", "about", "conformance", "sweep", "speed"});
  const std::int64_t schema = reader.required("schema").integer(0);
  if (schema != kRulesSchema) reader.required("schema").wrong("1");
  if (const auto about = reader.member("about")) about->text();
  GateRules rules = default_rules();
  if (const auto part = reader.member("conformance")) read_conformance(rules.conformance, *part);
  if (const auto part = reader.member("sweep")) read_sweep(rules.sweep, *part);
  if (const auto part = reader.member("speed")) read_speed(rules.speed, *part);
  return rules;
}

GateRules read_rules(const std::string& path) {
  return parse_rules(read_small_file(path, kMostBytes), path);
}

}  // namespace lvsa::analysis
