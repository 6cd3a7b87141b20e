#include "analysis/app/outcome.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/provenance.hpp"
#include "analysis/report/table.hpp"
#include "analysis/report/write_reports.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::CaseResult;
using analysis::RunSummary;
using analysis::Status;

void print_summary(const std::vector<CaseResult>& results, const RunSummary& summary,
                   const OutcomeOptions& options, const OutcomeWords& words) {
  for (const CaseResult& result : results) {
    const bool skipped = result.status == Status::kUnsupported && words.lists_unsupported;
    if (result.status != Status::kWeak && !skipped) continue;
    fmt::print("{} {}\n  {}\n", skipped ? "SKIPPED" : "WEAK", result.line, result.message);
  }
  if (!options.no_report) {
    fmt::print("reports: {0}/report.html, {0}/report.jsonl, {0}/report.xml\n", options.out);
  }
  if (summary.weak > 0) {
    fmt::print("{} of the passed are weak: their bounds are too wide to mean much\n", summary.weak);
  }
  if (summary.unsupported > 0) fmt::print("{} {}\n", summary.unsupported, words.unsupported);
  fmt::print("{} passed, {} failed\n", summary.passed, summary.failed);
}

void print_json(const std::vector<CaseResult>& results, const RunSummary& summary) {
  nlohmann::ordered_json report = {{"passed", summary.passed},
                                   {"weak", summary.weak},
                                   {"failed", summary.failed},
                                   {"unsupported", summary.unsupported}};
  report["cases"] = nlohmann::ordered_json::array();
  for (const CaseResult& result : results) {
    report["cases"].push_back(nlohmann::ordered_json::parse(analysis::to_json_line(result)));
  }
  fmt::print("{}\n", report.dump());
}

}  // namespace

void add_outcome_options(CLI::App* command, OutcomeOptions& options) {
  CLI::Option* out =
      command->add_option("--out", options.out, "Folder for report.html, report.jsonl, report.xml")
          ->capture_default_str()
          ->type_name("DIR");
  command->add_flag("--no-report", options.no_report, "Write no report files")->excludes(out);
  command->add_flag("--strict", options.strict, "Exit with 1 for weak cases too");
  command->add_flag("--json", options.json, "One JSON object instead of the table");
}

void prepare_reports(const OutcomeOptions& options) {
  if (options.no_report) return;
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (!std::filesystem::is_directory(options.out)) {
    throw Error(ErrorKind::kIo, fmt::format("--out {}: cannot be made a folder: {}", options.out,
                                            error ? error.message() : "a file is in the way"));
  }
}

void print_header(const OutcomeOptions& options) {
  if (!options.json) fmt::print("{}\n", analysis::result_table_header());
}

void print_result(const CaseResult& result, const OutcomeOptions& options) {
  if (options.json) return;
  fmt::print("{}\n", analysis::result_row(result));
  if (analysis::is_failure(result.status)) {
    fmt::print("  {}\n", result.message);
    if (!result.where.empty()) fmt::print("  where: {}\n", result.where);
    if (!result.replay.empty()) fmt::print("  smallest: lvsa-verify replay {}\n", result.replay);
    fmt::print("  repeat: {}\n", result.command);
  }
  std::fflush(stdout);
}

int finish(const std::vector<CaseResult>& results, const OutcomeOptions& options,
           const OutcomeWords& words, const std::string& command_line) {
  const RunSummary summary = analysis::summarise(results);
  if (!options.no_report) {
    analysis::write_reports(options.out, results, analysis::collect_provenance(command_line),
                            summary);
  }
  if (options.json) {
    print_json(results, summary);
  } else {
    print_summary(results, summary, options, words);
  }
  const bool nothing_ran = summary.passed + summary.failed == 0;
  if (nothing_ran) fmt::print(stderr, "{}\n", words.nothing_ran);
  const bool good = summary.failed == 0 && !nothing_ran && !(options.strict && summary.weak > 0);
  return good ? kAllGood : kCheckFailed;
}

}  // namespace lvsa::app
