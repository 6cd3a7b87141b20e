#include "analysis/app/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "analysis/app/progress.hpp"
#include "analysis/maps/latent_size.hpp"
#include "analysis/report/html_compare.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/sweep/pattern_compare_files.hpp"
#include "analysis/synth/video_words.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/version.hpp"

namespace lvsa::app {
namespace {

using analysis::CompareFigures;
using analysis::CompareOptions;
using analysis::CompareResults;
using analysis::Metric;
using Json = nlohmann::ordered_json;

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

double metric(const CompareFigures& figures, Metric which) {
  return figures.metrics[static_cast<std::size_t>(which)];
}

void print_table(const CompareResults& results) {
  fmt::print("{}: T={} P={}", results.identity, results.grid.frames,
             results.grid.patches_per_frame);
  if (results.height > 0) fmt::print(" ({}x{})", results.height, results.width);
  fmt::print(" text={} D={}, {} rows a frame\n", results.grid.text_tokens, results.head_dim,
             results.rows_per_frame == 0 ? "all" : std::to_string(results.rows_per_frame));
  fmt::print("{} patterns x {} samples\n\n", results.entries.size(), results.samples.size());
  const bool timed = !results.time_source.empty();
  fmt::print("{:>7} {:>8} {:>8} {:>10} {:>10} {:>10} {:>8}{}  pattern\n", "target", "density",
             "blocks", "rel_l2", "recall", "cosine", "speedup", timed ? " measured" : "");
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    const CompareFigures f = analysis::pooled_figures(results, e);
    const auto text = [](double value) { return analysis::number_text(value, 5); };
    const double target = results.entries[e].target;
    const auto share = [](double value) {
      return std::isnan(value) ? std::string("-") : fmt::format("{:.4f}", value);
    };
    const auto times = [](double value) {
      return std::isnan(value) ? std::string("-") : fmt::format("{:.2f}x", value);
    };
    const bool missed = analysis::missed_density(results, e, f);
    fmt::print("{:>7} {:>8} {:>8} {:>10} {:>10} {:>10} {:>8}{}  {}\n",
               std::isnan(target) ? "-" : fmt::format("{}", target),
               (missed ? "~" : "") + share(f.token_density), share(f.block_density),
               text(metric(f, Metric::kRelativeL2)), text(metric(f, Metric::kRecallMean)),
               text(metric(f, Metric::kCosinePooled)), times(f.time.speedup),
               timed ? fmt::format(" {:>8}", times(f.measured.speedup)) : std::string(),
               results.rules[results.entries[e].rule].words);
  }
}

void print_notes(const CompareResults& results) {
  bool missed = false;
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    missed = missed || analysis::missed_density(results, e, analysis::pooled_figures(results, e));
  }
  if (missed) {
    fmt::print("~: more than 2 % from the density that was asked for, as the pattern allows\n");
  }
  if (!results.excluded.empty()) {
    fmt::print("{} samples excluded, the first: {}\n", results.excluded.size(),
               results.excluded.front().reason);
  }
  std::map<std::string, std::size_t> reasons;
  for (const analysis::CompareFailure& failure : results.failures) {
    ++reasons[fmt::format("{}: {}", results.rules[results.entries[failure.entry].rule].words,
                          failure.reason)];
  }
  for (const auto& [reason, count] : reasons) {
    fmt::print("left out {} times: {}\n", count, reason);
  }
  std::map<std::string, std::size_t> untimed;
  for (const analysis::CompareFailure& failure : results.untimed) {
    ++untimed[fmt::format("{}: {}", results.rules[results.entries[failure.entry].rule].words,
                          failure.reason)];
  }
  for (const auto& [reason, count] : untimed) {
    fmt::print("not timed {} times: {}\n", count, reason);
  }
}

// JSON has neither NaN nor infinity.
Json number_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? Json() : Json(analysis::number_text(value));
}

void print_json(const CompareResults& results, const std::string& folder) {
  Json json = {{"source", results.identity},
               {"frames", results.grid.frames},
               {"patches_per_frame", results.grid.patches_per_frame},
               {"text_tokens", results.grid.text_tokens},
               {"samples", results.samples.size()},
               {"excluded_samples", results.excluded.size()},
               {"excluded_patterns", results.failures.size()},
               {"rates_source", results.rates_source},
               {"time_source", results.time_source},
               {"untimed_patterns", results.untimed.size()},
               {"folder", folder},
               {"patterns", Json::array()}};
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    const CompareFigures f = analysis::pooled_figures(results, e);
    Json one = {{"pattern", results.rules[results.entries[e].rule].words},
                {"target_density", number_json(results.entries[e].target)}};
    for (const analysis::FigureInfo& figure : analysis::compare_figures()) {
      one[std::string(figure.name)] = number_json(figure.value(f));
    }
    for (const analysis::MetricInfo& info : analysis::metric_infos()) {
      one[std::string(info.name)] = number_json(metric(f, info.metric));
    }
    json["patterns"].push_back(std::move(one));
  }
  fmt::print("{}\n", json.dump());
}

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
  add_rule_process_options(group, words.process);
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
        "--resume", "--shard", "--patterns-per-unit", "--mpi", "--published-table"}) {
    patterns->excludes(command->get_option(name));
    file->excludes(command->get_option(name));
  }
}

int run_compare(const SweepOptions& options, const CompareWords& words,
                const std::string& command_line) {
  CompareOptions wanted = options_of(options, words);
  analysis::check_compare_folder(options.out, options.folder.overwrite);
  const ChosenTimer timer = choose_timer(words.time, options.threads);
  wanted.timer = timer.timer.get();
  const auto source = open_samples(options.samples);
  if (!source->ids().empty()) {
    const analysis::LatentSize size = latent_size(options, words, source->grid(0));
    wanted.height = size.height;
    wanted.width = size.width;
  }
  const auto count = static_cast<std::int64_t>(source->ids().size());
  Progress bar(count, options.quiet);
  bar.show(0, 0.0, "");
  CompareResults results = analysis::compare_patterns(*source, wanted, [&](std::size_t done) {
    const auto next = std::min<std::size_t>(done, source->ids().size() - 1);
    bar.show(static_cast<std::int64_t>(done), 0.0, analysis::describe(source->ids()[next]));
  });
  bar.clear();
  results.tool = fmt::format("{} ({})", kVersion, kCommit);
  results.provenance = analysis::collect_provenance(command_line);
  analysis::write_compare_files(results, options.out);
  if (!options.outcome.html.empty()) analysis::write_compare_page(results, options.outcome.html);
  if (options.outcome.json) {
    print_json(results, options.out);
    return kAllGood;
  }
  print_table(results);
  print_notes(results);
  fmt::print("speedup: {}\n", results.rates_source);
  if (!results.time_source.empty()) fmt::print("measured: {}\n", results.time_source);
  fmt::print("files: {0}/compare.h5, {0}/compare.csv, {0}/summary.csv{1}{2}\n", options.out,
             options.outcome.html.empty() ? "" : ", ", options.outcome.html);
  return kAllGood;
}

}  // namespace lvsa::app
