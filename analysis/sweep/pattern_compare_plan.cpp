#include "analysis/sweep/pattern_compare_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/report/text_format.hpp"
#include "analysis/sweep/pattern_search.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostResults = 2'000'000;

// Whether the words leave the knob free: some parameters exclude each other.
bool can_turn(const CompareRule& rule) {
  if (rule.knob.parameter.empty()) return false;
  const double middle = 0.5 * (rule.knob.sparsest + rule.knob.densest);
  try {
    rule.make(with_knob(rule, rule.knob.integer
                                  ? fmt::format("{}", static_cast<std::int64_t>(middle))
                                  : fmt::format("{:.5g}", middle)));
  } catch (const Error&) {
    return false;
  }
  return true;
}

std::vector<CompareEntry> entries_of(const std::vector<CompareRule>& rules,
                                     const std::vector<double>& densities) {
  std::vector<CompareEntry> entries;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    if (densities.empty() || !can_turn(rules[r])) {
      entries.push_back({r, kNan});
      continue;
    }
    for (const double density : densities) entries.push_back({r, density});
  }
  return entries;
}

template <typename Value>
std::string then_now(std::string_view what, const Value& then, const Value& now) {
  return fmt::format("{}: {} then, {} now", what, then, now);
}

std::string frame_text(const ComparePlan& plan) {
  return plan.height == 0 ? "not known" : fmt::format("{}x{}", plan.height, plan.width);
}

// Each once, in their order; patterns without a knob have none.
std::string densities_text(const ComparePlan& plan) {
  std::vector<std::string> texts;
  for (const CompareEntry& entry : plan.entries) {
    const std::string text = fmt::format("{}", entry.target);
    const bool known = std::find(texts.begin(), texts.end(), text) != texts.end();
    if (!std::isnan(entry.target) && !known) texts.push_back(text);
  }
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, ","));
}

std::string rules_difference(const ComparePlan& then, const ComparePlan& now) {
  if (then.rules.size() != now.rules.size()) {
    return then_now("patterns", then.rules.size(), now.rules.size());
  }
  for (std::size_t r = 0; r < then.rules.size(); ++r) {
    if (then.rules[r].words == now.rules[r].words) continue;
    return then_now(fmt::format("pattern {}", r + 1), "'" + then.rules[r].words + "'",
                    "'" + now.rules[r].words + "'");
  }
  const std::string a = densities_text(then);
  const std::string b = densities_text(now);
  return a == b ? "" : then_now("--density", a, b);
}

// What was given stands in front; the rest explains the defaults.
std::string short_rates(const std::string& source) {
  return source.substr(0, source.find("; without --rates"));
}

std::string options_difference(const ComparePlan& then, const ComparePlan& now) {
  const auto value = [](const ComparePlan& plan, const std::string& name) {
    for (const DecidingOption& option : plan.options) {
      if (option.name == name) return option.value;
    }
    return std::string("none");
  };
  for (const ComparePlan* plan : {&then, &now}) {
    for (const DecidingOption& option : plan->options) {
      const std::string a = value(then, option.name);
      const std::string b = value(now, option.name);
      if (a != b) return then_now(option.name, a, b);
    }
  }
  return "";
}

// Texts of a source may be anything; those of a plan are UTF-8, as JSON has it.
Json plan_to_json(const ComparePlan& plan) {
  Json json = {{"base", Json::parse(sweep_plan_json(plan.base))},
               {"height", plan.height},
               {"width", plan.width},
               {"rules", Json::array()},
               {"entries", Json::array()},
               {"rates", plan.rates_source},
               {"time", valid_utf8(plan.time_source)},
               {"options", Json::array()}};
  for (const CompareRule& rule : plan.rules) {
    json["rules"].push_back(Json::array({valid_utf8(rule.words), rule.name}));
  }
  for (const CompareEntry& entry : plan.entries) {
    json["entries"].push_back(
        Json::array({entry.rule, std::isnan(entry.target) ? Json() : Json(entry.target)}));
  }
  for (const DecidingOption& option : plan.options) {
    json["options"].push_back(Json::array({option.name, valid_utf8(option.value)}));
  }
  return json;
}

DensityKnob knob_of(const std::string& rule) {
  for (const RuleInfo& info : all_rules()) {
    if (info.name == rule) return info.knob;
  }
  return {};
}

