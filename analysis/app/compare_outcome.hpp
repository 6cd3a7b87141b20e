#pragma once
// What a comparison of sparse patterns leaves behind: files, page, table or JSON.

#include <string>

#include "analysis/sweep/pattern_compare_plan.hpp"

namespace lvsa::app {

struct CompareOutcome {
  std::string html;  ///< path of the page; empty: none
  bool json = false;
};

/// Writes and prints all of it. Returns an exit code: 1 where a timed kernel crashed or hung.
int finish_compare_outcome(const analysis::CompareResults& results,
                           const analysis::ComparePlan& plan, const CompareOutcome& outcome,
                           const std::string& out);

}  // namespace lvsa::app
