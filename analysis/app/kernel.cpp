// lvsa-verify kernel: runs a suite of cases against a kernel.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/app/fixtures.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/kernel_run.hpp"
#include "analysis/app/outcome.hpp"
#include "analysis/app/rule_process.hpp"
#include "analysis/run/case_list.hpp"
#include "analysis/run/case_pool.hpp"
#include "analysis/run/plan.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;
using analysis::CaseList;
using analysis::CaseResult;

// Values out of range are refused before anything runs.
void require_rules(const CaseList& cases, const KernelOptions& options) {
  const RuleMaker make = rule_maker({options.isolate, options.timeout_s});
  std::string made;
  for (std::int64_t number = 1; number <= cases.size(); ++number) {
    const Case c = cases.at(number);
    if (c.pattern.empty() || c.pattern == made) continue;
    make(c.pattern);
    made = c.pattern;
  }
}

CaseList chosen_cases(const KernelOptions& options) {
  CaseList cases;
  bool any_pattern = false;
  const auto take = [&](const Case& c) {
    if (analysis::to_line(c).find(options.filter) == std::string::npos) return;
    any_pattern |= !c.pattern.empty();
    cases.add(c);
  };
  if (!options.capture.path.empty()) {
    for (const Case& c : analysis::capture_cases(options.capture)) take(c);
  } else if (options.cases.empty()) {
    analysis::for_each_case(
        options.suite, [&] { return fixtures_folder(options.fixtures); }, take);
  }
  for (const std::string& line : options.cases) take(analysis::parse_case(line));
  if (!options.filter.empty() && cases.size() == 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("--filter '{}': no case line contains it", options.filter));
  }
  if (any_pattern) require_rules(cases, options);
  return cases;
}

// Hash of the library that --kernel names, 0 for a built-in kernel.
std::uint64_t library_hash(const std::string& option) {
  const KernelName name = parse_kernel_name(option);
  return name.path.empty() ? 0 : analysis::file_hash(name.path);
}

analysis::RunPlan plan_of(const KernelOptions& options, const std::string& kernel,
                          const CaseList& cases) {
  const std::string suite = !options.capture.path.empty() ? options.capture.path
                            : options.cases.empty()       ? options.suite
                                                          : "cases given one by one";
  analysis::RunPlan plan = new_plan(kernel, suite, cases.size(), analysis::suite_hash(cases));
  plan.library = library_hash(options.kernel);
  plan.shard = analysis::parse_shard(options.shard);
  plan.options = deciding_options(options);
  return plan;
}

// The cases that are left to do. Refers to what it gets.
CaseSource cases_to_do(const CaseList& cases, const analysis::RunPlan& plan,
                       const RunOutcome& outcome) {
  const analysis::Shard shard = plan.shard;
  CaseSource source;
  source.count = analysis::shard_size(shard, plan.cases) - outcome.done();
  source.next = [&cases, &outcome, shard,
                 number = shard.number]() mutable -> std::optional<analysis::NumberedCase> {
    while (number <= cases.size() && outcome.has(number)) number += shard.of;
    if (number > cases.size()) return std::nullopt;
    const std::int64_t taken = std::exchange(number, number + shard.of);
    return analysis::NumberedCase{taken, cases.at(taken)};
  };
  return source;
}

int judge_suite(KernelRun& kernel_run, const CaseList& cases, const analysis::RunPlan& plan,
                const KernelOptions& options, const std::string& command_line) {
  constexpr OutcomeWords kWords{"not run: outside what the kernel says it can do",
                                "lvsa-verify kernel: no case ran: the kernel supports none of them",
                                false};
  RunOutcome outcome(options.outcome, kWords, plan, command_line);
  try {
    kernel_run.run(cases_to_do(cases, plan, outcome),
                   [&](CaseResult result) { outcome.add(std::move(result)); });
  } catch (const analysis::Stopped&) {  // the signal does the rest when kernel_run is gone
    std::fflush(stdout);
    fmt::print(stderr, "lvsa-verify kernel: stopped: {}\n", outcome.kept_text());
    return kBadInput;
  } catch (const Error& error) {
    if (outcome.done() == 0) throw;
    throw Error(error.kind(), fmt::format("{}; {}", error.what(), outcome.kept_text()));
  }
  return outcome.finish();
}

