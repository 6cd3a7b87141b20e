// Patterns exactly, sweeps metric by metric, speed by its ratios.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "analysis/gate/compare.hpp"
#include "analysis/gate/glob.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

// Worse than any multiple of what is allowed: another pattern, no number at all.
constexpr double kWithoutMeasure = std::numeric_limits<double>::infinity();

GateFinding finding_of(Area area, Weight weight, const std::string& subject,
                       const std::string& check, const std::string& what) {
  GateFinding finding;
  finding.area = area;
  finding.weight = weight;
  finding.subject = subject;
  finding.check = check;
  finding.what = what;
  return finding;
}

std::string subject_of(const SweepRow& row) {
  return fmt::format("{} class={}", row.setting, row.sample_class);
}

GateFinding row_finding(const SweepRow& row, Weight weight, const std::string& check,
                        const std::string& what, double excess) {
  GateFinding finding = finding_of(Area::kSweep, weight, subject_of(row), check, what);
  finding.group = row.setting;
  finding.excess = excess;
  return finding;
}

// How far a metric is beyond what its rule allows.
struct MetricComplaint {
  std::string what;  // as a sentence; empty: it is not
  double excess = kWithoutMeasure;
};
MetricComplaint metric_complaint(Metric metric, double then, double now, const MetricRule& rule) {
  const MetricInfo& about = info(metric);
  if (std::isnan(now)) return {std::isnan(then) ? "" : "not a number, and it was one"};
  if (now < rule.least || now > rule.most) {
    return {fmt::format("{} is outside [{}, {}]", number_text(now, 6), rule.least, rule.most)};
  }
  if (!rule.compared || std::isnan(then)) return {};
  const double slack = rule.absolute + rule.relative * std::fabs(then);
  const bool lower = about.better != Better::kHigher && now > then + slack;
  const bool higher = about.better != Better::kLower && now < then - slack;
  if (!lower && !higher) return {};
  const double change = std::fabs(now - then);
  return {fmt::format("{}{}, {} in the baseline: worse by {}, {} is allowed", number_text(now, 6),
                      about.unit.empty() ? "" : fmt::format(" {}", about.unit),
                      number_text(then, 6), number_text(change, 3), number_text(slack, 3)),
          slack > 0.0 ? change / slack : kWithoutMeasure};
}

void compare_rows(const SweepRow& then, const SweepRow& now, const SweepRules& rules,
                  GateResult& result) {
  const auto fail = [&](const std::string& check, const std::string& what,
                        double excess = kWithoutMeasure) {
    result.findings.push_back(row_finding(now, Weight::kFailure, check, what, excess));
  };
  if (now.samples < then.samples) {
    fail("samples", fmt::format("{} samples, {} in the baseline", now.samples, then.samples));
  }
  // The same setting must mean the same pattern, or quality is compared at another cost.
  if (now.token_density != then.token_density) {
    fail("density",
         fmt::format("token density {}, {} in the baseline: another pattern",
                     number_text(now.token_density, 9), number_text(then.token_density, 9)));
  }
  for (const MetricInfo& metric : metric_infos()) {
    const auto at = static_cast<std::size_t>(metric.metric);
    const MetricComplaint complaint =
        metric_complaint(metric.metric, then.values[at], now.values[at],
                         rules.rule(metric.metric, now.setting, now.sample_class));
    if (!complaint.what.empty()) fail(std::string(metric.name), complaint.what, complaint.excess);
  }
}

// Whether the case is one that must not be slower.
bool is_strict(const PairRules& rules, const std::string& line) {
  return std::any_of(rules.must_not_be_slower.begin(), rules.must_not_be_slower.end(),
                     [&](const std::string& glob) { return glob_matches(glob, line); });
}

std::string ratio_text(const SpeedRow& row) {
  return fmt::format("ratio {} [{}, {}], delta {}", number_text(row.ratio, 4),
                     number_text(row.low, 4), number_text(row.high, 4), percent_text(row.delta));
}

void judge_pair(const SpeedRow& row, const PairRules& rules, GateResult& result) {
  const bool strict = is_strict(rules, row.line);
  Weight weight = Weight::kNote;
  std::string check = "faster";
  std::string what = fmt::format("{}: {}", speed_verdict_name(row.verdict), ratio_text(row));
  if (row.low > rules.most_ratio) {
    weight = Weight::kSpeedFailure;
    check = "slower";
    what += fmt::format("; at most {} is allowed", rules.most_ratio);
  } else if (row.verdict == SpeedVerdict::kSlower) {
    weight = strict || rules.slower == Effect::kFail ? Weight::kSpeedFailure : Weight::kNote;
    check = "slower";
  } else if (row.verdict == SpeedVerdict::kUndecided) {
    weight = strict ? Weight::kSpeedFailure : Weight::kUndecided;
    check = "undecided";
    if (!row.reason.empty()) what += ": " + row.reason;
    if (strict) what += "; this case must be shown not to be slower";
  } else if (row.verdict == SpeedVerdict::kSame) {
    return;
  }
  result.findings.push_back(finding_of(Area::kSpeed, weight, row.line, check, what));
}

}  // namespace

