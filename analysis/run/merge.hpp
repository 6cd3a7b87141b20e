#pragma once
// One run of its shards.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/run/result_store.hpp"

namespace lvsa::analysis {

/// The reports of several shards that together make one run.
class Shards {
 public:
  /// Opens report.jsonl in each of the folders. Throws Error(kIo) for what is no report, and
  /// Error(kValue) in one line for shards that do not fit together: of other kernels, suites or
  /// options, with a case that stands in two of them, or with a case that stands in none.
  explicit Shards(const std::vector<std::string>& folders);

  /// The plan of the whole run, and where its parts come from.
  const RunPlan& plan() const { return plan_; }
  const Provenance& provenance() const { return provenance_; }
  /// Every case, in the order of the suite.
  void for_each(const std::function<void(CaseResult)>& visit) const;

 private:
  void require_same_run() const;
  void assign_cases();

  struct Part {
    std::string folder;
    std::unique_ptr<ResultStore> store;
  };
  std::vector<Part> parts_;
  std::vector<std::uint16_t> part_of_;  // of each case, by its number less one
  RunPlan plan_;
  Provenance provenance_;
};

}  // namespace lvsa::analysis