int run(const KernelOptions& options, const std::string& command_line) {
  // A rule that hangs shall be told before its worker is taken for hung.
  constexpr double kSooner = 0.8;
  make_case_rules({options.isolate, kSooner * options.timeout_s});
  if (!options.as_worker.empty()) return run_as_worker(options);
  if (options.outcome.resume && options.outcome.no_report) {
    throw Error(ErrorKind::kValue,
                "--resume: goes on from a report, which --no-report has none of");
  }
  if (options.isolate == "none" && options.jobs > 1) {
    throw Error(ErrorKind::kValue, "--jobs: several at a time need processes; not --isolate none");
  }
  KernelRun kernel_run(options);
  const CaseList cases = chosen_cases(options);
  const analysis::RunPlan plan = plan_of(options, kernel_run.kernel_name(), cases);
  if (!options.list) return judge_suite(kernel_run, cases, plan, options, command_line);
  for (std::int64_t i = plan.shard.number; i <= cases.size(); i += plan.shard.of) {
    fmt::print("{}\n", cases.line(i));
  }
  return kAllGood;
}

void add_run_options(CLI::App* command, KernelOptions& options) {
  command
      ->add_option("--isolate", options.isolate,
                   "process: each case in a process of its own, so that a crash or a hang costs "
                   "that case alone; none: all in this process (for debuggers and profilers)")
      ->capture_default_str()
      ->check(CLI::IsMember({"process", "none"}));
  command
      ->add_option("--timeout", options.timeout_s,
                   "Seconds without a sign of life after which a case counts as hung; 0: by its "
                   "size, a minute at the least")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("SECONDS");
  command->add_option("--jobs", options.jobs, "Cases at a time, each with its share of the cores")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--cases-per-process", options.cases_per_process,
                   "Cases that one process may judge before it is replaced; 0: one, but all of "
                   "them where the kernel opens a GPU")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  command
      ->add_option("--memory-limit", options.memory_limit_gib,
                   "Address space of a process that judges, in GiB; 0: no limit (GPU libraries "
                   "need far more than they use)")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("GIB");
  command->add_flag("--resume", options.outcome.resume,
                    "Go on with the run in --out that was interrupted: the same kernel, suite and "
                    "options");
  command
      ->add_option("--shard", options.shard,
                   "i/n: of the suite only every n-th case, from the i-th on; lvsa-verify merge "
                   "makes one report of all n")
      ->type_name("I/N");
  command->add_option("--as-worker", options.as_worker)->group("");
}

void add_capture_options(CLI::App* command, KernelOptions& options) {
  analysis::CaptureOptions& capture = options.capture;
  CLI::Option* file =
      command
          ->add_option(
              "--capture", capture.path,
              "Judge the calls in a file of captured tensors (HDF5, safetensors, folder of "
              ".npy): their `out` where they have it and --kernel is not given, else the "
              "kernel's outputs")
          ->type_name("FILE")
          ->excludes("--suite")
          ->excludes("--case");
  command->add_option("--frames", capture.frames, "T of the capture, where the file does not say")
      ->needs(file);
  command->add_option("--patches", capture.patches, "Its tokens a frame, P")->needs(file);
  command->add_option("--text", capture.text, "Its text tokens behind the video")->needs(file);
  command
      ->add_option("--layout", capture.layout,
                   "Order of its dimensions: bshd, bhsd, sbhd, shd, bs3hd for a packed qkv, ...")
      ->needs(file);
  command
      ->add_option("--settings", capture.settings,
                   "Words of a case line for its calls, as 'W=3 n_first=1 ref=21 step=4 rows=0'")
      ->type_name("WORDS")
      ->needs(file);
}

void add_options(CLI::App* command, KernelOptions& options) {
  command
      ->add_option("--kernel", options.kernel,
                   "Kernel: cpu, cpu-blocks, captured, or a plugin path/to/lib.so[:name]")
      ->capture_default_str()
      ->type_name("NAME|PATH");
  CLI::Option* suite =
      command
          ->add_option(
              "--suite", options.suite,
              "smoke (10 s), default (2 min), full (hours), random:COUNT[:SEED]; for block-sparse "
              "kernels blocks-smoke (seconds), blocks (a minute); or a file of case lines")
          ->capture_default_str()
          ->type_name("NAME|FILE");
  command
      ->add_option("--case", options.cases,
                   "Run this case line instead of a suite; may be given several times")
      ->type_name("LINE")
      ->excludes(suite);
  add_capture_options(command, options);
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
  command
      ->add_option("--shrink", options.shrink,
                   "Make the first N failing cases small and save them beside the report, for "
                   "lvsa-verify replay; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->type_name("N");
  command
      ->add_option("--relations", options.relations,
                   "Relations that must hold exactly, by calling the kernel some forty times more: "
                   "auto (cases that are small), all, none")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "all", "none"}));
  add_run_options(command, options);
  add_outcome_options(command, options.outcome);
}

}  // namespace

void add_kernel_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<KernelOptions>();
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
  command->callback([command, options, &body] {
    options->kernel_given = command->count("--kernel") > 0;
    body = [options] { return run(*options, command_line()); };
  });
}

}  // namespace lvsa::app
