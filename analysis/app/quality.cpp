// lvsa-verify quality: scores of videos beside what a sweep says of their settings.

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "analysis/app/command.hpp"
#include "analysis/quality/quality_join.hpp"
#include "analysis/report/html_quality.hpp"
#include "analysis/report/write_reports.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"
#include "core/io/byte_file.hpp"

namespace lvsa::app {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;

struct QualityOptions {
  std::string sweep;
  std::vector<std::string> vqeval;
  std::vector<std::string> vbench;
  std::string map;
  std::string pattern;
  std::string column = "setting";
  std::vector<std::string> figures;
  std::int64_t seed = 1;
  std::string out;
  std::string html;
};

std::string text_of(const std::string& path) { return read_small_file(path, kMostBytes); }

analysis::QualityRuns read_runs(const QualityOptions& options) {
  analysis::QualityRuns runs;
  for (const std::string& path : options.vqeval) {
    analysis::add_vqeval(runs, text_of(path), path, options.column);
  }
  for (const std::string& path : options.vbench) analysis::add_vbench(runs, text_of(path), path);
  if (runs.files.empty()) {
    throw Error(ErrorKind::kValue, "quality: no scores; --vqeval or --vbench is due");
  }
  return runs;
}

std::vector<std::string> chosen_figures(const QualityOptions& options) {
  if (options.figures.empty()) return analysis::default_quality_figures();
  if (options.figures.size() == 1 && options.figures[0] == "all") {
    return analysis::quality_figure_names();
  }
  return options.figures;
}

int run_quality(const QualityOptions& options, const std::string& command_line) {
  const analysis::NameRule rule =
      options.pattern.empty() ? analysis::NameRule{} : analysis::parse_name_rule(options.pattern);
  const analysis::QualityRuns runs = read_runs(options);
  const analysis::SettingMap map =
      options.map.empty() ? analysis::SettingMap{}
                          : analysis::parse_setting_map(text_of(options.map), options.map);
  const analysis::SweepResults sweep = analysis::read_sweep(options.sweep);
  analysis::CorrelationOptions correlation;
  correlation.seed = static_cast<std::uint64_t>(options.seed);
  analysis::QualityReport report = analysis::join_quality(
      sweep, runs, analysis::settings_of_runs(runs, map, rule, sweep.settings),
      chosen_figures(options), correlation);
  const std::vector<std::string> unused = analysis::unused_rows(runs, map);
  if (!unused.empty()) {
    report.warnings.push_back(fmt::format("{}: {} rows fit no video, the first: {}", options.map,
                                          unused.size(), unused.front()));
  }
  if (!options.out.empty()) {
    analysis::make_report_folder(options.out);
    const std::filesystem::path folder(options.out);
    write_file_atomically(folder / "quality.csv", analysis::quality_csv(report));
    write_file_atomically(folder / "correlations.csv", analysis::correlations_csv(report));
  }
  if (!options.html.empty()) {
    write_file_atomically(options.html,
                          analysis::html_quality(report, {sweep.identity, runs.files},
                                                 analysis::collect_provenance(command_line)));
  }
  fmt::print("{}", analysis::quality_text(report));
  return kAllGood;
}

}  // namespace

void add_quality_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<QualityOptions>();
  CLI::App* command = app.add_subcommand(
      "quality", "Hold scores of videos against a sweep: rank correlations, tables, a page");
  command->add_option("--sweep", options->sweep, "What `sweep --out` wrote")
      ->required()
      ->type_name("DIR");
  command->add_option("--vqeval", options->vqeval, "Tables of VQeval's `batch --output`")
      ->type_name("CSV...");
  command->add_option("--vbench", options->vbench, "VBench's *_eval_results.json")
      ->type_name("JSON...");
  command->add_option("--map", options->map, "Settings of videos: the columns run and setting")
      ->type_name("CSV");
  command->add_option("--pattern", options->pattern,
                      "Where names of videos tell the setting, such as w{W}_s{scale}; without it "
                      "words as W=3 are looked for");
  command->add_option("--setting-column", options->column,
                      "Column of VQeval's table with the words of the setting (setting)");
  command
      ->add_option("--figures", options->figures,
                   "Figures and metrics of the sweep to test, or all (density, recall, rel_l2, "
                   "cosine_min, lse_shift)")
      ->delimiter(',');
  command->add_option("--seed", options->seed, "Of permutations and bootstrap (1)");
  command->add_option("--out", options->out, "Folder for quality.csv and correlations.csv")
      ->type_name("DIR");
  command->add_option("--html", options->html, "Write a page with charts")->type_name("FILE");
  command->footer(
      "Example:\n"
      "  lvsa-verify quality --sweep sweep/ --vqeval runs.csv --vbench a_eval_results.json \\\n"
      "    --map settings.csv --out quality/ --html quality.html\n"
      "The unit of the correlations is the setting: its videos' scores are averaged. Videos whose "
      "setting is not known, or not in the sweep, are left out, counted and named.");
  command->callback(
      [options, &body] { body = [options] { return run_quality(*options, command_line()); }; });
}

}  // namespace lvsa::app
