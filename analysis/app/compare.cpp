#include "analysis/app/compare.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <sstream>
#include <utility>

#include "analysis/app/compare_outcome.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/app/stop_signals.hpp"
#include "analysis/maps/latent_size.hpp"
#include "analysis/sweep/pattern_compare_folder.hpp"
#include "analysis/synth/video_words.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/version.hpp"

namespace lvsa::app {
namespace {

using analysis::CompareOptions;

constexpr std::int64_t kMostBytes = 1 << 20;

analysis::LatentSize latent_size(const SweepOptions& options, const CompareWords& words,
                                 const FrameGrid& grid) {
  if (!words.grid.empty()) {
    return analysis::parse_latent_size(words.grid, grid.patches_per_frame);
  }
  if (options.samples.capture.path.empty() && words.model.empty()) {
    const synth::VideoWords video = synth::parse_video(options.samples.synthetic);
    return {video.height, video.width, "of the synthetic video"};
  }
  analysis::LatentSize size =
      analysis::find_latent_size(grid.patches_per_frame, PresetTable(), words.model);
  // A guess would be taken for the truth by rules that look at rows and columns.
  if (size.guessed) return {0, 0, ""};
  return size;
}

std::string rate_words(const std::string& text) {
  std::error_code ignored;
  if (text.find('=') == std::string::npos && !std::filesystem::exists(text, ignored) &&
      !text.empty()) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("--rates '{}': NAME=NUMBER words or a file that holds them is due", text));
  }
  return text.find('=') == std::string::npos && !text.empty() ? read_small_file(text, kMostBytes)
                                                              : text;
}

CompareOptions options_of(const SweepOptions& options, const CompareWords& words) {
  CompareOptions made;
  std::string patterns = words.patterns;
  if (!words.patterns_file.empty()) {
    patterns += "\n" + read_small_file(words.patterns_file, kMostBytes);
  }
  made.rules = analysis::parse_compare_rules(patterns, rule_maker(words.process));
  if (!words.density.empty()) made.densities = analysis::parse_densities(words.density);
  made.rates = analysis::RateChoice(rate_words(words.rates));
  made.rows = {options.rows_per_frame, options.row_seed};
  made.exclude = words.on_error == "exclude";
  made.threads = options.threads;
  return made;
}

// Files that patterns are made from or timed with: others of the same name are other patterns.
void add_file(std::vector<analysis::DecidingOption>& deciding, const std::string& what,
              const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return;  // a folder, or none: said elsewhere
  deciding.push_back(
      {fmt::format("{} {}", what, path), "hash " + analysis::hash_text(analysis::file_hash(path))});
}

std::vector<analysis::DecidingOption> deciding_options(const CompareOptions& made,
                                                       const CompareTime& time) {
  std::vector<analysis::DecidingOption> deciding;
  for (const analysis::CompareRule& rule : made.rules) {
    std::istringstream words(rule.words);
    for (std::string word; words >> word;) {
      if (word.rfind("file=", 0) == 0) add_file(deciding, rule.name + " file", word.substr(5));
    }
  }
  if (time.kernel.empty()) return deciding;
  deciding.push_back({"--time", time.kernel});
  deciding.push_back({"--time-blocks", fmt::format("{}", time.blocks)});
  deciding.push_back({"--time-heads", fmt::format("{}", time.heads)});
  add_file(deciding, "--time", parse_kernel_name(time.kernel).path);
  return deciding;
}

class CompareRun {
 public:
  CompareRun(const SweepOptions& options, const CompareOptions& wanted,
             const analysis::SampleSource& source)
      : options_(options),
        plan_(plan_of(options, wanted, source)),
        worker_(source, plan_, wanted) {}

  int run(const std::string& command_line) {
    analysis::CompareFolder folder(options_.out, plan_, options_.folder);
    const CompareOutcome outcome{options_.outcome.html, options_.outcome.json};
    if (folder.finished()) {
      fmt::print(stderr, "{}: the comparison is there already\n", options_.out);
      analysis::CompareResults results = folder.results();
      results.provenance = analysis::read_provenance(options_.out);
      return finish_compare_outcome(results, plan_, outcome, options_.out);
    }
    if (folder.units_before() > 0) {
      fmt::print(stderr, "resuming {}: {} of {} units are done\n", options_.out,
                 folder.units_before(), units_of_shard());
    }
    analysis::Provenance provenance = analysis::joined(analysis::read_provenance(options_.out),
                                                       analysis::collect_provenance(command_line));
    analysis::write_provenance(provenance, options_.out);
    if (!compute(folder.journal())) return kBadInput;
    if (plan_.base.shard.of > 1) return tell_shard(folder.journal());
    analysis::CompareResults results = analysis::finish_comparison(
        plan_, [&](std::int64_t unit) { return folder.journal().read(unit); });
    results.provenance = std::move(provenance);
    const int code = finish_compare_outcome(results, plan_, outcome, options_.out);
    folder.close_journal();
    return code;
  }

 private:
  static analysis::ComparePlan plan_of(const SweepOptions& options, const CompareOptions& wanted,
                                       const analysis::SampleSource& source) {
    analysis::ComparePlan plan = analysis::plan_of_comparison(source, wanted);
    plan.base.tool = fmt::format("{} ({})", kVersion, kCommit);
    plan.base.shard = analysis::parse_shard(options.shard);
    return plan;
  }