CompareEntry parse_entry(const Json& json) {
  return {json.at(0).get<std::size_t>(), json.at(1).is_null() ? kNan : json.at(1).get<double>()};
}

void check_parsed(const ComparePlan& plan) {
  const bool good = plan.height >= 0 && plan.width >= 0 && !plan.rules.empty() &&
                    !plan.entries.empty() &&
                    plan.entries.size() <= kMostResults / plan.base.samples.size() &&
                    std::all_of(plan.entries.begin(), plan.entries.end(),
                                [&](const CompareEntry& e) { return e.rule < plan.rules.size(); });
  if (!good) {
    throw Error(ErrorKind::kJson, "plan of the comparison: its sizes contradict each other");
  }
}

}  // namespace

ComparePlan plan_of_comparison(const SampleSource& source, const CompareOptions& options) {
  ComparePlan plan;
  // What is wrong with the samples is what is wrong with a sweep's.
  plan.base = plan_of_source(source, {}, options.rows.rows_per_frame, options.rows.seed);
  plan.height = options.height;
  plan.width = options.width;
  plan.rules = options.rules;
  plan.entries = entries_of(options.rules, options.densities);
  plan.rates_source =
      options.rates.source(plan.base.head_dim, head_count(plan.base.samples), plan.base.grid);
  if (options.timer != nullptr) plan.time_source = options.timer->source();
  plan.options = options.deciding;
  if (plan.entries.size() > kMostResults / plan.base.samples.size()) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} patterns x {} samples: at most {} results are supported",
                            plan.entries.size(), plan.base.samples.size(), kMostResults));
  }
  return plan;
}

std::string difference(const ComparePlan& then, const ComparePlan& now, bool any_shard) {
  if (std::string other = difference(then.base, now.base, true); !other.empty()) return other;
  if (then.height != now.height || then.width != now.width) {
    return then_now("rows and columns of a frame", frame_text(then), frame_text(now));
  }
  if (std::string other = rules_difference(then, now); !other.empty()) return other;
  if (then.rates_source != now.rates_source) {
    return then_now("rates", short_rates(then.rates_source), short_rates(now.rates_source));
  }
  if (std::string other = options_difference(then, now); !other.empty()) return other;
  if (then.time_source != now.time_source) {
    return then_now("measured", then.time_source, now.time_source);
  }
  return difference(then.base, now.base, any_shard);
}

std::string compare_plan_json(const ComparePlan& plan) { return plan_to_json(plan).dump(); }

ComparePlan parse_compare_plan(const std::string& text) {
  ComparePlan plan;
  try {
    const Json json = Json::parse(text);
    plan.base = parse_sweep_plan(json.at("base").dump());
    plan.height = json.at("height").get<std::int64_t>();
    plan.width = json.at("width").get<std::int64_t>();
    for (const Json& rule : json.at("rules")) {
      CompareRule read;
      read.words = rule.at(0).get<std::string>();
      read.name = rule.at(1).get<std::string>();
      read.knob = knob_of(read.name);
      plan.rules.push_back(std::move(read));
    }
    for (const Json& entry : json.at("entries")) plan.entries.push_back(parse_entry(entry));
    plan.rates_source = json.at("rates").get<std::string>();
    plan.time_source = json.at("time").get<std::string>();
    for (const Json& option : json.at("options")) {
      plan.options.push_back({option.at(0).get<std::string>(), option.at(1).get<std::string>()});
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kJson, fmt::format("plan of the comparison: {}", error.what()));
  }
  check_parsed(plan);
  return plan;
}

CompareResults results_of_plan(const ComparePlan& plan) {
  CompareResults results;
  results.grid = plan.base.grid;
  results.height = plan.height;
  results.width = plan.width;
  results.head_dim = plan.base.head_dim;
  results.rules = plan.rules;
  results.entries = plan.entries;
  results.samples = plan.base.samples;
  results.sample_classes = plan.base.classes;
  results.excluded = plan.base.excluded;
  results.rows_per_frame = plan.base.rows_per_frame;
  results.row_seed = plan.base.row_seed;
  results.rates_source = plan.rates_source;
  results.time_source = plan.time_source;
  results.identity = plan.base.identity;
  results.tool = plan.base.tool;
  const std::size_t count = results.entries.size() * results.samples.size();
  results.values.assign(count, no_figures());
  results.words.resize(count);
  results.choices.resize(count);
  return results;
}

}  // namespace lvsa::analysis
