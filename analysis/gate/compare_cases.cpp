// Conformance: verdicts exactly, error figures against their bounds and against the baseline.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "analysis/gate/compare.hpp"
#include "analysis/gate/glob.hpp"
#include "analysis/gate/judge_case.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

// One case of both sides, and what is found on it.
class CaseComparison {
 public:
  CaseComparison(const CaseRecord& base, const CaseRecord& now, const CaseRules& rules,
                 Effect known_failures, std::vector<GateFinding>& findings)
      : base_(base),
        now_(now),
        rules_(rules),
        known_failures_(known_failures),
        findings_(findings),
        base_problems_(problems_of(base, rules)),
        problems_(problems_of(now, rules)),
        was_(status_by(base, rules)),
        is_(status_by(now, rules)) {}

  void run() {
    if (inputs_differ()) {
      add(Weight::kFailure, "inputs",
          "q, k or v have other hashes than in the baseline: not the same case");
      return;
    }
    if (badness(is_) < badness(was_)) {
      add(Weight::kNote, "improved",
          fmt::format("{} in the baseline, {} now", status_name(was_), status_name(is_)));
      if (is_ == Status::kFail) known_problems();
      return;
    }
    const std::size_t before = findings_.size();
    new_problems();
    if (ran(base_.status) && ran(now_.status)) {
      lost_checks();
      growth("output", base_.output, now_.output);
      growth("lse", base_.lse, now_.lse);
      growth("schedule", base_.schedule, now_.schedule);
      new_suspect();
    }
    if (badness(is_) > badness(was_) && findings_.size() == before) {
      add(Weight::kFailure, std::string(status_name(is_)),
          fmt::format("{} in the baseline, now {}: {}", status_name(was_), status_name(is_),
                      now_.message));
    }
  }

 private:
  static bool ran(Status status) {
    return status == Status::kPass || status == Status::kWeak || status == Status::kFail;
  }

  bool inputs_differ() const {
    const auto differ = [](std::uint64_t then, std::uint64_t now) {
      return then != 0 && now != 0 && then != now;  // 0: not made
    };
    return differ(base_.inputs.q, now_.inputs.q) || differ(base_.inputs.k, now_.inputs.k) ||
           differ(base_.inputs.v, now_.inputs.v);
  }

  bool is_problem(const std::vector<GateProblem>& problems, std::string_view check) const {
    return std::any_of(problems.begin(), problems.end(),
                       [&](const GateProblem& problem) { return problem.check == check; });
  }

  void add(Weight weight, const std::string& check, const std::string& what,
           const std::string& place = "") {
    GateFinding finding;
    finding.weight = weight;
    finding.subject = now_.line;
    finding.check = check;
    finding.what = what;
    finding.where = now_.where;
    if (!place.empty())
      finding.where += (finding.where.empty() ? "" : "; ") + ("worst at " + place);
    finding.command = now_.command;
    finding.crash = now_.status == Status::kCrash || now_.status == Status::kTimeout;
    findings_.push_back(std::move(finding));
  }

  void new_problems() {
    for (const GateProblem& problem : problems_) {
      if (is_problem(base_problems_, problem.check)) continue;
      add(Weight::kFailure, problem.check, problem.what, problem.place);
    }
    known_problems();
  }

  void known_problems() {
    const Weight weight = known_failures_ == Effect::kFail ? Weight::kFailure : Weight::kNote;
    for (const GateProblem& problem : problems_) {
      if (!is_problem(base_problems_, problem.check)) continue;
      add(weight, problem.check, "as in the baseline: " + problem.what, problem.place);
    }
  }

  // A check that is not made any more would hide what it found.
  void lost_checks() {
    std::map<std::string_view, const NamedCheck*> now;
    for (const NamedCheck& check : now_.checks) now[check.name] = &check;
    for (const NamedCheck& check : base_.checks) {
      if (check.state == CheckState::kNotApplicable) continue;
      const auto found = now.find(check.name);
      if (found != now.end() && found->second->state != CheckState::kNotApplicable) continue;
      const std::string why =
          found == now.end() ? "not in the report" : "not applicable: " + found->second->message;
      add(rules_.check_effect(check.name) == Effect::kFail ? Weight::kFailure : Weight::kNote,
          check.name, fmt::format("was checked in the baseline and is not now ({})", why));
    }
    lost_bound("output", base_.output, now_.output);
    lost_bound("lse", base_.lse, now_.lse);
    lost_bound("schedule", base_.schedule, now_.schedule);
    if (now_.rows_checked < base_.rows_checked) {
      add(Weight::kFailure, "rows",
          fmt::format("{} rows checked, {} in the baseline", now_.rows_checked,
                      base_.rows_checked));
    }
  }

