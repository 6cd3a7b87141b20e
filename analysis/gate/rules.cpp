#include "analysis/gate/rules.hpp"

#include "analysis/gate/glob.hpp"

namespace lvsa::analysis {
namespace {

void put(MetricRule& rule, double absolute, double relative) {
  rule.absolute = absolute;
  rule.relative = relative;
}

}  // namespace

Effect CaseRules::check_effect(std::string_view name) const {
  Effect effect = Effect::kFail;
  for (const CheckRule& rule : checks) {
    if (glob_matches(rule.match, name)) effect = rule.effect;
  }
  return effect;
}

CaseRules ConformanceRules::for_case(std::string_view line) const {
  CaseRules rules = all;
  for (const CaseOverride& change : cases) {
    if (!glob_matches(change.match, line)) continue;
    rules.worst_ratio = change.worst_ratio.value_or(rules.worst_ratio);
    rules.ratio_factor = change.ratio_factor.value_or(rules.ratio_factor);
    rules.ratio_floor = change.ratio_floor.value_or(rules.ratio_floor);
    rules.weak = change.weak.value_or(rules.weak);
    rules.suspect = change.suspect.value_or(rules.suspect);
    rules.unsupported = change.unsupported.value_or(rules.unsupported);
    rules.checks.insert(rules.checks.end(), change.checks.begin(), change.checks.end());
  }
  return rules;
}

MetricRule SweepRules::rule(Metric metric, std::string_view setting,
                            std::string_view sample_class) const {
  MetricRule rule = metrics[static_cast<std::size_t>(metric)];
  for (const SweepOverride& change : settings) {
    if (!glob_matches(change.setting, setting)) continue;
    if (!glob_matches(change.sample_class, sample_class)) continue;
    for (const auto& [changed, its_rule] : change.metrics) {
      if (changed == metric) rule = its_rule;
    }
  }
  return rule;
}

// A sweep gives the same bits every time, so these say what matters, not what is noise.
GateRules default_rules() {
  GateRules rules;
  auto& metrics = rules.sweep.metrics;
  const auto at = [&](Metric metric) -> MetricRule& {
    return metrics[static_cast<std::size_t>(metric)];
  };
  for (const Metric error : {Metric::kRelativeL1, Metric::kRelativeL2, Metric::kRmse}) {
    put(at(error), 1e-6, 0.02);
  }
  for (const Metric share : {Metric::kCosinePooled, Metric::kCosineMin, Metric::kRecallMean,
                             Metric::kRecallP01, Metric::kRecallMin}) {
    put(at(share), 0.002, 0.0);
  }
  put(at(Metric::kPsnr), 0.1, 0.0);
  for (const Metric shift : {Metric::kLseShiftMean, Metric::kLseShiftMax}) {
    put(at(shift), 0.002, 0.02);
  }
  at(Metric::kEntropyDense).compared = false;
  at(Metric::kEntropySparse).compared = false;
  return rules;
}

}  // namespace lvsa::analysis
