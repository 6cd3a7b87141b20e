#include "analysis/app/compare_time.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/sweep/pattern_timer_process.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

/// A kernel, and the timer that calls it.
class KernelTimer : public analysis::TimesPatterns {
 public:
  KernelTimer(KernelChoice choice, const analysis::TimingOptions& options, RuleMaker make)
      : choice_(std::move(choice)),
        timer_(*choice_.blocks, options),
        local_(timer_, std::move(make)) {}

  void take(const PatternInput& input) override { local_.take(input); }
  analysis::TimedPattern measure(const HeadPattern& pattern, const std::string& words) override {
    return local_.measure(pattern, words);
  }
  std::string source() const override { return local_.source(); }
  const analysis::PatternTimer& timer() const { return timer_; }

 private:
  KernelChoice choice_;
  analysis::PatternTimer timer_;
  analysis::LocalTimer local_;
};

KernelChoice choose_block_kernel(const std::string& name) {
  KernelChoice choice;
  try {
    choice = choose_kernel(name);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("--time: {}", error.what()));
  }
  if (choice.blocks == nullptr) {
    throw Error(ErrorKind::kKernel,
                fmt::format("--time {}: the kernel takes no block maps; one of "
                            "core/blocks/lvsa_blocks.h is due, such as cpu-blocks",
                            name));
  }
  return choice;
}

std::unique_ptr<KernelTimer> timer_here(const CompareTime& time, int threads,
                                        const RuleProcessOptions& process,
                                        const analysis::Tell& part) {
  KernelChoice choice = choose_block_kernel(time.kernel);
  analysis::TimingOptions options;
  options.blocks = time.blocks;
  options.heads = time.heads;
  options.threads = threads;
  options.library = parse_kernel_name(time.kernel).path;
  options.part = part;
  return std::make_unique<KernelTimer>(std::move(choice), options, rule_maker(process));
}

}  // namespace

void add_time_options(CLI::App* group, CompareTime& time) {
  group
      ->add_option("--time", time.kernel,
                   "Measure the patterns' times with this block-sparse kernel: cpu-blocks, or "
                   "path/to/lib.so[:name]")
      ->type_name("KERNEL");
  group
      ->add_option("--time-blocks", time.blocks,
                   "Times of a pattern and of all blocks alternate in so many blocks A B B A")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  group
      ->add_option("--time-heads", time.heads,
                   "Equal heads in a timed call; 0: 1 on the host, 8 on a GPU, which one does not "
                   "fill")
      ->capture_default_str()
      ->check(CLI::Range(0, 256));
  group->add_option("--as-worker", time.as_worker)->group("");
}

std::unique_ptr<analysis::TimesPatterns> choose_timer(const CompareTime& time, int threads,
                                                      const RuleProcessOptions& process) {
  if (time.kernel.empty()) return nullptr;
  if (process.isolate == "none") return timer_here(time, threads, process, {});
  analysis::TimerProcessSettings settings;
  settings.kernel = time.kernel;
  settings.timeout_s = process.timeout_s;
  settings.argv = command_words();
  settings.argv.front() = "/proc/self/exe";
  settings.argv.emplace_back("--as-worker");
  settings.argv.push_back(analysis::to_text({getpid(), 0}));
  settings.printed = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  return analysis::time_apart(std::move(settings));
}

int run_as_timer(const CompareTime& time, int threads, const RuleProcessOptions& process) {
  return analysis::serve_times(analysis::parse_worker_set_up(time.as_worker),
                               [&](const analysis::Tell& tell) {
                                 auto timer = timer_here(time, threads, process, tell);
                                 const analysis::PatternTimer& known = timer->timer();
                                 const bool on_device = known.on_device();
                                 const std::int64_t heads = known.heads();
                                 return analysis::ServedTimer{std::move(timer), on_device, heads};
                               });
}

}  // namespace lvsa::app
