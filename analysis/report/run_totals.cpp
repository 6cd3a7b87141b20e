#include "analysis/report/run_totals.hpp"

namespace lvsa::analysis {

void RunTotals::add(const CaseResult& result) {
  analysis::count(summary, result.status);
  ++by_status[static_cast<std::size_t>(result.status)];
  timings.inputs_s += result.timings.inputs_s;
  timings.kernel_s += result.timings.kernel_s;
  timings.oracle_s += result.timings.oracle_s;
}

ResultList::ResultList(const std::vector<CaseResult>& results) : results_(results) {
  for (const CaseResult& result : results_) totals_.add(result);
}

void ResultList::for_each(const std::function<bool(Status)>& wanted,
                          const std::function<void(const CaseResult&)>& visit) const {
  for (const CaseResult& result : results_) {
    if (!wanted || wanted(result.status)) visit(result);
  }
}

}  // namespace lvsa::analysis
