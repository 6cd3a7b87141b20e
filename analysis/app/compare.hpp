#pragma once
// `lvsa-verify sweep --patterns`: sparse patterns side by side.

#include <functional>
#include <string>

#include "analysis/app/compare_time.hpp"
#include "analysis/app/rule_process.hpp"
#include "analysis/app/sweep_run.hpp"

namespace lvsa::app {

struct CompareWords {
  std::string patterns;
  std::string patterns_file;
  std::string density;
  std::string rates;
  std::string on_error = "stop";
  std::string grid;  ///< "30x52"
  std::string model;
  RuleProcessOptions process;
  CompareTime time;

  /// --patterns or --patterns-file, empty ones included: a shell's variable may be.
  bool asked() const { return given && given(); }
  std::function<bool()> given{};
  /// Throws Error(kValue) for what is of no use without patterns.
  void require_none() const;
};

/// Adds --patterns and its kin to `sweep`, behind all options of sweeps.
void add_compare_options(CLI::App* command, CompareWords& words);

/// Source, rows, folder, threads, page and JSON are those of a sweep. Returns an exit code.
int run_compare(const SweepOptions& options, const CompareWords& words,
                const std::string& command_line);

}  // namespace lvsa::app
