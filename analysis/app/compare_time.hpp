#pragma once
// `lvsa-verify sweep --patterns --time`: the kernel that patterns are timed with.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/rule_process.hpp"
#include "analysis/sweep/pattern_timing.hpp"

namespace lvsa::app {

struct CompareTime {
  std::string kernel;  ///< as --kernel takes it; empty: nothing is timed
  std::int64_t blocks = 5;
  std::int64_t heads = 0;
};

void add_time_options(CLI::App* group, CompareTime& time);

/// A timer and the kernel that it calls.
struct ChosenTimer {
  KernelChoice choice;
  std::unique_ptr<analysis::PatternTimer> timer;
  std::unique_ptr<analysis::TimesPatterns> patterns;  ///< null: nothing is timed
};
/// Without a kernel no timer. Throws Error for a kernel that takes no block maps, and what
/// choose_kernel() and PatternTimer throw.
ChosenTimer choose_timer(const CompareTime& time, int threads, const RuleProcessOptions& process);

}  // namespace lvsa::app
