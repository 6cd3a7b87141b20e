// lvsa-verify kernel: runs a suite of cases against a kernel.

#include <fmt/format.h>

#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/app/fixtures.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/outcome.hpp"
#include "analysis/app/progress.hpp"
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
  std::string fixtures;
  std::int64_t threads = 0;
  bool list = false;
  OutcomeOptions outcome;
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

std::vector<CaseResult> run_cases(const std::vector<Case>& cases, const Options& options,
                                  const lvsa_kernel& kernel) {
  std::vector<CaseResult> results;
  Progress progress(static_cast<std::int64_t>(cases.size()));
  print_header(options.outcome);
  for (const Case& c : cases) {
    const auto done = static_cast<std::int64_t>(results.size());
    progress.show(done, 0.0, c.model);
    analysis::RunOptions run;
    run.threads = static_cast<std::int32_t>(options.threads);
    run.kernel_option = options.kernel;
    run.progress = [&](double share) { progress.show(done, share, c.model); };
    results.push_back(analysis::run_case(c, kernel, run));
    progress.clear();
    print_result(results.back(), options.outcome);
  }
  return results;
}

int run(const Options& options, const std::string& command_line) {
  constexpr OutcomeWords kWords{"not run: outside what the kernel says it can do",
                                "lvsa-verify kernel: no case ran: the kernel supports none of them",
                                false};
  const KernelChoice choice = choose_kernel(options.kernel);
  const std::vector<Case> cases = chosen_cases(options);
  if (options.list) {
    for (const Case& c : cases) fmt::print("{}\n", analysis::to_line(c));
    return kAllGood;
  }
  prepare_reports(options.outcome);
  return finish(run_cases(cases, options, *choice.kernel), options.outcome, kWords, command_line);
}

void add_options(CLI::App* command, Options& options) {
  command->add_option("--kernel", options.kernel, "Kernel: cpu, or a plugin path/to/lib.so[:name]")
      ->capture_default_str()
      ->type_name("NAME|PATH");
  CLI::Option* suite =
      command
          ->add_option("--suite", options.suite,
                       "smoke (10 s), default (2 min), full (hours), random:COUNT[:SEED], or a file of "
                       "case lines")
          ->capture_default_str()
          ->type_name("NAME|FILE");
  command
      ->add_option("--case", options.cases,
                   "Run this case line instead of a suite; may be given several times")
      ->type_name("LINE")
      ->excludes(suite);
  command->add_option("--filter", options.filter, "Only cases whose line contains this text")
      ->type_name("TEXT");
  command->add_option("--threads", options.threads, "Threads of the kernel; 0: its own choice")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command
      ->add_option("--fixtures", options.fixtures,
                   "Folder of the recorded vectors (default: found beside the executable)")
      ->type_name("DIR");
  command->add_flag("--list", options.list, "Print the case lines and stop");
  add_outcome_options(command, options.outcome);
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