  std::int64_t units_of_shard() const {
    return analysis::shard_size(plan_.base.shard, plan_.units());
  }

  // False when a signal ended it after the unit in hand.
  bool compute(analysis::CompareJournal& journal) {
    std::vector<std::int64_t> left;
    const analysis::Shard& shard = plan_.base.shard;
    for (std::int64_t unit = shard.number; unit <= plan_.units(); unit += shard.of) {
      if (!journal.has(unit)) left.push_back(unit);
    }
    const auto text = [&](std::size_t i) {
      return describe(plan_.base.samples[static_cast<std::size_t>(left[i]) - 1]);
    };
    const StopSignals signals;
    Progress bar(static_cast<std::int64_t>(left.size()), options_.quiet);
    for (std::size_t i = 0; i < left.size(); ++i) {
      bar.show(static_cast<std::int64_t>(i), 0.0, text(i));
      journal.add(left[i], worker_.compute(left[i]));
      if (i + 1 == left.size() || !was_stopped(signals)) continue;
      bar.clear();
      tell_stopped(journal);
      return false;
    }
    bar.clear();
    return true;
  }

  // The signal does the rest when its guard is gone.
  void tell_stopped(const analysis::CompareJournal& journal) const {
    std::fflush(stdout);
    fmt::print(
        stderr,
        "lvsa-verify sweep: stopped: {} of {} units are kept in {}, and --resume goes on from "
        "there\n",
        journal.done(), units_of_shard(), options_.out);
  }

  int tell_shard(const analysis::CompareJournal& journal) const {
    fmt::print(
        "shard {} in {}: its {} units (of {} in all) are done; lvsa-verify merge makes one "
        "comparison of all shards\n",
        options_.shard, options_.out, journal.done(), plan_.units());
    return kAllGood;
  }

  const SweepOptions& options_;
  analysis::ComparePlan plan_;
  analysis::CompareWorker worker_;
};

}  // namespace

void CompareWords::require_none() const {
  for (const auto& [name, text] :
       {std::pair("--density", density), std::pair("--rates", rates), std::pair("--grid", grid),
        std::pair("--model", model), std::pair("--time", time.kernel)}) {
    if (text.empty()) continue;
    throw Error(ErrorKind::kValue,
                fmt::format("{}: belongs to --patterns, which is not given", name));
  }
}

void add_compare_options(CLI::App* command, CompareWords& words) {
  CLI::App* group = command->add_option_group(
      "Patterns", "In place of settings of LVSA: sparse patterns side by side (docs/compare.md)");
  CLI::Option* patterns =
      group
          ->add_option("--patterns", words.patterns,
                       "Compare these patterns, as 'lvsa; sparge; radial; dense', each a name with "
                       "key=value parameters")
          ->type_name("WORDS");
  CLI::Option* file =
      group->add_option("--patterns-file", words.patterns_file, "The same, a pattern a line")
          ->type_name("FILE");
  words.given = [patterns, file] { return patterns->count() + file->count() > 0; };
  group
      ->add_option("--density", words.density,
                   "Token densities at which they are compared, as 0.5,0.3,0.2; without it they "
                   "stand as their words say")
      ->type_name("LIST");
  group
      ->add_option("--rates", words.rates,
                   "Rates of predicted times, TFLOP/s: 'dense=580 sparse=610 sparge.sparse=540 "
                   "prediction=58', memory=4.8 in TB/s; or a file with such words")
      ->type_name("WORDS|FILE");
  group
      ->add_option("--on-error", words.on_error,
                   "stop: a pattern that cannot be made is an error; exclude: it is left out and "
                   "counted")
      ->capture_default_str()
      ->check(CLI::IsMember({"stop", "exclude"}));
  add_time_options(group, words.time);
  add_rule_process_options(group, words.process, "a plugin's rule, or the kernel of --time,");
  CLI::Option* grid =
      group
          ->add_option("--grid", words.grid,
                       "Rows and columns of tokens of a frame, such as 30x52, where a pattern "
                       "looks at them")
          ->type_name("HxW");
  group->add_option("--model", words.model, "Take rows and columns from this model's sizes")
      ->type_name("NAME")
      ->excludes(grid);
  for (const char* name :
       {"--window", "--n-first", "--interval", "--reference", "--scale", "--budget", "--expand",
        "--rotate", "--offsets", "--random", "--settings-file", "--front", "--cost", "--require",
        "--patterns-per-unit", "--mpi", "--published-table"}) {
    patterns->excludes(command->get_option(name));
    file->excludes(command->get_option(name));
  }
}

int run_compare(const SweepOptions& options, const CompareWords& words,
                const std::string& command_line) {
  if (!words.time.as_worker.empty()) {
    return run_as_timer(words.time, options.threads, words.process);
  }
  start_threads();
  CompareOptions wanted = options_of(options, words);
  const auto timer = choose_timer(words.time, options.threads, words.process);
  wanted.timer = timer.get();
  wanted.deciding = deciding_options(wanted, words.time);
  const auto source = open_samples(options.samples);
  if (!source->ids().empty()) {
    const analysis::LatentSize size = latent_size(options, words, source->grid(0));
    wanted.height = size.height;
    wanted.width = size.width;
  }
  return CompareRun(options, wanted, *source).run(command_line);
}

}  // namespace lvsa::app
