#pragma once
// What the subcommands that judge cases do with the results: table rows, report files, summary,
// exit code.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/run/folder_lock.hpp"
#include "analysis/run/plan.hpp"
#include "analysis/run/result_store.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::app {

/// How the results of a run are shown.
struct OutcomeOptions {
  std::string out = "lvsa-report";  ///< folder of the reports
  bool no_report = false;
  bool json = false;      ///< one JSON object on stdout instead of the table
  bool strict = false;    ///< weak cases fail the run
  bool no_times = false;  ///< nothing that is another one each time
  bool resume = false;    ///< goes on with the interrupted run in `out`
};

/// What a subcommand calls cases that did not run.
struct OutcomeWords {
  const char* unsupported;  ///< after their number
  const char* nothing_ran;  ///< the whole sentence
  bool lists_unsupported;   ///< each of them with its reason, not only their number
};

/// Adds --out, --no-report, --strict, --no-times and --json to a subcommand.
void add_outcome_options(CLI::App* command, OutcomeOptions& options);

/// The plan of a run in this build of lvsa-verify.
analysis::RunPlan new_plan(const std::string& kernel, const std::string& suite, std::int64_t cases,
                           std::uint64_t suite_hash);

/// A run under way: takes results in any order, keeps them in report.jsonl, and prints the table in
/// the order of the suite. A run that was interrupted begins with what it had.
class RunOutcome {
 public:
  /// Makes the folder, holds it, opens the report and prints the head of the table. Throws
  /// Error(kIo), and Error(kValue) for a run that cannot be resumed as this one.
  RunOutcome(const OutcomeOptions& options, const OutcomeWords& words,
             const analysis::RunPlan& plan, const std::string& command_line);

  /// Whether the case has its result already.
  bool has(std::int64_t number) const { return store_->has(number); }
  std::int64_t done() const { return store_->totals().cases(); }
  void add(analysis::CaseResult result);
  /// Writes the reports, prints the summary, and returns the exit code.
  int finish();
  /// What the run is told with when it ends early: how many results are kept, and where.
  std::string kept_text() const;
  /// Instead of that of this process.
  void set_provenance(const analysis::Provenance& provenance);

 private:
  void open_store(const analysis::RunPlan& plan, const std::string& command_line);
  void set_aside(const std::string& path) const;
  void print_in_turn();
  void print_row(const analysis::CaseResult& result) const;
  void print_summary() const;
  void print_json() const;
  void tell_nothing_ran() const;

  OutcomeOptions options_;
  OutcomeWords words_;
  std::unique_ptr<analysis::FolderLock> lock_;
  std::unique_ptr<analysis::ResultStore> store_;
  std::int64_t turn_;  // number of the next case to print
  // Finished before their turn: some of them, so that most need not be read again.
  std::map<std::int64_t, analysis::CaseResult> early_;
};

}  // namespace lvsa::app
