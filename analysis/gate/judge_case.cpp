#include "analysis/gate/judge_case.hpp"

#include <fmt/format.h>

#include <cmath>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

void judge_bound(std::vector<GateProblem>& problems, const char* check, const BoundFigure& figure,
                 const CaseRules& rules) {
  if (figure.failed > 0) {
    problems.push_back({check,
                        fmt::format("{} of {} elements outside their bounds, worst error over "
                                    "bound {}",
                                    figure.failed, figure.checked, number_text(figure.worst_ratio)),
                        figure.place});
  } else if (figure.unwritten > 0) {
    problems.push_back(
        {check, fmt::format("{} elements never written", figure.unwritten), figure.place});
  } else if (figure.checked > 0 && !(figure.worst_ratio <= rules.worst_ratio)) {  // NaN, too
    problems.push_back({check,
                        fmt::format("worst error over bound {}, at most {} is allowed",
                                    number_text(figure.worst_ratio), rules.worst_ratio),
                        figure.place});
  }
}

bool ended_early(Status status) {
  return status == Status::kError || status == Status::kCrash || status == Status::kTimeout;
}

// Whether something of the record says why it failed, whatever the rules make of it.
bool says_why(const CaseRecord& record) {
  for (const BoundFigure* figure : {&record.output, &record.lse, &record.schedule}) {
    if (figure->failed > 0 || figure->unwritten > 0) return true;
  }
  for (const NamedCheck& check : record.checks) {
    if (check.state == CheckState::kFails) return true;
  }
  return false;
}

void judge_policies(std::vector<GateProblem>& problems, const CaseRecord& record,
                    const CaseRules& rules) {
  if (record.status == Status::kFail && !says_why(record)) {
    problems.push_back({"status", record.message, ""});
  }
  if (record.status == Status::kWeak && rules.weak == Effect::kFail) {
    problems.push_back({"weak", record.message, ""});
  }
  if (!record.suspect.empty() && rules.suspect == Effect::kFail) {
    problems.push_back({"suspect", record.suspect, ""});
  }
}

}  // namespace

std::vector<GateProblem> problems_of(const CaseRecord& record, const CaseRules& rules) {
  std::vector<GateProblem> problems;
  if (ended_early(record.status)) {
    return {{std::string(status_name(record.status)), record.message, ""}};
  }
  if (record.status == Status::kUnsupported) {
    if (rules.unsupported == Effect::kFail) problems.push_back({"unsupported", record.message, ""});
    return problems;
  }
  judge_bound(problems, "output", record.output, rules);
  judge_bound(problems, "lse", record.lse, rules);
  judge_bound(problems, "schedule", record.schedule, rules);
  for (const NamedCheck& check : record.checks) {
    if (check.state != CheckState::kFails) continue;
    if (rules.check_effect(check.name) == Effect::kFail) {
      problems.push_back({check.name, check.message, ""});
    }
  }
  judge_policies(problems, record, rules);
  return problems;
}

Status status_by(const CaseRecord& record, const CaseRules& rules) {
  if (ended_early(record.status)) return record.status;
  if (!problems_of(record, rules).empty()) return Status::kFail;
  if (record.status == Status::kUnsupported || record.status == Status::kWeak) return record.status;
  return Status::kPass;
}

int badness(Status status) {
  switch (status) {
    case Status::kPass:
      return 0;
    case Status::kWeak:
      return 1;
    case Status::kUnsupported:
      return 2;
    case Status::kFail:
      return 3;
    case Status::kError:
      return 4;
    case Status::kTimeout:
      return 5;
    case Status::kCrash:
      return 6;
  }
  return 6;
}

}  // namespace lvsa::analysis
