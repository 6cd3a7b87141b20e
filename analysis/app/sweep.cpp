// lvsa-verify sweep: many settings against dense attention, on captured or synthetic tensors.

#include <fmt/format.h>

#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/app/compare.hpp"
#include "analysis/app/sweep_run.hpp"
#include "analysis/sweep/published_table.hpp"

namespace lvsa::app {
namespace {

struct Options : SweepOptions {
  CompareWords compare;
  bool published_table = false;
};

int run(const Options& options, const std::string& command_line) {
  if (options.compare.asked()) return run_compare(options, options.compare, command_line);
  options.compare.require_none();
  if (!options.published_table) return run_sweep(options, command_line);
  fmt::print("{}", analysis::published_table_text());
  return kAllGood;
}

void add_options(CLI::App* command, Options& options) {
  add_sample_options(command, options.samples);
  add_setting_options(command, options.settings);
  command
      ->add_option("--rows-per-frame", options.rows_per_frame,
                   "Query rows sampled in each latent frame; 0: all")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  command->add_option("--row-seed", options.row_seed, "Seed of their choice")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 62));
  add_sweep_outcome_options(command, options.outcome);
  command->add_flag("--json", options.outcome.json, "One JSON object instead of the table");
  command->add_option("--out", options.out, "Folder for sweep.h5, sweep.csv, summary.csv")
      ->capture_default_str()
      ->type_name("DIR");
  command->add_flag(
      "--resume", options.folder.resume,
      "Go on with the sweep or comparison in --out that was interrupted: the same source, "
      "settings or patterns, and rows");
  command
      ->add_flag("--overwrite", options.folder.overwrite,
                 "Begin anew whatever sweep (with --patterns: comparison) the folder holds")
      ->excludes("--resume");
  command
      ->add_option(
          "--shard", options.shard,
          "i/n: only every n-th unit of the work (with --patterns: every n-th sample), from the "
          "i-th on; lvsa-verify merge makes one of all n")
      ->type_name("I/N");
  command
      ->add_option(
          "--patterns-per-unit", options.patterns_per_unit,
          "A unit is one sample with so many of the patterns: what an interruption costs at "
          "most; 0: by the number of frames, up to 16384")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 30));
  command->add_flag("--mpi", options.mpi,
                    "One process of several that mpirun started: they share the units, the first "
                    "one writes");
  command->add_option("--threads", options.threads, "Threads; 0: as many as there are processors")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  command->add_flag(
      "--published-table", options.published_table,
      "Print the sparsity table of the LVSA documentation beside what the rules give, "
      "and stop");
  command->add_flag("--quiet", options.quiet, "No progress bar");
  add_compare_options(command, options.compare);
}

}  // namespace

void add_sweep_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "sweep",
      "How sparse may it be: many settings against dense attention, on captured or synthetic "
      "tensors, with the front of density and error");
  add_options(command, *options);
  command->footer(
      "Axes: ITEM[,ITEM]..., an item being NUMBER or FIRST:LAST[:STEP]; all counts are latent "
      "frames.\nWithout any axis: --window 1:4 --scale 0.5:1.5:0.1 --rotate 0,1.\n"
      "Examples:\n"
      "  lvsa-verify sweep --synthetic 'T=41 h=8 w=13 heads=4 D=64' --require 'recall>=0.9'\n"
      "  lvsa-verify sweep --capture run.h5 --window 1:6 --scale 0.4:1.6:0.1 --reference 21,33\n"
      "  lvsa-verify sweep --capture run.h5 --shard 1/2 --out part1    # and 2/2 elsewhere\n"
      "  lvsa-verify merge part1 part2 --out all\n"
      "  mpirun -n 4 lvsa-verify sweep --mpi --capture run.h5 --out all\n"
      "  lvsa-verify sweep --capture run.h5 --patterns 'lvsa; sparge; radial; dense' --density "
      "0.5,0.3\n"
      "Exit codes: 0 good, 1 no setting meets --require, or the kernel of --time crashed or "
      "hung, 2 bad input.");
  command->callback(
      [options, &body] { body = [options] { return run(*options, command_line()); }; });
}

}  // namespace lvsa::app
