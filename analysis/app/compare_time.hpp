#pragma once
// `lvsa-verify sweep --patterns --time`: the kernel that patterns are timed with.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "analysis/app/rule_process.hpp"
#include "analysis/sweep/pattern_timing.hpp"

namespace lvsa::app {

struct CompareTime {
  std::string kernel;  ///< as --kernel takes it; empty: nothing is timed
  std::int64_t blocks = 5;
  std::int64_t heads = 0;
  std::string as_worker;  ///< not empty: this is the process that times
};

void add_time_options(CLI::App* group, CompareTime& time);

/// A timer in a process of its own, or, as `process` says, in this one; null without a kernel.
/// Throws Error for a kernel that cannot be loaded or takes no block maps, and what choose_kernel()
/// and PatternTimer throw.
std::unique_ptr<analysis::TimesPatterns> choose_timer(const CompareTime& time, int threads,
                                                      const RuleProcessOptions& process);

/// What that process does. Returns its exit code.
int run_as_timer(const CompareTime& time, int threads, const RuleProcessOptions& process);

}  // namespace lvsa::app
