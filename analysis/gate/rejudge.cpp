#include "analysis/gate/rejudge.hpp"

#include <fmt/format.h>

#include "analysis/gate/glob.hpp"
#include "analysis/gate/judge_case.hpp"

namespace lvsa::analysis {
namespace {

VerdictChange change_of(const CaseRecord& record, const CaseRules& rules, Status now) {
  VerdictChange change{record.line, record.status, now, "", ""};
  const std::vector<GateProblem> problems = problems_of(record, rules);
  if (problems.empty()) {
    change.why = "what failed is only reported by these rules";
    return change;
  }
  const GateProblem& first = problems.front();
  change.check = first.check;
  change.why = first.what;
  if (!first.place.empty()) change.why += fmt::format(" at {}", first.place);
  if (problems.size() > 1) change.why += fmt::format("; and {} more", problems.size() - 1);
  return change;
}

std::vector<std::string> unmet(const ConformanceEvidence& evidence, const ConformanceRules& rules) {
  std::vector<std::string> texts;
  for (const std::string& glob : rules.must_pass) {
    bool matched = false;
    evidence.cases.for_each([&](const CaseRecord& record) {
      if (!glob_matches(glob, record.line)) return;
      matched = true;
      const Status now = status_by(record, rules.for_case(record.line));
      if (now != Status::kPass) {
        texts.push_back(fmt::format("'{}': {}: {}", glob, status_name(now), record.line));
      }
    });
    if (!matched) texts.push_back(fmt::format("'{}': no case matches", glob));
  }
  return texts;
}

}  // namespace

Rejudged rejudge(const ConformanceEvidence& evidence, const ConformanceRules& rules) {
  Rejudged result;
  RunSummary summary;
  evidence.cases.for_each([&](const CaseRecord& record) {
    const CaseRules case_rules = rules.for_case(record.line);
    const Status now = status_by(record, case_rules);
    count(summary, now);
    if (now != record.status) result.changes.push_back(change_of(record, case_rules, now));
  });
  result.cases = static_cast<std::int64_t>(evidence.cases.size());
  result.passed = summary.passed;
  result.failed = summary.failed;
  result.unsupported = summary.unsupported;
  result.unmet = unmet(evidence, rules);
  return result;
}

}  // namespace lvsa::analysis
