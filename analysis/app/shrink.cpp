// lvsa-verify shrink: the smallest case in which a kernel still fails, as a replay file.

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/shrink_failure.hpp"
#include "analysis/blocks/block_relations.hpp"
#include "analysis/blocks/block_replay.hpp"
#include "analysis/verify/relations.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;
using analysis::CaseResult;

struct Options {
  KernelOptions kernel;
  std::string line;
  std::string output = "replay.json";
  std::string check;    // empty: what fails first
  bool values = false;  // hidden: only the values
  analysis::ShrinkBudget budget;
};

int save_values(const Options& options) {
  const KernelChoice choice = choose_kernel(options.kernel.kernel);
  const Case c = analysis::parse_case(options.line);
  if (!c.pattern.empty() && choice.blocks == nullptr) {
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {} takes no block maps", choice.kernel->name));
  }
  analysis::ReplayCase replay =
      c.pattern.empty()
          ? analysis::smallest_replay(c, *choice.kernel, options.check, options.budget)
          : analysis::smallest_block_replay(c, *choice.blocks, options.check, options.budget);
  replay.kernel = options.kernel.kernel;
  write_file_atomically(options.output, replay_to_json(replay));
  return kAllGood;
}

int run(const Options& options) {
  if (options.values) return save_values(options);
  const Case c = analysis::parse_case(options.line);
  CaseResult result;
  KernelRun(options.kernel).run(one_case(c), [&](CaseResult judged) {
    result = std::move(judged);
  });
  const std::string kind = failure_kind(result);
  if (kind.empty() || (!options.check.empty() && kind != options.check)) {
    fmt::print("the case does not fail{}: {}{}{}\n",
               options.check.empty() ? "" : fmt::format(" in '{}'", options.check),
               status_name(result.status), result.message.empty() ? "" : ": ", result.message);
    return kCheckFailed;
  }
  const Shrunk shrunk = shrink_failure(result, options.kernel, options.output, options.budget);
  fmt::print("smallest case after {} runs: {}\n", shrunk.runs, to_line(shrunk.c));
  if (shrunk.file.empty()) {
    fmt::print("no replay file: {}\n", shrunk.why_no_file);
    return kCheckFailed;
  }
  fmt::print("repeat: lvsa-verify replay {}\n", shrunk.file);
  return kAllGood;
}

}  // namespace

void add_shrink_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("shrink",
                         "Make a failing case as small as it can be and still fail in the same "
                         "way, and save it for `replay`");
  command
      ->add_option("--kernel", options->kernel.kernel,
                   "Kernel: cpu, or a plugin path/to/lib.so[:name]")
      ->capture_default_str()
      ->type_name("NAME|PATH");
  command->add_option("--case", options->line, "Case line that fails")
      ->required()
      ->type_name("LINE");
  command->add_option("--output", options->output, "The replay file")
      ->capture_default_str()
      ->type_name("FILE");
  command
      ->add_option("--threads", options->kernel.threads, "Threads of the kernel; 0: its own choice")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command->add_option("--seconds", options->budget.seconds, "Time for sizes, and again for values")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6));
  command
      ->add_option("--check", options->check,
                   "What has to fail: output, written, log-sum-exp, schedule, mask, ... (default: "
                   "what fails first, the mask left out)")
      ->type_name("NAME");
  command->add_flag("--values", options->values)->group("");
  // A worker is started with this command line: it has to know the hidden option of `kernel`.
  command->add_option("--as-worker", options->kernel.as_worker)->group("");
  command->footer(
      "Example:\n"
      "  lvsa-verify shrink --kernel ./libmine.so --case 'T=13 P=65 H=2 Hkv=1 D=64 dtype=bf16 "
      "ref=5 step=1 input=gauss seed=7 rows=0'\n"
      "Exit code 1 when the case does not fail.");
  command->callback([options, &body] {
    // Only what has to fail is looked at: a trial is one call of the kernel, or a few.
    const auto is_asked = [&](const auto& known) { return known.name == options->check; };
    const auto relations = analysis::relations();
    const auto of_maps = analysis::block_relations();
    const bool relation = std::any_of(relations.begin(), relations.end(), is_asked) ||
                          std::any_of(of_maps.begin(), of_maps.end(), is_asked);
    options->kernel.shrink = 0;
    options->kernel.probes = options->check == "mask" || options->check == "capabilities";
    options->kernel.relations = relation || options->kernel.probes ? "all" : "none";
    body = [options] {
      return options->kernel.as_worker.empty() ? run(*options) : run_as_worker(options->kernel);
    };
  });
}

}  // namespace lvsa::app
