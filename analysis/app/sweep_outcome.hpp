#pragma once
// What `sweep` and `merge` do with the results of a sweep: files, the table, the exit code.

#include <string>
#include <vector>

#include "analysis/app/command.hpp"
#include "analysis/sweep/front.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::app {

struct SweepOutcomeOptions {
  std::string front = "rel_l2";
  std::string cost = "density";
  std::vector<std::string> require;
  std::string html;  ///< empty: no page
  bool json = false;
};

/// Adds --front, --cost, --require and --html.
void add_sweep_outcome_options(CLI::App* command, SweepOutcomeOptions& options);

/// Throws Error(kValue) that names the option.
analysis::FrontRequest front_request(const SweepOutcomeOptions& options);

/// Writes the files into `folder`, prints, and returns the exit code: 1 when requirements were
/// given and no setting meets them.
int finish_sweep_outcome(const analysis::SweepResults& results, const SweepOutcomeOptions& options,
                         const std::string& folder);

}  // namespace lvsa::app