  void lost_bound(const char* check, const BoundFigure& then, const BoundFigure& now) {
    if (then.checked <= now.checked) return;
    add(Weight::kFailure, fmt::format("{}.checked", check),
        fmt::format("{} elements checked, {} in the baseline", now.checked, then.checked));
  }

  void growth(const char* check, const BoundFigure& then, const BoundFigure& now) {
    if (then.checked == 0 || now.checked == 0 || is_problem(problems_, check)) return;
    if (!(then.worst_ratio >= 0.0) || is_problem(base_problems_, check)) return;
    const double most = std::max(rules_.ratio_floor, rules_.ratio_factor * then.worst_ratio);
    if (now.worst_ratio <= most) return;
    add(Weight::kFailure, fmt::format("{}.growth", check),
        fmt::format("worst error over bound {}, {} in the baseline: at most {} is allowed (factor "
                    "{}, floor {})",
                    number_text(now.worst_ratio), number_text(then.worst_ratio), number_text(most),
                    rules_.ratio_factor, rules_.ratio_floor),
        now.place);
  }

  void new_suspect() {
    if (now_.suspect.empty() || !base_.suspect.empty() || rules_.suspect == Effect::kFail) return;
    add(Weight::kNote, "suspect", now_.suspect);
  }

  const CaseRecord& base_;
  const CaseRecord& now_;
  const CaseRules& rules_;
  Effect known_failures_;
  std::vector<GateFinding>& findings_;
  std::vector<GateProblem> base_problems_;
  std::vector<GateProblem> problems_;
  Status was_;
  Status is_;
};

GateFinding case_finding(const CaseRecord& record, Weight weight, const std::string& check,
                         const std::string& what) {
  GateFinding finding;
  finding.weight = weight;
  finding.subject = record.line;
  finding.check = check;
  finding.what = what;
  finding.command = record.command;
  return finding;
}

// A case that the baseline does not have is held against its bounds alone.
void add_new_case(const CaseRecord& record, const CaseRules& rules,
                  std::vector<GateFinding>& findings) {
  findings.push_back(
      case_finding(record, Weight::kNote, "new",
                   fmt::format("not in the baseline; {}", status_name(status_by(record, rules)))));
  for (const GateProblem& problem : problems_of(record, rules)) {
    GateFinding finding =
        case_finding(record, Weight::kFailure, problem.check, "new case: " + problem.what);
    finding.where = record.where;
    if (!problem.place.empty()) {
      finding.where += (finding.where.empty() ? "" : "; ") + ("worst at " + problem.place);
    }
    finding.crash = record.status == Status::kCrash || record.status == Status::kTimeout;
    findings.push_back(std::move(finding));
  }
}

void check_must_pass(const ConformanceEvidence& candidate, const ConformanceRules& rules,
                     std::vector<GateFinding>& findings) {
  for (const std::string& glob : rules.must_pass) {
    bool matched = false;
    candidate.cases.for_each([&](const CaseRecord& record) {
      if (!glob_matches(glob, record.line)) return;
      matched = true;
      const Status status = status_by(record, rules.for_case(record.line));
      if (status == Status::kPass) return;
      GateFinding finding =
          case_finding(record, Weight::kFailure, "must-pass",
                       fmt::format("{}, and '{}' must pass{}{}", status_name(status), glob,
                                   record.message.empty() ? "" : ": ", record.message));
      finding.where = record.where;
      finding.must_pass = true;
      findings.push_back(std::move(finding));
    });
    if (matched) continue;
    GateFinding finding;
    finding.check = "must-pass";
    finding.what = fmt::format("'{}' must pass, and no case of the candidate matches it", glob);
    finding.must_pass = true;
    findings.push_back(std::move(finding));
  }
}

}  // namespace

void compare_conformance(const ConformanceEvidence& baseline, const ConformanceEvidence& candidate,
                         const ConformanceRules& rules, GateResult& result) {
  RecordsByLine left(baseline.cases);
  auto lines = std::make_shared<SortedLines>();
  candidate.cases.for_each([&](const CaseRecord& record) {
    lines->add(record.line);
    const CaseRules case_rules = rules.for_case(record.line);
    const std::optional<CaseRecord> base = left.take(record.line);
    if (!base) {
      add_new_case(record, case_rules, result.findings);
      return;
    }
    ++result.compared;
    CaseComparison(*base, record, case_rules, rules.known_failures, result.findings).run();
  });
  result.case_lines = std::move(lines);
  left.for_each_left([&](const CaseRecord& record) {
    result.findings.push_back(case_finding(
        record, Weight::kFailure, "missing",
        fmt::format("{} in the baseline, missing in the candidate", status_name(record.status))));
  });
  check_must_pass(candidate, rules, result.findings);
}

}  // namespace lvsa::analysis
