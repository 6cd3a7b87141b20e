// lvsa-verify merge: one report of the shards of a run.

#include "analysis/run/merge.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/app/compare_outcome.hpp"
#include "analysis/app/outcome.hpp"
#include "analysis/app/sweep_outcome.hpp"
#include "analysis/sweep/pattern_compare_folder.hpp"
#include "analysis/sweep/sweep_folder.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

struct Options {
  std::vector<std::string> folders;
  OutcomeOptions outcome;
  SweepOutcomeOptions sweep;  ///< json is that of outcome
};

void refuse_out_among(const Options& options) {
  for (const std::string& folder : options.folders) {
    std::error_code ignored;
    if (!std::filesystem::equivalent(folder, options.outcome.out, ignored)) continue;
    throw Error(
        ErrorKind::kValue,
        fmt::format("--out {}: is the folder of a shard; another one is due", options.outcome.out));
  }
}

// Whether the folders are those of one kind; throws for some of each kind.
bool are_all(const std::vector<std::string>& folders, bool (*holds)(const std::string&),
             const char* what) {
  const std::string* one = nullptr;
  const std::string* other = nullptr;
  for (const std::string& folder : folders) (holds(folder) ? one : other) = &folder;
  if (one != nullptr && other != nullptr) {
    throw Error(ErrorKind::kValue, fmt::format("{} holds a {}, {} does not: folders of one kind "
                                               "are due",
                                               *one, what, *other));
  }
  return one != nullptr;
}

int merge_sweeps(const Options& options, const std::string& command_line) {
  front_request(options.sweep);  // what is wrong with it shows before anything is read
  const analysis::SweepShards shards(options.folders);
  refuse_out_among(options);
  analysis::SweepResults results = shards.results();
  results.provenance = analysis::joined(results.provenance, {{"command_line", command_line}});
  const auto lock = analysis::lock_for_results(options.outcome.out, results);
  SweepOutcomeOptions outcome = options.sweep;
  outcome.json = options.outcome.json;
  return finish_sweep_outcome(results, outcome, options.outcome.out);
}

int merge_comparisons(const Options& options, const std::string& command_line) {
  if (!options.sweep.require.empty()) {
    throw Error(ErrorKind::kValue,
                "--require: belongs to sweeps of settings; the folders hold a comparison of "
                "patterns");
  }
  analysis::ComparePlan plan;
  analysis::CompareResults results = analysis::merge_comparisons(options.folders, &plan);
  refuse_out_among(options);
  results.provenance = analysis::joined(results.provenance, {{"command_line", command_line}});
  const auto lock = analysis::lock_for_comparison(options.outcome.out, plan);
  return finish_compare_outcome(results, plan, {options.sweep.html, options.outcome.json},
                                options.outcome.out);
}

int run(const Options& options, const std::string& command_line) {
  constexpr OutcomeWords kWords{"not run: outside what the kernel says it can do",
                                "lvsa-verify merge: no case ran: the kernel supports none of them",
                                false};
  if (are_all(options.folders, analysis::holds_sweep, "sweep")) {
    return merge_sweeps(options, command_line);
  }
  if (are_all(options.folders, analysis::holds_comparison, "comparison")) {
    return merge_comparisons(options, command_line);
  }
  const analysis::Shards shards(options.folders);
  refuse_out_among(options);
  RunOutcome outcome(options.outcome, kWords, shards.plan(), command_line);
  outcome.set_provenance(shards.provenance());
  shards.for_each([&](analysis::CaseResult result) { outcome.add(std::move(result)); });
  return outcome.finish();
}

}  // namespace

void add_merge_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("merge", "Make one of what kernel --shard i/n or sweep --shard i/n wrote");
  command->add_option("folders", options->folders, "The folders, those of all n shards")
      ->required()
      ->type_name("DIR...");
  add_outcome_options(command, options->outcome);
  add_sweep_outcome_options(command, options->sweep);
  command->footer(
      "Example:\n"
      "  lvsa-verify kernel --suite full --shard 1/2 --out part1     # here\n"
      "  lvsa-verify kernel --suite full --shard 2/2 --out part2     # on another machine\n"
      "  lvsa-verify merge part1 part2 --out report\n"
      "  lvsa-verify merge sweep1 sweep2 --out sweep --require 'recall>=0.95'\n"
      "--strict, --no-times and --no-report count for reports, --front, --cost and --require for "
      "sweeps of settings, --html for all sweeps.\n"
      "Shards of other kernels, suites, options or versions, cases that stand twice and cases that "
      "are missing are refused.");
  command->callback(
      [options, &body] { body = [options] { return run(*options, command_line()); }; });
}

}  // namespace lvsa::app
