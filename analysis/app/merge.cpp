// lvsa-verify merge: one report of the shards of a run.

#include "analysis/run/merge.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/app/outcome.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

struct Options {
  std::vector<std::string> folders;
  OutcomeOptions outcome;
};

int run(const Options& options, const std::string& command_line) {
  constexpr OutcomeWords kWords{"not run: outside what the kernel says it can do",
                                "lvsa-verify merge: no case ran: the kernel supports none of them",
                                false};
  const analysis::Shards shards(options.folders);
  for (const std::string& folder : options.folders) {
    std::error_code ignored;
    if (!std::filesystem::equivalent(folder, options.outcome.out, ignored)) continue;
    throw Error(
        ErrorKind::kValue,
        fmt::format("--out {}: is the folder of a shard; another one is due", options.outcome.out));
  }
  RunOutcome outcome(options.outcome, kWords, shards.plan(), command_line);
  outcome.set_provenance(shards.provenance());
  shards.for_each([&](analysis::CaseResult result) { outcome.add(std::move(result)); });
  return outcome.finish();
}

}  // namespace

void add_merge_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("merge", "Make one report of the reports that kernel --shard i/n wrote");
  command->add_option("folders", options->folders, "The folders, those of all n shards")
      ->required()
      ->type_name("DIR...");
  add_outcome_options(command, options->outcome);
  command->footer(
      "Example:\n"
      "  lvsa-verify kernel --suite full --shard 1/2 --out part1     # here\n"
      "  lvsa-verify kernel --suite full --shard 2/2 --out part2     # on another machine\n"
      "  lvsa-verify merge part1 part2 --out report\n"
      "Shards of other kernels, suites, options or versions, cases that stand twice and cases that "
      "are missing are refused.");
  command->callback(
      [options, &body] { body = [options] { return run(*options, command_line()); }; });
}

}  // namespace lvsa::app
