#include "analysis/sweep/sweep_csv.hpp"

#include <fmt/format.h>

#include <iterator>

#include "analysis/report/text_format.hpp"
#include "analysis/sweep/sweep_columns.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

std::string cell(const std::string& text) {
  const std::string valid = valid_utf8(text);
  if (valid.find_first_of(",\"\r\n") == std::string::npos) return valid;
  std::string quoted = "\"";
  for (const char c : valid) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// The shortest text that reads back as the same number.
void add_number(std::string& line, double value) {
  if (value != value) {
    line += ",nan";  // without the sign that some have
  } else {
    fmt::format_to(std::back_inserter(line), ",{}", value);
  }
}

std::string setting_header() {
  std::string line = "setting";
  for (const SettingColumn& column : kSettingColumns) line += fmt::format(",{}", column.name);
  return line;
}

std::string setting_cells(const SweepSetting& setting) {
  std::string line = cell(setting_words(setting));
  for (const SettingColumn& column : kSettingColumns) add_number(line, column.value(setting));
  return line;
}

void add_metric_names(std::string& line) {
  for (const MetricInfo& metric : metric_infos()) line += fmt::format(",{}", metric.name);
}

void add_metrics(std::string& line, const MetricValues& values) {
  for (const MetricInfo& metric : metric_infos()) {
    add_number(line, values[static_cast<std::size_t>(metric.metric)]);
  }
}

}  // namespace

void write_sweep_csv(const SweepResults& results, const std::string& path) {
  AtomicFile file(path);
  std::string header =
      setting_header() + ",token_density,expected_speedup,source,layer,step,batch,head,class";
  add_metric_names(header);
  file.write(header + "\n");
  std::vector<std::string> samples;
  for (std::size_t i = 0; i < results.samples.size(); ++i) {
    const SampleId& id = results.samples[i];
    samples.push_back(
        fmt::format(",{},{},{},{},{},{}", cell(id.source), id.layer, id.step, id.batch, id.head,
                    results.sample_classes.empty() ? "" : cell(results.sample_classes[i])));
  }
  for (std::size_t s = 0; s < results.settings.size(); ++s) {
    std::string start = setting_cells(results.settings[s]);
    add_number(start, results.figures[s].token_density);
    add_number(start, results.figures[s].expected_speedup);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::string line = start + samples[i];
      add_metrics(line, results.at(s, i));
      file.write(line + "\n");
    }
  }
  file.commit();
}

void write_summary_csv(const SweepResults& results, const Front& front, const std::string& path) {
  AtomicFile file(path);
  std::string header = setting_header();
  for (const FigureColumn& column : kFigureColumns) header += fmt::format(",{}", column.name);
  add_metric_names(header);
  file.write(header + ",on_front,knee,meets,best\n");
  std::vector<bool> on_front(results.settings.size());
  for (const std::size_t s : front.settings) on_front[s] = true;
  for (std::size_t s = 0; s < results.settings.size(); ++s) {
    std::string line = setting_cells(results.settings[s]);
    for (const FigureColumn& column : kFigureColumns) {
      add_number(line, column.value(results.figures[s]));
    }
    add_metrics(line, front.pooled[s]);
    const std::string meets = front.meets.empty() ? "" : front.meets[s] ? "1" : "0";
    const std::string best = front.meets.empty() ? "" : front.best == s ? "1" : "0";
    file.write(fmt::format("{},{:d},{:d},{},{}\n", line, static_cast<bool>(on_front[s]),
                           front.knee == s, meets, best));
  }
  file.commit();
}

}  // namespace lvsa::analysis
