#pragma once
// Rules of sparse patterns for subcommands: those of a shared library run in a process of their
// own.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/blocks/pattern_rule.hpp"

namespace lvsa::app {

struct RuleProcessOptions {
  std::string isolate = "process";  ///< or "none"
  double timeout_s = 0.0;           ///< longest silence; 0: by the size of the request
};
/// Adds --isolate and --timeout. `command`: a subcommand, or a group of its options; `what` runs
/// in a process of its own.
void add_rule_process_options(CLI::App* command, RuleProcessOptions& options,
                              const std::string& what = "the rule of a plugin");

/// make_rule() of the core, but for rules of shared libraries in their own process.
using RuleMaker = std::function<std::unique_ptr<PatternRule>(const std::string&)>;
RuleMaker rule_maker(const RuleProcessOptions& options);

/// From here on the maps of cases (pattern=) are made so.
void make_case_rules(const RuleProcessOptions& options);

}  // namespace lvsa::app
