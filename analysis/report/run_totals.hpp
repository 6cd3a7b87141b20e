#pragma once
// What the reports say of a run as a whole, counted as the results come.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

struct RunTotals {
  RunSummary summary;
  std::array<std::int64_t, 7> by_status{};  ///< in the order of the enumeration
  Timings timings;

  void add(const CaseResult& result);
  std::int64_t cases() const { return summary.passed + summary.failed + summary.unsupported; }
  std::int64_t count(Status status) const { return by_status[static_cast<std::size_t>(status)]; }
};

/// The results of a run in the order of its suite, as often as they are asked for; they need not
/// all be in memory.
class ResultSource {
 public:
  ResultSource() = default;
  virtual ~ResultSource() = default;
  ResultSource(const ResultSource&) = delete;
  ResultSource& operator=(const ResultSource&) = delete;

  virtual const RunTotals& totals() const = 0;
  /// Calls `visit` for each result whose status is `wanted` (null: each one).
  virtual void for_each(const std::function<bool(Status)>& wanted,
                        const std::function<void(const CaseResult&)>& visit) const = 0;
};

/// A run that fits in memory.
class ResultList : public ResultSource {
 public:
  explicit ResultList(const std::vector<CaseResult>& results);
  const RunTotals& totals() const override { return totals_; }
  void for_each(const std::function<bool(Status)>& wanted,
                const std::function<void(const CaseResult&)>& visit) const override;

 private:
  const std::vector<CaseResult>& results_;
  RunTotals totals_;
};

}  // namespace lvsa::analysis
