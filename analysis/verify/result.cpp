#include "analysis/verify/result.hpp"

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

RunSummary summarise(const std::vector<CaseResult>& results) {
  RunSummary summary;
  for (const CaseResult& result : results) {
    switch (result.status) {
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
  return summary;
}

}  // namespace lvsa::analysis
