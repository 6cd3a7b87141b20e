#include "analysis/sweep/pattern_compare_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <iterator>

#include "analysis/report/text_format.hpp"
#include "analysis/report/write_reports.hpp"
#include "analysis/sweep/sweep_folder.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

namespace fs = std::filesystem;

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

std::string entry_header() { return "pattern,rule,target_density"; }

std::string entry_cells(const CompareResults& results, std::size_t entry) {
  const CompareEntry& e = results.entries[entry];
  const CompareRule& rule = results.rules[e.rule];
  std::string line = cell(rule.words) + "," + cell(rule.name);
  add_number(line, e.target);
  return line;
}

std::string figure_header() {
  std::string line;
  for (const FigureInfo& figure : compare_figures()) line += fmt::format(",{}", figure.name);
  for (const MetricInfo& metric : metric_infos()) line += fmt::format(",{}", metric.name);
  return line;
}

void add_figures(std::string& line, const CompareFigures& figures) {
  for (const FigureInfo& figure : compare_figures()) add_number(line, figure.value(figures));
  for (const double value : figures.metrics) add_number(line, value);
}

// [entries * samples], empty where there is none.
std::vector<std::string> reasons_of(const CompareResults& results,
                                    const std::vector<CompareFailure>& failures) {
  std::vector<std::string> reasons(results.values.size());
  for (const CompareFailure& failure : failures) {
    reasons[results.place(failure.entry, failure.sample)] = failure.reason;
  }
  return reasons;
}

void add_summary_lines(const CompareResults& results, const SampleGroup& group, std::string& text) {
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    std::size_t failed = 0;
    for (const std::size_t i : group.samples) failed += results.failed(e, i) ? 1 : 0;
    std::string line = entry_cells(results, e);
    line += fmt::format(",{},{},{}", group.head_class.empty() ? "all" : cell(group.head_class),
                        group.samples.size() - failed, failed);
    add_figures(line, pooled_figures(results, e, group.samples));
    text += line + "\n";
  }
}

}  // namespace

void write_compare_csv(const CompareResults& results, const std::string& path) {
  AtomicFile file(path);
  file.write(entry_header() + ",words,choice,source,layer,step,batch,head,class" + figure_header() +
             ",excluded,untimed\n");
  const std::vector<std::string> excluded = reasons_of(results, results.failures);
  const std::vector<std::string> untimed = reasons_of(results, results.untimed);
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    for (std::size_t i = 0; i < results.samples.size(); ++i) {
      const std::size_t at = results.place(e, i);
      const SampleId& id = results.samples[i];
      std::string line = entry_cells(results, e);
      line += fmt::format(",{},{},{},{},{},{},{},{}", cell(results.words[at]),
                          cell(results.choices[at]), cell(id.source), id.layer, id.step, id.batch,
                          id.head,
                          results.sample_classes.empty() ? "" : cell(results.sample_classes[i]));
      add_figures(line, results.values[at]);
      line += "," + cell(excluded[at]) + "," + cell(untimed[at]);
      file.write(line + "\n");
    }
  }
  file.commit();
}

void write_compare_summary(const CompareResults& results, const std::string& path) {
  std::string text = entry_header() + ",class,samples,excluded" + figure_header() + "\n";
  SampleGroup all;
  for (std::size_t i = 0; i < results.samples.size(); ++i) all.samples.push_back(i);
  add_summary_lines(results, all, text);
  for (const SampleGroup& group : groups_by_class(results)) add_summary_lines(results, group, text);
  write_file_atomically(path, text);
}

void write_compare_files(const CompareResults& results, const ComparePlan& plan,
                         const std::string& folder) {
  try {
    make_report_folder(folder);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("--out {}", error.what()));
  }
  const fs::path in(folder);
  write_compare_csv(results, in / "compare.csv");
  write_compare_summary(results, in / "summary.csv");
  write_provenance(results.provenance, folder);
  write_compare_hdf5(results, plan, in / "compare.h5");
}

}  // namespace lvsa::analysis
