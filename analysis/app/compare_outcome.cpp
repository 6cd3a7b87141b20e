#include "analysis/app/compare_outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "analysis/app/command.hpp"
#include "analysis/report/html_compare.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/sweep/pattern_compare_files.hpp"

namespace lvsa::app {
namespace {

using analysis::CompareFailure;
using analysis::CompareFigures;
using analysis::CompareResults;
using analysis::Metric;
using Json = nlohmann::ordered_json;

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
  fmt::print("{:>7} {:>8} {:>8} {:>10} {:>10} {:>10} {:>9}{}  pattern\n", "target", "density",
             "blocks", "rel_l2", "recall", "cosine", "predicted", timed ? " measured" : "");
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
    fmt::print("{:>7} {:>8} {:>8} {:>10} {:>10} {:>10} {:>9}{}  {}\n",
               std::isnan(target) ? "-" : fmt::format("{}", target),
               (missed ? "~" : "") + share(f.token_density), share(f.block_density),
               text(metric(f, Metric::kRelativeL2)), text(metric(f, Metric::kRecallMean)),
               text(metric(f, Metric::kCosinePooled)), times(f.time.speedup),
               timed ? fmt::format(" {:>8}", times(f.measured.speedup)) : std::string(),
               results.rules[results.entries[e].rule].words);
  }
}

struct Reason {
  std::string text;
  std::size_t count = 0;
};

// Equal ones once, in the order in which they came. The reason of a lost kernel names the pattern.
std::vector<Reason> reasons_of(const CompareResults& results,
                               const std::vector<CompareFailure>& failures) {
  std::vector<Reason> reasons;
  std::map<std::string, std::size_t> places;
  for (const CompareFailure& failure : failures) {
    const std::string& words = results.rules[results.entries[failure.entry].rule].words;
    const std::string text =
        failure.lost ? failure.reason : fmt::format("{}: {}", words, failure.reason);
    const auto [place, is_new] = places.emplace(text, reasons.size());
    if (is_new) reasons.push_back({text, 0});
    ++reasons[place->second].count;
  }
  return reasons;
}

constexpr std::size_t kMostReasons = 10;

void print_reasons(const CompareResults& results, const std::vector<CompareFailure>& failures,
                   const char* what) {
  const std::vector<Reason> reasons = reasons_of(results, failures);
  for (std::size_t i = 0; i < std::min(reasons.size(), kMostReasons); ++i) {
    fmt::print("{} {} times: {}\n", what, reasons[i].count, reasons[i].text);
  }
  if (reasons.size() > kMostReasons) {
    fmt::print("{}: {} other reasons, in compare.csv\n", what, reasons.size() - kMostReasons);
  }
}

Json reasons_json(const CompareResults& results, const std::vector<CompareFailure>& failures) {
  Json json = Json::array();
  for (const Reason& reason : reasons_of(results, failures)) {
    if (json.size() < kMostReasons) json.push_back(analysis::valid_utf8(reason.text));
  }
  return json;
}

void print_notes(const CompareResults& results) {
  bool missed = false;
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    missed = missed || analysis::missed_density(results, e, analysis::pooled_figures(results, e));
  }
  fmt::print(
      "\ndensity: attended token pairs, blocks: kept blocks, over all; errors against dense "
      "attention on the sampled rows\n");
  if (missed) {
    fmt::print("~: more than 2 % from the density that was asked for, as the pattern allows\n");
  }
  if (!results.excluded.empty()) {
    fmt::print("{} samples excluded, the first: {}\n", results.excluded.size(),
               results.excluded.front().reason);
  }
  print_reasons(results, results.failures, "left out");
  print_reasons(results, results.untimed, "not timed");
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
               {"reasons", Json::array()},
               {"folder", folder},
               {"patterns", Json::array()}};
  for (const auto* failures : {&results.failures, &results.untimed}) {
    for (Json& reason : reasons_json(results, *failures)) {
      json["reasons"].push_back(std::move(reason));
    }
  }
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

int finish_compare_outcome(const CompareResults& results, const analysis::ComparePlan& plan,
                           const CompareOutcome& outcome, const std::string& out) {
  analysis::write_compare_files(results, plan, out);
  if (!outcome.html.empty()) analysis::write_compare_page(results, outcome.html);
  bool lost = false;
  for (const CompareFailure& failure : results.untimed) lost = lost || failure.lost;
  const int code = lost ? kCheckFailed : kAllGood;
  if (outcome.json) {
    print_json(results, out);
    return code;
  }
  print_table(results);
  print_notes(results);
  fmt::print("predicted speedup: {}\n", results.rates_source);
  if (!results.time_source.empty()) fmt::print("measured speedup: {}\n", results.time_source);
  fmt::print("files: {0}/compare.h5, {0}/compare.csv, {0}/summary.csv{1}{2}\n", out,
             outcome.html.empty() ? "" : ", ", outcome.html);
  return code;
}

}  // namespace lvsa::app
