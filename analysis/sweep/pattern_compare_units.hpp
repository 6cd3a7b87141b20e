#pragma once
// The work of a comparison in units: a sample under all patterns.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/sweep/pattern_compare_plan.hpp"

namespace lvsa::analysis {

/// All of one sample, each [entries].
struct CompareUnit {
  std::vector<CompareFigures> values;
  std::vector<std::string> words;     ///< in force; empty: could not be made
  std::vector<std::string> choices;   ///< what the rule decided, or empty
  std::vector<std::string> failures;  ///< why it could not be made; empty: it was
  std::vector<std::string> untimed;   ///< why it was not timed; empty: it was, or nothing is timed
  std::vector<bool> lost;             ///< the timed kernel crashed or hung on it

  explicit CompareUnit(std::size_t entries = 0);
};

/// Computes units. One thread at a time.
class CompareWorker {
 public:
  /// All of them must outlive it.
  CompareWorker(const SampleSource& source, const ComparePlan& plan, const CompareOptions& options);
  ~CompareWorker();
  /// Throws, unless options.exclude, what a rule throws, the sample named.
  CompareUnit compute(std::int64_t unit);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// As bytes for a journal, and back. Throws Error(kIo) for bytes that are no unit of so many
/// entries.
std::string unit_bytes(const CompareUnit& unit);
CompareUnit parse_unit(std::string_view bytes, std::size_t entries);

/// The results of a plan from its units, read one after the other.
CompareResults finish_comparison(const ComparePlan& plan,
                                 const std::function<CompareUnit(std::int64_t)>& read);

}  // namespace lvsa::analysis
