// lvsa-verify check: judges the outputs that a script left in an exported file.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/app/outcome.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/verify/exchange.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::CaseResult;

struct Options {
  std::string file;
  std::string outputs;
  std::vector<std::string> groups;
  OutcomeOptions outcome;
};

std::vector<std::string> chosen_groups(const TensorSource& file, const Options& options) {
  std::vector<std::string> groups = analysis::exchange_groups(file);
  for (const std::string& asked : options.groups) {
    if (std::find(groups.begin(), groups.end(), asked) == groups.end()) {
      throw Error(ErrorKind::kValue, fmt::format("--group {}: {} has {} .. {}", asked, options.file,
                                                 groups.front(), groups.back()));
    }
  }
  return options.groups.empty() ? groups : options.groups;
}

void check_groups(const analysis::ExchangeFiles& files, const std::vector<std::string>& groups,
                  RunOutcome& outcome) {
  std::int64_t done = 0;
  Progress progress(static_cast<std::int64_t>(groups.size()));
  for (const std::string& group : groups) {
    progress.show(done, 0.0, group);
    analysis::RunOptions run;
    run.progress = [&](double share) { progress.show(done, share, group); };
    CaseResult result = analysis::check_exchange_case(files, group, run);
    result.number = ++done;
    progress.clear();
    outcome.add(std::move(result));
  }
}

int run(const Options& options, const std::string& command_line) {
  constexpr OutcomeWords kWords{"skipped by the script",
                                "lvsa-verify check: no case ran: the script skipped all", true};
  const auto cases = open_tensor_file(options.file);
  const auto outputs = options.outputs.empty() ? nullptr : open_tensor_file(options.outputs);
  const analysis::ExchangeFiles files{*cases, outputs ? *outputs : *cases};
  const std::vector<std::string> groups = chosen_groups(*cases, options);
  const auto count = static_cast<std::int64_t>(groups.size());
  RunOutcome outcome(options.outcome, kWords,
                     new_plan("", options.file, count, analysis::suite_hash(groups)), command_line);
  check_groups(files, groups, outcome);
  return outcome.finish();
}

}  // namespace

void add_check_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "check", "Judge the outputs that a script has put into a file of lvsa-verify export");
  command->add_option("file", options->file, "The file, or a folder of .npy files")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--outputs", options->outputs,
                   "Another file, of any of the formats, that holds out and lse of the groups")
      ->type_name("FILE");
  command->add_option("--group", options->groups, "Only this case, as case0003; may be repeated")
      ->type_name("NAME");
  add_outcome_options(command, options->outcome);
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
