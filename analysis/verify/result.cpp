#include "analysis/verify/result.hpp"

#include <array>

namespace lvsa::analysis {

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kPass:
      return "pass";
    case Status::kWeak:
      return "weak";
    case Status::kFail:
      return "fail";
    case Status::kError:
      return "error";
    case Status::kUnsupported:
      return "unsupported";
    case Status::kCrash:
      return "crash";
    case Status::kTimeout:
      return "timeout";
  }
  return "unknown";
}

std::optional<Status> parse_status(std::string_view name) {
  constexpr std::array kAll = {Status::kPass,   Status::kWeak,        Status::kFail,
                               Status::kError,  Status::kUnsupported, Status::kCrash,
                               Status::kTimeout};
  for (const Status status : kAll) {
    if (name == status_name(status)) return status;
  }
  return std::nullopt;
}

std::string_view check_state_name(CheckState state) {
  switch (state) {
    case CheckState::kHolds:
      return "holds";
    case CheckState::kFails:
      return "fails";
    case CheckState::kNotApplicable:
      return "not applicable";
  }
  return "unknown";
}

std::optional<CheckState> parse_check_state(std::string_view name) {
  for (const CheckState state :
       {CheckState::kHolds, CheckState::kFails, CheckState::kNotApplicable}) {
    if (name == check_state_name(state)) return state;
  }
  return std::nullopt;
}

void count(RunSummary& summary, Status status) {
  switch (status) {
    case Status::kPass:
      ++summary.passed;
      break;
    case Status::kWeak:
      ++summary.passed;
      ++summary.weak;
      break;
    case Status::kFail:
    case Status::kError:
    case Status::kCrash:
    case Status::kTimeout:
      ++summary.failed;
      break;
    case Status::kUnsupported:
      ++summary.unsupported;
      break;
  }
}

RunSummary summarise(const std::vector<CaseResult>& results) {
  RunSummary summary;
  for (const CaseResult& result : results) count(summary, result.status);
  return summary;
}

}  // namespace lvsa::analysis
