// lvsa-verify bench: is kernel B as fast as kernel A on this machine?

#include "analysis/app/bench.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "analysis/app/bench_simulate.hpp"
#include "analysis/app/fixtures.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/report/provenance.hpp"
#include "analysis/run/worker_channel.hpp"
#include "analysis/speed/bench_run.hpp"
#include "analysis/speed/measure.hpp"
#include "analysis/speed/speed_text.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/kernel/device_memory.hpp"

namespace lvsa::app {
namespace {

constexpr int kSlowerCode = 3;
constexpr int kUndecidedCode = 4;

struct BenchOptions {
  std::string a;
  std::string b;
  std::vector<std::string> cases;
  std::string suite;
  std::string fixtures;
  std::string json;
  std::string clock = "wall";
  std::int64_t threads = 0;
  std::int64_t processes = 15;
  std::int64_t blocks = 0;
  double seconds = 120.0;
  double slot_ms = 4.0;
  double alpha_percent = 1.0;
  double delta_percent = 3.0;
  double timeout_s = 0.0;
  bool strict = false;
  bool across_devices = false;
  std::string as_worker;
  bool simulates = false;
  SimulateOptions simulate;
};

std::vector<analysis::Case> chosen_cases(const BenchOptions& options) {
  std::vector<analysis::Case> cases;
  if (!options.suite.empty()) {
    cases = analysis::suite_cases(options.suite, [&] { return fixtures_folder(options.fixtures); });
  }
  for (const std::string& line : options.cases) cases.push_back(analysis::parse_case(line));
  return cases;
}

analysis::TimeSource time_source(const BenchOptions& options) {
  return options.clock == "cpu" ? analysis::TimeSource::kCpu : analysis::TimeSource::kWall;
}

void answer_all(const BenchOptions& options, analysis::WorkerChannel& channel) {
  const KernelChoice a = choose_kernel(options.a);
  const KernelChoice b = choose_kernel(options.b);
  for (const KernelChoice* choice : {&a, &b}) {
    if (is_captured_kernel(*choice->kernel)) {
      throw Error(ErrorKind::kKernel,
                  "kernel captured: recorded outputs, which take no time; cpu "
                  "or a plugin path/to/lib.so[:name] is due");
    }
  }
  analysis::MeasureSettings settings;
  settings.source = time_source(options);
  settings.slot_s = options.slot_ms * 1e-3;
  settings.threads = static_cast<std::int32_t>(options.threads);
  analysis::SpeedMeter meter(
      *a.kernel, *b.kernel, chosen_cases(options), settings,
      [&](std::string_view word, std::string_view text) { channel.send(word, text); });
  std::string line;
  while (channel.next(line)) meter.answer(line);
}

int run_as_worker(const BenchOptions& options) {
  analysis::set_up_worker_process(analysis::parse_worker_set_up(options.as_worker));
  analysis::WorkerChannel channel;
  try {
    answer_all(options, channel);
  } catch (const analysis::KernelFailed& failed) {
    channel.send("failed", failed.what());
  } catch (const Error& error) {
    channel.send("refused", fmt::format("{} {}", static_cast<int>(error.kind()), error.what()));
  } catch (const DeviceLost& lost) {
    channel.send("failed", lost.what());
  } catch (const std::bad_alloc&) {
    channel.send("refused", fmt::format("{} out of memory: the sizes asked for need more than this "
                                        "machine has",
                                        static_cast<int>(ErrorKind::kValue)));
  } catch (const std::exception& error) {
    channel.send("broken", error.what());
  }
  return kAllGood;
}

analysis::BenchPlan plan_of(const BenchOptions& options) {
  analysis::BenchPlan plan;
  plan.argv = command_words();
  plan.argv.front() = "/proc/self/exe";
  plan.argv.emplace_back("--as-worker");
  plan.argv.push_back(analysis::to_text({getpid(), 0}));
  // Threads that spin while they wait for others would count as work.
  if (options.clock == "cpu" && std::getenv("OMP_WAIT_POLICY") == nullptr) {
    plan.environment.emplace_back("OMP_WAIT_POLICY=passive");
  }
  plan.cases = chosen_cases(options);
  plan.rules.alpha = options.alpha_percent / 100.0;
  plan.rules.least_delta = options.delta_percent / 100.0;
  plan.rules.most_delta = std::max(plan.rules.most_delta, plan.rules.least_delta);
  plan.processes = options.processes | 1;  // a median of an odd number is one of them
  plan.blocks = options.blocks;
  plan.seconds = options.seconds;
  plan.timeout_s = options.timeout_s;
  plan.across_devices = options.across_devices;
  plan.printed = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  if (::isatty(STDERR_FILENO) != 0) {
    plan.progress = [](std::int64_t done, std::int64_t of) {
      fmt::print(stderr, "\r{} of {} processes{}", done, of, done == of ? "\n" : "");
    };
  }
  return plan;
}

// Hash of the library that was named; empty for a built-in kernel.
std::string library_hash(const std::string& option) {
  const KernelName name = parse_kernel_name(option);
  return name.path.empty() ? "" : analysis::hash_text(analysis::file_hash(name.path));
}

std::string entry(const analysis::Provenance& provenance, std::string_view name) {
  for (const auto& [key, value] : provenance) {
    if (key == name) return value;
  }
  return "";
}

void complete(analysis::SpeedComparison& comparison, const BenchOptions& options) {
  comparison.a.option = options.a;
  comparison.b.option = options.b;
  comparison.a.library = library_hash(options.a);
  comparison.b.library = library_hash(options.b);
  comparison.clock = options.clock;
  comparison.provenance = analysis::collect_provenance(command_line());
  const std::string threads = options.threads > 0 ? std::to_string(options.threads)
                                                  : entry(comparison.provenance, "threads");
  const std::string cpu =
      fmt::format("CPU {}, {} threads", entry(comparison.provenance, "cpu"), threads);
  const bool both = comparison.a.on_device && comparison.b.on_device;
  const bool none = !comparison.a.on_device && !comparison.b.on_device;
  if (none) comparison.device = cpu;
  if (!both && !none) comparison.device += " and " + cpu;
}

int compare(const BenchOptions& options) {
  if (options.a.empty() || options.b.empty()) {
    throw Error(ErrorKind::kValue,
                "bench: two kernels are due, A and B: cpu, or a plugin path/to/lib.so[:name]");
  }
  library_hash(options.a);  // names that are none are refused before anything starts
  library_hash(options.b);
  std::optional<AtomicFile>
      json;  // a file that cannot be written is refused before anything starts
  if (!options.json.empty()) json.emplace(options.json);
  try {
    analysis::BenchOutcome outcome = analysis::run_bench(plan_of(options));
    complete(outcome.comparison, options);
    if (json) {
      json->write(analysis::to_speed_json(outcome.comparison));
      json->commit();
    }
    fmt::print("{}", analysis::speed_as_text(outcome.comparison));
    for (const analysis::LeftOut& left : outcome.left_out) {
      fmt::print(stderr, "lvsa-verify bench: not timed: case '{}': {}\n", left.line, left.reason);
    }
    const analysis::SpeedVerdict verdict = analysis::overall_verdict(outcome.comparison);
    if (verdict == analysis::SpeedVerdict::kSlower) return kSlowerCode;
    if (verdict == analysis::SpeedVerdict::kUndecided && options.strict) return kUndecidedCode;
    return kAllGood;
  } catch (const analysis::KernelLost& lost) {
    fmt::print(stderr, "lvsa-verify bench: {}\n", lost.what());
    return kCheckFailed;
  }
}

int run_bench(const BenchOptions& options) {
  if (!options.as_worker.empty()) return run_as_worker(options);
  if (options.simulates) return run_simulation(options.simulate);
  return compare(options);
}

void add_what(CLI::App* command, BenchOptions& options) {
  command->add_option("A", options.a, "Kernel to compare with: cpu, or path/to/lib.so[:name]")
      ->type_name("KERNEL");
  command->add_option("B", options.b, "Kernel in question")->type_name("KERNEL");
  command
      ->add_option(
          "--case", options.cases,
          "Time this case line; may be given several times (default: four sizes of some "
          "milliseconds, on a GPU of up to 75,600 tokens; the costliest are left out where "
          "--seconds is too little)")
      ->type_name("LINE");
  command->add_option("--suite", options.suite, "Time the cases of a suite, or of a file of lines")
      ->type_name("NAME|FILE");
  command->add_option("--fixtures", options.fixtures, "Folder of the recorded vectors")
      ->type_name("DIR");
  command->add_option("--threads", options.threads, "Threads of a host kernel; 0: its own choice")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command
      ->add_option("--clock", options.clock,
                   "wall: time that passes; cpu: time of this process's processors, for host "
                   "kernels on a machine with other work")
      ->capture_default_str()
      ->check(CLI::IsMember({"wall", "cpu"}));
  command->add_flag("--across-devices", options.across_devices,
                    "Compare a kernel of a GPU with one of the processor all the same");
}

void add_how(CLI::App* command, BenchOptions& options) {
  command
      ->add_option("--processes", options.processes,
                   "Processes that measure, one after the other; an odd number")
      ->capture_default_str()
      ->check(CLI::Range(1, 1001));
  command
      ->add_option("--blocks", options.blocks,
                   "Blocks of a case, an odd number for each process; 0: as many as the noise of A "
                   "against itself asks for")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  command
      ->add_option("--seconds", options.seconds,
                   "Time that the comparison may take, processes and tensors included; 3 blocks a "
                   "process are measured in any case, of the default cases only those for which "
                   "that fits")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6));
  command
      ->add_option("--slot-ms", options.slot_ms,
                   "Calls are repeated until one time spans so many milliseconds")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1e5));
  command
      ->add_option("--alpha", options.alpha_percent,
                   "Percent of runs that may have a false FASTER or SLOWER; likewise a false SAME")
      ->capture_default_str()
      ->check(CLI::Range(1e-6, 50.0));
  command
      ->add_option("--delta", options.delta_percent,
                   "Percent up to which a difference counts as none; more on a noisy machine")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 1000.0));
  command
      ->add_option("--timeout", options.timeout_s,
                   "Seconds of silence after which a kernel counts as hung; 0: by the size")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9));
  command->add_option("--json", options.json, "Write the comparison to this file, for gate")
      ->type_name("FILE");
  command->add_flag("--strict", options.strict, "Exit with 4 when a case is undecided");
  command->add_option("--as-worker", options.as_worker)->group("");
}

}  // namespace

void add_bench_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand(
      "bench", "Say whether kernel B is faster than kernel A, the same or slower on this machine");
  add_what(command, *options);
  add_how(command, *options);
  command->add_flag("--simulate", options->simulates,
                    "Measure nothing: count the wrong verdicts on simulated machines");
  add_simulate_options(command, options->simulate);
  command->footer(
      "Examples:\n"
      "  lvsa-verify bench ./before.so ./after.so --json speed.json\n"
      "  lvsa-verify bench cpu cpu --case 'T=21 P=24 H=4 D=64 dtype=bf16 step=1'\n"
      "  lvsa-verify bench --simulate --runs 1000\n"
      "Exit codes: 0 nothing is slower, 1 a kernel failed, crashed or hung, 2 bad input, 3 a case "
      "is slower, 4 one is undecided (with --strict). docs/speed.md has the method.");
  command->callback([options, &body] { body = [options] { return run_bench(*options); }; });
}

}  // namespace lvsa::app
