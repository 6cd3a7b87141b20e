// lvsa-verify check: judges the outputs that a script left in an exported file.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/table.hpp"
#include "analysis/report/write_reports.hpp"
#include "analysis/verify/exchange.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::CaseResult;
using analysis::Status;

struct Options {
  std::string file;
  std::vector<std::string> groups;
  std::string out = "lvsa-report";
  bool no_report = false;
  bool json = false;
  bool strict = false;
};

std::vector<std::string> chosen_groups(const analysis::ExchangeReader& file,
                                       const Options& options) {
  std::vector<std::string> groups = analysis::exchange_groups(file);
  for (const std::string& asked : options.groups) {
    if (std::find(groups.begin(), groups.end(), asked) == groups.end()) {
      throw Error(ErrorKind::kValue, fmt::format("--group {}: {} has {} .. {}", asked, options.file,
                                                 groups.front(), groups.back()));
    }
  }
  return options.groups.empty() ? groups : options.groups;
}

// A folder that cannot be written must not cost the run: it is made before.
void prepare_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    throw Error(ErrorKind::kIo, fmt::format("--out {}: cannot be made a folder: {}", folder,
                                            error ? error.message() : "a file is in the way"));
  }
}

void print_result(const CaseResult& result) {
  fmt::print("{}\n", analysis::result_row(result));
  if (analysis::is_failure(result.status)) {
    fmt::print("  {}\n  repeat: {}\n", result.message, result.command);
  }
  std::fflush(stdout);
}

std::vector<CaseResult> check_groups(const analysis::ExchangeReader& file,
                                     const std::vector<std::string>& groups,
                                     const Options& options) {
  std::vector<CaseResult> results;
  Progress progress(static_cast<std::int64_t>(groups.size()));
  if (!options.json) fmt::print("{}\n", analysis::result_table_header());
  for (const std::string& group : groups) {
    const auto done = static_cast<std::int64_t>(results.size());
    progress.show(done, 0.0, group);
    analysis::RunOptions run;
    run.progress = [&](double share) { progress.show(done, share, group); };
    results.push_back(analysis::check_exchange_case(file, group, run));
    progress.clear();
    if (!options.json) print_result(results.back());
  }
  return results;
}

void print_summary(const std::vector<CaseResult>& results, const analysis::RunSummary& summary,
                   const Options& options) {
  for (const CaseResult& result : results) {
    if (result.status != Status::kWeak && result.status != Status::kUnsupported) continue;
    fmt::print("{} {}\n  {}\n", result.status == Status::kWeak ? "WEAK" : "SKIPPED", result.line,
               result.message);
  }
  if (!options.no_report) {
    fmt::print("reports: {0}/report.html, {0}/report.jsonl, {0}/report.xml\n", options.out);
  }
  if (summary.weak > 0)
    fmt::print("{} of the passed are weak: their bounds are too wide to mean much\n", summary.weak);
  if (summary.unsupported > 0) fmt::print("{} skipped by the script\n", summary.unsupported);
  fmt::print("{} passed, {} failed\n", summary.passed, summary.failed);
}

void print_json(const std::vector<CaseResult>& results, const analysis::RunSummary& summary) {
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

int run(const Options& options, const std::string& command_line) {
  const analysis::ExchangeReader file(options.file);
  const std::vector<std::string> groups = chosen_groups(file, options);
  if (!options.no_report) prepare_folder(options.out);
  const std::vector<CaseResult> results = check_groups(file, groups, options);
  const analysis::RunSummary summary = analysis::summarise(results);
  if (!options.no_report) {
    analysis::write_reports(options.out, results, analysis::collect_provenance(command_line),
                            summary);
  }
  if (options.json) {
    print_json(results, summary);
  } else {
    print_summary(results, summary, options);
  }
  const bool nothing_ran = summary.passed + summary.failed == 0;
  if (nothing_ran) fmt::print(stderr, "lvsa-verify check: no case ran: the script skipped all\n");
  const bool good = summary.failed == 0 && !nothing_ran && !(options.strict && summary.weak > 0);
  return good ? kAllGood : kCheckFailed;
}

}  // namespace

void add_check_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "check", "Judge the outputs that a script has put into a file of lvsa-verify export");
  command->add_option("file", options->file, "The file")->required()->type_name("FILE");
  command->add_option("--group", options->groups, "Only this case, as case0003; may be repeated")
      ->type_name("NAME");
  CLI::Option* out =
      command->add_option("--out", options->out, "Folder for report.html, report.jsonl, report.xml")
          ->capture_default_str()
          ->type_name("DIR");
  command->add_flag("--no-report", options->no_report, "Write no report files")->excludes(out);
  command->add_flag("--strict", options->strict, "Exit with 1 for weak cases too");
  command->add_flag("--json", options->json, "One JSON object instead of the table");
  command->footer(
      "Example:\n"
      "  lvsa-verify check cases.h5 --out report\n"
      "A case without `out`, or with one of the wrong shape or type, fails and says so; one with "
      "an "
      "attribute `skipped` counts as not supported. The form of the file: docs/exchange.md.");
  command->callback(
      [options, &body] { body = [options] { return run(*options, command_line()); }; });
}

}  // namespace lvsa::app
