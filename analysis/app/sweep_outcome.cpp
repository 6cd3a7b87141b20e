#include "analysis/app/sweep_outcome.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "analysis/report/html_sweep.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/sweep/sweep_columns.hpp"
#include "analysis/sweep/sweep_folder.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::Front;
using analysis::FrontRequest;
using analysis::Metric;
using analysis::SweepResults;
using Json = nlohmann::ordered_json;

std::string front_metrics() {
  std::vector<std::string_view> names;
  for (const analysis::MetricInfo& metric : analysis::metric_infos()) {
    if (metric.better != analysis::Better::kNeither) names.push_back(metric.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

double pooled_value(const Front& front, std::size_t setting, Metric metric) {
  return front.pooled[setting][static_cast<std::size_t>(metric)];
}

// The columns beside the front's own metric.
std::vector<Metric> shown_metrics(Metric first) {
  std::vector<Metric> metrics = {first};
  for (const Metric metric : {Metric::kRelativeL2, Metric::kCosinePooled, Metric::kRecallMean}) {
    if (metric != first) metrics.push_back(metric);
  }
  return metrics;
}

// Of a long front: the ends, the marked ones, and others at even distances.
std::vector<std::size_t> rows_to_show(const Front& front) {
  constexpr std::size_t kMostRows = 24;
  const std::size_t count = front.settings.size();
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t setting = front.settings[i];
    const bool marked = front.knee == setting || front.best == setting;
    const bool even = count <= kMostRows ||
                      i * (kMostRows - 1) / (count - 1) != (i + 1) * (kMostRows - 1) / (count - 1);
    if (marked || even || i + 1 == count || i == 0) rows.push_back(setting);
  }
  if (front.best && std::find(rows.begin(), rows.end(), *front.best) == rows.end()) {
    rows.push_back(*front.best);
  }
  return rows;
}

std::string mark(const Front& front, std::size_t setting) {
  const bool knee = front.knee == setting;
  const bool best = front.best == setting;
  return knee && best ? "knee best" : knee ? "knee" : best ? "best" : "";
}

void print_head(const SweepResults& results, const Front& front, const FrontRequest& request) {
  const analysis::MetricInfo& metric = analysis::info(request.metric);
  fmt::print("{}: T={} P={} text={} D={}, {} rows a frame\n", results.identity, results.grid.frames,
             results.grid.patches_per_frame, results.grid.text_tokens, results.head_dim,
             results.rows_per_frame == 0 ? "all" : std::to_string(results.rows_per_frame));
  fmt::print("{} settings x {} samples", results.settings.size(), results.samples.size());
  if (!results.excluded.empty()) {
    fmt::print("; {} samples excluded, the first: {}", results.excluded.size(),
               results.excluded.front().reason);
  }
  fmt::print(
      "\nfront of {} against {} ({} is better): {} of {} settings\n\n",
      request.cost == analysis::FrontCost::kTokenDensity ? "token density" : "expected speedup",
      metric.name, metric.better == analysis::Better::kLower ? "lower" : "higher",
      front.settings.size(), results.settings.size());
}

void print_rows(const SweepResults& results, const Front& front, const FrontRequest& request) {
  const std::vector<Metric> metrics = shown_metrics(request.metric);
  std::string header = fmt::format("{:9} {:>8} {:>8}", "", "density", "speedup");
  for (const Metric metric : metrics) header += fmt::format(" {:>10}", analysis::info(metric).name);
  fmt::print("{} {:>8} {:>6}  setting\n", header, "coverage", "oldest");
  const std::vector<std::size_t> rows = rows_to_show(front);
  for (const std::size_t s : rows) {
    const analysis::SettingFigures& figures = results.figures[s];
    std::string line = fmt::format("{:9} {:8.4f} {:7.2f}x", mark(front, s), figures.token_density,
                                   figures.expected_speedup);
    for (const Metric metric : metrics) {
      line += fmt::format(" {:>10}", analysis::number_text(pooled_value(front, s, metric), 5));
    }
    fmt::print("{} {:8.4f} {:6}  {}\n", line, figures.union_coverage, figures.oldest_unseen,
               analysis::setting_words(results.settings[s]));
  }
  if (rows.size() < front.settings.size()) {
    fmt::print("({} of the front's {} settings; all are in summary.csv)\n", rows.size(),
               front.settings.size());
  }
}

// Somebody with a short video and the default reference would wonder.
void print_dense_note(const SweepResults& results) {
  const bool dense = std::all_of(results.figures.begin(), results.figures.end(),
                                 [](const auto& figures) { return figures.token_density == 1.0; });
  if (!dense) return;
  fmt::print(
      "every setting is dense: T={} lies within their budgets or windows; a smaller --scale, "
      "--reference or --window would be sparse\n",
      results.grid.frames);
}

std::string values_text(const SweepResults& results, const Front& front,
                        const FrontRequest& request, std::size_t setting) {
  std::vector<std::string> words;
  for (const analysis::Requirement& requirement : request.requirements) {
    const double value =
        analysis::required_value(requirement, results.figures[setting], front.pooled[setting]);
    words.push_back(fmt::format("{} {}", requirement.name, analysis::number_text(value, 6)));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string requirements_text(const FrontRequest& request) {
  std::vector<std::string> texts;
  for (const analysis::Requirement& requirement : request.requirements) {
    texts.push_back(requirement.text());
  }
  return fmt::format("{}", fmt::join(texts, " and "));
}

void print_judgement(const SweepResults& results, const Front& front, const FrontRequest& request) {
  if (front.knee) {
    fmt::print("\nknee: {}\n", analysis::setting_words(results.settings[*front.knee]));
  } else {
    fmt::print("\nknee: none (the front has no bend, or fewer than three points)\n");
  }
  if (request.requirements.empty()) return;
  const std::string wanted = requirements_text(request);
  if (front.best) {
    const auto meeting = std::count(front.meets.begin(), front.meets.end(), true);
    fmt::print("best with {}: {} ({:.2f}x expected; {}); {} of {} settings meet it\n", wanted,
               analysis::setting_words(results.settings[*front.best]),
               results.figures[*front.best].expected_speedup,
               values_text(results, front, request, *front.best), meeting, results.settings.size());
    return;
  }
  fmt::print("no setting meets {}", wanted);
  if (front.nearest) {
    fmt::print("; nearest: {} ({})", analysis::setting_words(results.settings[*front.nearest]),
               values_text(results, front, request, *front.nearest));
  }
  fmt::print("\n");
}

// Where the setting that one would take loses most.
void print_worst_sample(const SweepResults& results, const Front& front,
                        const FrontRequest& request) {
  const std::optional<std::size_t> setting = front.best ? front.best : front.knee;
  if (!setting || results.samples.size() < 2) return;
  const auto metric = static_cast<std::size_t>(request.metric);
  const bool lower = analysis::info(request.metric).better == analysis::Better::kLower;
  std::optional<std::size_t> worst;
  for (std::size_t i = 0; i < results.samples.size(); ++i) {
    const double value = results.at(*setting, i)[metric];
    if (std::isnan(value)) continue;
    const double before = worst ? results.at(*setting, *worst)[metric] : value;
    if (!worst || (lower ? value > before : value < before)) worst = i;
  }
  if (!worst) return;
  const std::string head_class =
      results.sample_classes.empty() ? "" : fmt::format(" ({})", results.sample_classes[*worst]);
  fmt::print("its worst sample: {}{}: {} {}\n", describe(results.samples[*worst]), head_class,
             analysis::info(request.metric).name,
             analysis::number_text(results.at(*setting, *worst)[metric], 5));
}

// JSON has neither NaN nor infinity.
Json number_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? Json() : Json(analysis::number_text(value));
}

Json setting_json(const SweepResults& results, const Front& front, std::size_t setting) {
  Json json = {{"setting", analysis::setting_words(results.settings[setting])}};
  for (const analysis::FigureColumn& column : analysis::kFigureColumns) {
    json[std::string(column.name)] = column.value(results.figures[setting]);
  }
  for (const analysis::MetricInfo& metric : analysis::metric_infos()) {
    json[std::string(metric.name)] = number_json(pooled_value(front, setting, metric.metric));
  }
  return json;
}

void print_json(const SweepResults& results, const Front& front, const FrontRequest& request,
                const std::string& folder) {
  const auto one = [&](const std::optional<std::size_t>& setting) {
    return setting ? setting_json(results, front, *setting) : Json();
  };
  Json json = {{"source", results.identity},
               {"frames", results.grid.frames},
               {"patches_per_frame", results.grid.patches_per_frame},
               {"text_tokens", results.grid.text_tokens},
               {"settings", results.settings.size()},
               {"samples", results.samples.size()},
               {"excluded", results.excluded.size()},
               {"speedup_source", results.speedup_source},
               {"folder", folder},
               {"metric", analysis::info(request.metric).name},
               {"front", Json::array()},
               {"knee", one(front.knee)},
               {"requirements", Json::array()}};
  for (const std::size_t s : front.settings)
    json["front"].push_back(setting_json(results, front, s));
  for (const analysis::Requirement& requirement : request.requirements) {
    json["requirements"].push_back(requirement.text());
  }
  if (!request.requirements.empty()) {
    json["best"] = one(front.best);
    json["nearest"] = one(front.nearest);
  }
  fmt::print("{}\n", json.dump());
}

}  // namespace

void add_sweep_outcome_options(CLI::App* command, SweepOutcomeOptions& options) {
  command
      ->add_option(
          "--front", options.front,
          fmt::format("Metric of the front: {} (pooled over the samples)", front_metrics()))
      ->capture_default_str()
      ->type_name("METRIC");
  command
      ->add_option("--cost", options.cost,
                   "The front's other axis: token density or expected speedup")
      ->capture_default_str()
      ->check(CLI::IsMember({"density", "speedup"}));
  command
      ->add_option("--require", options.require,
                   "A bound that the best setting must keep, as 'recall>=0.95' or 'density<=0.3'; "
                   "may be given several times; exit code 1 when none keeps all")
      ->type_name("BOUND");
  command
      ->add_option("--html", options.html,
                   "Write a page with the charts of the sweep into this file")
      ->type_name("FILE");
}

FrontRequest front_request(const SweepOutcomeOptions& options) {
  FrontRequest request;
  const auto metric = analysis::metric_of_name(options.front);
  if (!metric || analysis::info(*metric).better == analysis::Better::kNeither) {
    throw Error(ErrorKind::kValue,
                fmt::format("--front {}: one of {} is due", options.front, front_metrics()));
  }
  request.metric = *metric;
  request.cost = options.cost == "speedup" ? analysis::FrontCost::kExpectedSpeedup
                                           : analysis::FrontCost::kTokenDensity;
  for (const std::string& text : options.require) {
    request.requirements.push_back(analysis::parse_requirement(text));
  }
  return request;
}

int finish_sweep_outcome(const SweepResults& results, const SweepOutcomeOptions& options,
                         const std::string& folder) {
  const FrontRequest request = front_request(options);
  const Front front = analysis::find_front(results, request);
  analysis::write_sweep_files(results, front, folder);
  if (!options.html.empty()) {
    analysis::write_sweep_page(results, options.html, request);
  }
  if (options.json) {
    print_json(results, front, request, folder);
  } else {
    print_head(results, front, request);
    print_rows(results, front, request);
    print_dense_note(results);
    print_judgement(results, front, request);
    print_worst_sample(results, front, request);
    fmt::print("speedup: {}\n", results.speedup_source);
    fmt::print("files: {0}/sweep.h5, {0}/sweep.csv, {0}/summary.csv{1}{2}\n", folder,
               options.html.empty() ? "" : ", ", options.html);
  }
  return request.requirements.empty() || front.best ? kAllGood : kCheckFailed;
}

}  // namespace lvsa::app
