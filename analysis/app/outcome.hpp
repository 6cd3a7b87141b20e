#pragma once
// What the subcommands that judge cases do with the results: table rows, report files, summary,
// exit code.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "analysis/verify/result.hpp"

namespace lvsa::app {

/// How the results of a run are shown.
struct OutcomeOptions {
  std::string out = "lvsa-report";  ///< folder of the reports
  bool no_report = false;
  bool json = false;    ///< one JSON object on stdout instead of the table
  bool strict = false;  ///< weak cases fail the run
};

/// What a subcommand calls cases that did not run.
struct OutcomeWords {
  const char* unsupported;  ///< after their number
  const char* nothing_ran;  ///< the whole sentence
  bool lists_unsupported;   ///< each of them with its reason, not only their number
};

/// Adds --out, --no-report, --strict and --json to a subcommand.
void add_outcome_options(CLI::App* command, OutcomeOptions& options);

/// Makes the folder of the reports, before the run: one that cannot be written must not cost it.
/// Throws Error(kIo) naming the option.
void prepare_reports(const OutcomeOptions& options);

/// Header of the table, and a case's row with its message and the command that repeats it below a
/// failure; nothing with --json.
void print_header(const OutcomeOptions& options);
void print_result(const analysis::CaseResult& result, const OutcomeOptions& options);

/// Writes the reports, prints the summary, and returns the exit code.
int finish(const std::vector<analysis::CaseResult>& results, const OutcomeOptions& options,
           const OutcomeWords& words, const std::string& command_line);

}  // namespace lvsa::app
