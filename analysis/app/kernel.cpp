// lvsa-verify kernel: runs a suite of cases against a kernel.

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/fixtures.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/report/table.hpp"
#include "analysis/report/write_reports.hpp"
#include "analysis/verify/run_case.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;
using analysis::CaseResult;

struct Options {
  std::string kernel = "cpu";
  std::string suite = "default";
  std::vector<std::string> cases;
  std::string filter;
  std::string out = "lvsa-report";
  std::string fixtures;
  std::int64_t threads = 0;
  bool no_report = false;
  bool list = false;
  bool json = false;
  bool strict = false;
};

std::vector<Case> chosen_cases(const Options& options) {
  std::vector<Case> cases;
  if (options.cases.empty()) {
    cases = analysis::suite_cases(options.suite, [&] { return fixtures_folder(options.fixtures); });
  }
  for (const std::string& line : options.cases) cases.push_back(analysis::parse_case(line));
  if (!options.filter.empty()) {
    std::erase_if(cases, [&](const Case& c) {
      return analysis::to_line(c).find(options.filter) == std::string::npos;
    });
    if (cases.empty()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("--filter '{}': no case line contains it", options.filter));
    }
  }
  return cases;
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

void print_failure(const CaseResult& result) {
  fmt::print("  {}\n", result.message);
  if (analysis::is_failure(result.status)) fmt::print("  repeat: {}\n", result.command);
}

std::vector<CaseResult> run_cases(const std::vector<Case>& cases, const Options& options,
                                  const lvsa_kernel& kernel) {
  std::vector<CaseResult> results;
  Progress progress(static_cast<std::int64_t>(cases.size()));
  if (!options.json) fmt::print("{}\n", analysis::result_table_header());
  for (const Case& c : cases) {
    const auto done = static_cast<std::int64_t>(results.size());
    progress.show(done, 0.0, c.model);
    analysis::RunOptions run;
    run.threads = static_cast<std::int32_t>(options.threads);
    run.kernel_option = options.kernel;
    run.progress = [&](double share) { progress.show(done, share, c.model); };
    results.push_back(analysis::run_case(c, kernel, run));
    progress.clear();
    if (options.json) continue;
    fmt::print("{}\n", analysis::result_row(results.back()));
    if (analysis::is_failure(results.back().status)) print_failure(results.back());
    std::fflush(stdout);
  }
  return results;
}

void print_summary(const std::vector<CaseResult>& results, const analysis::RunSummary& summary,
                   const Options& options) {
  for (const CaseResult& result : results) {
    if (result.status == analysis::Status::kWeak) {
      fmt::print("WEAK {}\n  {}\n", result.line, result.message);
    }
  }
  if (!options.no_report) {
    fmt::print("reports: {0}/report.html, {0}/report.jsonl, {0}/report.xml\n", options.out);
  }
  if (summary.weak > 0)
    fmt::print("{} of the passed are weak: their bounds are too wide to mean much\n", summary.weak);
  if (summary.unsupported > 0)
    fmt::print("{} not run: outside what the kernel says it can do\n", summary.unsupported);
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
  const KernelChoice choice = choose_kernel(options.kernel);
  const std::vector<Case> cases = chosen_cases(options);
  if (options.list) {
    for (const Case& c : cases) fmt::print("{}\n", analysis::to_line(c));
    return kAllGood;
  }
  if (!options.no_report) prepare_folder(options.out);
  const std::vector<CaseResult> results = run_cases(cases, options, *choice.kernel);
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
  if (nothing_ran)
    fmt::print(stderr, "lvsa-verify kernel: no case ran: the kernel supports none of them\n");
  const bool good = summary.failed == 0 && !nothing_ran && !(options.strict && summary.weak > 0);
  return good ? kAllGood : kCheckFailed;
}

void add_options(CLI::App* command, Options& options) {
  command->add_option("--kernel", options.kernel, "Kernel: cpu, or a plugin path/to/lib.so[:name]")
      ->capture_default_str()
      ->type_name("NAME|PATH");
  CLI::Option* suite =
      command
          ->add_option("--suite", options.suite,
                       "smoke (10 s), default (2 min), full (hours), or a file of case lines")
          ->capture_default_str()
          ->type_name("NAME|FILE");
  command
      ->add_option("--case", options.cases,
                   "Run this case line instead of a suite; may be given several times")
      ->type_name("LINE")
      ->excludes(suite);
  command->add_option("--filter", options.filter, "Only cases whose line contains this text")
      ->type_name("TEXT");
  CLI::Option* out =
      command->add_option("--out", options.out, "Folder for report.html, report.jsonl, report.xml")
          ->capture_default_str()
          ->type_name("DIR");
  command->add_flag("--no-report", options.no_report, "Write no report files")->excludes(out);
  command->add_option("--threads", options.threads, "Threads of the kernel; 0: its own choice")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command
      ->add_option("--fixtures", options.fixtures,
                   "Folder of the recorded vectors (default: found beside the executable)")
      ->type_name("DIR");
  command->add_flag("--list", options.list, "Print the case lines and stop");
  command->add_flag("--strict", options.strict, "Exit with 1 for weak cases too");
  command->add_flag("--json", options.json, "One JSON object instead of the table");
}

}  // namespace

void add_kernel_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "kernel",
      "Run a suite of cases against an attention kernel and judge every checked output "
      "element by a bound computed for it");
  add_options(command, *options);
  command->footer(
      "Examples:\n"
      "  lvsa-verify kernel\n"
      "  lvsa-verify kernel --kernel ./libmine.so:fast --suite smoke\n"
      "  lvsa-verify kernel --case 'model=custom T=13 P=65 H=2 Hkv=1 D=64 dtype=bf16 ref=5 step=1 "
      "input=gauss seed=7 rows=0'\n"
      "A case fails when one output element lies outside the interval that a right kernel cannot "
      "leave; "
      "the command that repeats it is printed below it.");
  command->callback(
      [options, &body] { body = [options] { return run(*options, command_line()); }; });
}

}  // namespace lvsa::app
