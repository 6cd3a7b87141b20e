#include "analysis/report/html_sweep_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "analysis/report/html_charts.hpp"

namespace lvsa::analysis {
namespace {

int sign_of(Better better) {
  return better == Better::kHigher ? 1 : (better == Better::kLower ? -1 : 0);
}

// Errors span orders of magnitude; shares and decibels do not.
bool is_logarithmic(Metric metric) {
  switch (metric) {
    case Metric::kRelativeL1:
    case Metric::kRelativeL2:
    case Metric::kRmse:
    case Metric::kLseShiftMean:
    case Metric::kLseShiftMax:
      return true;
    default:
      return false;
  }
}

template <class Value>
std::string joined_array(const std::vector<Value>& items,
                         const std::function<std::string(const Value&)>& text) {
  std::string json = "[";
  for (const Value& item : items) {
    if (json.size() > 1) json += ',';
    json += text(item);
  }
  return json + "]";
}

std::string index_json(const std::vector<std::size_t>& index) {
  return joined_array<std::size_t>(index, [](std::size_t i) { return std::to_string(i); });
}

std::string column_json(const SweepColumn& c) {
  return fmt::format(
      R"({{"key":{},"title":{},"unit":{},"better":{},"log":{},"metric":{},"values":{}}})",
      json_text(c.key), json_text(c.title), json_text(c.unit), c.better, c.log, c.metric,
      json_numbers(c.values));
}

std::string axis_json(const SweepAxis& axis) {
  return fmt::format(
      R"({{"name":{},"title":{},"values":{},"index":{}}})", json_text(axis.name),
      json_text(axis.title),
      joined_array<std::string>(axis.values, [](const std::string& v) { return json_text(v); }),
      index_json(axis.index));
}

std::string samples_json(const SweepResults& results) {
  std::string json = "[";
  for (std::size_t i = 0; i < results.samples.size(); ++i) {
    const SampleId& id = results.samples[i];
    const std::string name =
        i < results.sample_classes.size() ? json_text(results.sample_classes[i]) : "\"\"";
    json += fmt::format(R"({}{{"layer":{},"step":{},"batch":{},"head":{},"class":{}}})",
                        i == 0 ? "" : ",", id.layer, id.step, id.batch, id.head, name);
  }
  return json + "]";
}

struct AxisRule {
  const char* name;
  const char* title;
  // The value as a number for the order, and as text.
  std::function<std::pair<double, std::string>(const SweepSetting&)> value;
};

std::pair<double, std::string> optional_value(const std::optional<std::int64_t>& value,
                                              const char* none) {
  if (!value) return {-1.0, none};
  return {static_cast<double>(*value), std::to_string(*value)};
}

std::pair<double, std::string> whole(std::int64_t value) {
  return {static_cast<double>(value), std::to_string(value)};
}

const std::vector<AxisRule>& axis_rules() {
  using S = const SweepSetting&;
  static const std::vector<AxisRule> kRules = {
      {"W", "window W", [](S s) { return whole(s.window); }},
      {"scale", "sparsity scale",
       [](S s) {
         return s.budget ? std::pair(-1.0, std::string("-"))
                         : std::pair(s.scale, fmt::format("{}", s.scale));
       }},
      {"ref", "reference frames",
       [](S s) { return s.budget ? std::pair(-1.0, std::string("-")) : whole(s.reference); }},
      {"budget", "budget, frames", [](S s) { return optional_value(s.budget, "-"); }},
      {"interval", "keyframe interval", [](S s) { return optional_value(s.interval, "auto"); }},
      {"n_first", "first frames", [](S s) { return whole(s.n_first); }},
      {"expand", "window expands", [](S s) { return whole(s.expand ? 1 : 0); }},
      {"rotate", "rotation", [](S s) { return whole(s.rotate ? 1 : 0); }},
      {"offset", "offset of the grid", [](S s) { return whole(s.offset); }},
  };
  return kRules;
}

struct FigureRule {
  const char* key;
  const char* title;
  const char* unit;
  int better;
};
// Under the names that requirements use.
constexpr FigureRule kFigures[] = {
    {"density", "token density", "", -1},
    {"speedup", "expected speedup", "x", 1},
    {"frame_density", "frame density", "", -1},
    {"coverage", "union coverage over a rotation", "", 1},
    {"oldest_unseen", "age of the oldest unseen pair", "steps", -1},
    {"steps_to_cover", "steps until all that is ever seen was", "steps", -1},
    {"interval", "interval in force", "frames", 0}};

}  // namespace

std::vector<SweepColumn> sweep_columns(const SweepResults& results, const Front& front) {
  std::vector<SweepColumn> columns;
  for (const FigureRule& rule : kFigures) {
    SweepColumn column{rule.key, rule.title, rule.unit, rule.better, false, -1, {}};
    for (const SettingFigures& figures : results.figures) {
      column.values.push_back(figure_value(figures, rule.key));
    }
    columns.push_back(std::move(column));
  }
  if (results.samples.empty()) return columns;
  for (const MetricInfo& each : metric_infos()) {
    SweepColumn column{std::string(each.name),
                       std::string(each.title),
                       std::string(each.unit),
                       sign_of(each.better),
                       is_logarithmic(each.metric),
                       static_cast<int>(each.metric),
                       {}};
    for (const MetricValues& values : front.pooled) {
      column.values.push_back(values[static_cast<std::size_t>(each.metric)]);
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

std::vector<SweepAxis> sweep_axes(const SweepResults& results) {
  std::vector<SweepAxis> axes;
  for (const AxisRule& rule : axis_rules()) {
    std::map<std::pair<double, std::string>, std::size_t> places;
    for (const SweepSetting& setting : results.settings) places.emplace(rule.value(setting), 0);
    if (places.size() < 2) continue;
    SweepAxis axis{rule.name, rule.title, {}, {}};
    for (auto& [value, place] : places) {
      place = axis.values.size();
      axis.values.push_back(value.second);
    }
    for (const SweepSetting& setting : results.settings) {
      axis.index.push_back(places.at(rule.value(setting)));
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

std::vector<Metric> page_metrics(const SweepResults& results) {
  static constexpr std::array kOrder = {
      Metric::kRelativeL2,   Metric::kRecallMean, Metric::kRelativeL1,   Metric::kPsnr,
      Metric::kCosinePooled, Metric::kCosineMin,  Metric::kRecallMin,    Metric::kRecallP01,
      Metric::kLseShiftMean, Metric::kRmse,       Metric::kEntropyDense, Metric::kEntropySparse,
      Metric::kLseShiftMax};
  static_assert(kOrder.size() == kMetricCount);
  const std::size_t each = results.settings.size() * results.samples.size();
  const std::size_t fit = each == 0 ? 0 : std::min(kMetricCount, kMostPageValues / each);
  return {kOrder.begin(), kOrder.begin() + static_cast<std::ptrdiff_t>(fit)};
}

std::string sweep_data_html(const SweepResults& results, const std::vector<SweepColumn>& columns,
                            const std::string& x, const std::string& y,
                            std::optional<std::size_t> best) {
  const std::vector<Metric> kept = page_metrics(results);
  const std::string json = fmt::format(
      R"({{"words":{},"axes":{},"columns":{},"samples":{},"best":{},"x":{},"y":{},"kept":{}}})",
      joined_array<SweepSetting>(results.settings,
                                 [](const SweepSetting& s) { return json_text(setting_words(s)); }),
      joined_array<SweepAxis>(sweep_axes(results), axis_json),
      joined_array<SweepColumn>(columns, column_json), samples_json(results),
      best ? std::to_string(*best) : "null", json_text(x), json_text(y),
      joined_array<Metric>(kept,
                           [](const Metric& m) { return std::to_string(static_cast<int>(m)); }));
  std::string html = packed_element("sweep-data", json);
  std::vector<double> values(results.values.size());
  for (const Metric metric : kept) {
    const auto at = static_cast<std::size_t>(metric);
    std::transform(results.values.begin(), results.values.end(), values.begin(),
                   [&](const MetricValues& each) { return each[at]; });
    html += packed_floats(fmt::format("values-{}", at), values);
  }
  return html;
}

}  // namespace lvsa::analysis
