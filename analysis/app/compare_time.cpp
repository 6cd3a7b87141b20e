#include "analysis/app/compare_time.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace lvsa::app {

void add_time_options(CLI::App* group, CompareTime& time) {
  group
      ->add_option("--time", time.kernel,
                   "Measure the patterns' times with this block-sparse kernel: cpu-blocks, or "
                   "path/to/lib.so[:name]; it runs in this process")
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
}

ChosenTimer choose_timer(const CompareTime& time, int threads, const RuleProcessOptions& process) {
  ChosenTimer chosen;
  if (time.kernel.empty()) return chosen;
  try {
    chosen.choice = choose_kernel(time.kernel);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("--time: {}", error.what()));
  }
  if (chosen.choice.blocks == nullptr) {
    throw Error(ErrorKind::kKernel,
                fmt::format("--time {}: the kernel takes no block maps; one of "
                            "core/blocks/lvsa_blocks.h is due, such as cpu-blocks",
                            time.kernel));
  }
  analysis::TimingOptions options;
  options.blocks = time.blocks;
  options.heads = time.heads;
  options.threads = threads;
  options.library = parse_kernel_name(time.kernel).path;
  chosen.timer = std::make_unique<analysis::PatternTimer>(*chosen.choice.blocks, options);
  chosen.patterns = std::make_unique<analysis::LocalTimer>(*chosen.timer, rule_maker(process));
  return chosen;
}

}  // namespace lvsa::app
