#pragma once
// What a gate lets pass: rules.json. docs/gate.md describes every key; the values below are those
// in force without a file.

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/sweep/metrics.hpp"

namespace lvsa::analysis {

inline constexpr int kRulesSchema = 1;

/// What a finding of some kind means.
enum class Effect { kReport, kFail };

/// Named checks (relations, probes) and what it means when they fail.
struct CheckRule {
  std::string match;  ///< glob of check names
  Effect effect = Effect::kFail;
};

/// How one case is judged.
struct CaseRules {
  double worst_ratio = 1.0;   ///< most that an error may take up of its bound; at most 1
  double ratio_factor = 2.0;  ///< times the baseline's error over bound; from 1
  /// Error over bound up to which growth is not looked at: what takes up so little of its bound is
  /// rounding that any change of order alters.
  double ratio_floor = 0.1;
  Effect weak = Effect::kReport;
  Effect suspect = Effect::kReport;
  Effect unsupported = Effect::kReport;
  std::vector<CheckRule> checks;  ///< the last one that matches counts

  Effect check_effect(std::string_view name) const;
};

/// Deviations for cases that a glob matches; unset: as before.
struct CaseOverride {
  std::string match;
  std::optional<double> worst_ratio;
  std::optional<double> ratio_factor;
  std::optional<double> ratio_floor;
  std::optional<Effect> weak;
  std::optional<Effect> suspect;
  std::optional<Effect> unsupported;
  std::vector<CheckRule> checks;
};

struct ConformanceRules {
  CaseRules all;
  std::vector<CaseOverride> cases;          ///< in this order, each on top of the one before
  std::vector<std::string> must_pass;       ///< globs of case lines; each must match one case
  Effect known_failures = Effect::kReport;  ///< cases that fail in the baseline, too

  CaseRules for_case(std::string_view line) const;
};

/// How far a metric may move for the worse: by absolute + relative * |baseline|, and never out of
/// [least, most].
struct MetricRule {
  double absolute = 0.0;
  double relative = 0.0;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  /// Metrics of which neither direction is better are compared only when a rule names them.
  bool compared = true;
};

struct SweepOverride {
  std::string setting = "*";       ///< glob of setting_words()
  std::string sample_class = "*";  ///< glob
  std::vector<std::pair<Metric, MetricRule>> metrics;
};

struct SweepRules {
  std::array<MetricRule, kMetricCount> metrics;  ///< by the enumeration
  std::vector<SweepOverride> settings;           ///< the last one that matches counts

  MetricRule rule(Metric metric, std::string_view setting, std::string_view sample_class) const;
};

struct PairRules {
  Effect slower = Effect::kFail;
  std::vector<std::string> must_not_be_slower;  ///< globs: SLOWER and UNDECIDED fail there
  double most_ratio = std::numeric_limits<double>::infinity();  ///< of the ratio's lower end
};

struct GateRules {
  ConformanceRules conformance;
  SweepRules sweep;
  PairRules speed;
};

/// Those in force without a file.
GateRules default_rules();

/// Reads rules.json. Throws Error(kJson) of one line that names file and JSON path: no JSON, an
/// unknown key (with the nearest known one), a wrong type, bounds that contradict each other.
GateRules parse_rules(std::string_view json, const std::string& file);
GateRules read_rules(const std::string& path);

}  // namespace lvsa::analysis