void compare_patterns(const PatternEvidence& baseline, const PatternEvidence& candidate,
                      GateResult& result) {
  std::map<std::string, const PatternFile*> left;
  for (const PatternFile& file : baseline.files) left[file.file] = &file;
  const auto add = [&](Weight weight, const PatternFile& file, const char* check,
                       const std::string& what) {
    result.findings.push_back(finding_of(Area::kPatterns, weight, file.file, check, what));
    result.findings.back().where = file.first_mismatch;
  };
  for (const PatternFile& file : candidate.files) {
    result.subjects.push_back({Area::kPatterns, file.file});
    const auto found = left.find(file.file);
    const PatternFile* then = found == left.end() ? nullptr : found->second;
    if (then == nullptr) {
      add(Weight::kNote, file, "new", "not in the baseline");
    } else {
      ++result.compared;
      left.erase(found);
    }
    const std::int64_t failed_then = then == nullptr ? 0 : then->failed;
    if (file.failed > failed_then) {
      add(Weight::kFailure, file, "mismatch",
          fmt::format("{} recorded calls differ, {} in the baseline", file.failed, failed_then));
    } else if (file.failed > 0) {
      add(Weight::kNote, file, "mismatch",
          fmt::format("as in the baseline: {} recorded calls differ", file.failed));
    }
    const std::int64_t calls = file.passed + file.failed;
    if (then != nullptr && calls != then->passed + then->failed) {
      add(Weight::kFailure, file, "calls",
          fmt::format("{} recorded calls, {} in the baseline", calls, then->passed + then->failed));
    }
  }
  for (const auto& [name, file] : left) {
    add(Weight::kFailure, *file, "missing", "in the baseline, missing in the candidate");
  }
}

void compare_sweep(const SweepEvidence& baseline, const SweepEvidence& candidate,
                   const SweepRules& rules, const Tolerated& tolerated, GateResult& result) {
  if (candidate.excluded > baseline.excluded && !tolerated.suites) {
    result.findings.push_back(
        finding_of(Area::kSweep, Weight::kFailure, "", "excluded",
                   fmt::format("{} samples could not be used, {} in the baseline",
                               candidate.excluded, baseline.excluded)));
  }
  std::map<std::pair<std::string, std::string>, const SweepRow*> left;
  for (const SweepRow& row : baseline.rows) left[{row.setting, row.sample_class}] = &row;
  for (const SweepRow& row : candidate.rows) {
    result.subjects.push_back({Area::kSweep, subject_of(row)});
    const auto found = left.find({row.setting, row.sample_class});
    if (found == left.end()) {
      result.findings.push_back(row_finding(row, Weight::kNote, "new", "not in the baseline", 0.0));
      continue;
    }
    ++result.compared;
    compare_rows(*found->second, row, rules, result);
    left.erase(found);
  }
  for (const auto& [key, row] : left) {
    result.findings.push_back(row_finding(*row, Weight::kFailure, "missing",
                                          "in the baseline, missing in the candidate",
                                          kWithoutMeasure));
  }
}

void compare_speed(const SpeedEvidence* baseline, const SpeedEvidence& candidate,
                   const PairRules& rules, GateResult& result) {
  std::map<std::string, int> due;
  if (baseline != nullptr) {
    for (const SpeedRow& row : baseline->rows) ++due[row.line];
  }
  for (const SpeedRow& row : candidate.rows) {
    result.subjects.push_back({Area::kSpeed, row.line});
    const auto found = due.find(row.line);
    if (found != due.end() && found->second > 0) {
      --found->second;
      ++result.compared;
    } else if (baseline != nullptr) {
      result.findings.push_back(
          finding_of(Area::kSpeed, Weight::kNote, row.line, "new", "not in the baseline"));
    }
    judge_pair(row, rules, result);
  }
  for (const auto& [line, count] : due) {
    if (count == 0) continue;
    result.findings.push_back(finding_of(Area::kSpeed, Weight::kSpeedFailure, line, "missing",
                                         "in the baseline, missing in the candidate"));
  }
  for (const std::string& glob : rules.must_not_be_slower) {
    const bool matched =
        std::any_of(candidate.rows.begin(), candidate.rows.end(),
                    [&](const SpeedRow& row) { return glob_matches(glob, row.line); });
    if (matched) continue;
    result.findings.push_back(
        finding_of(Area::kSpeed, Weight::kSpeedFailure, "", "missing",
                   fmt::format("'{}' must not be slower, and no measured case matches it", glob)));
  }
}

}  // namespace lvsa::analysis
