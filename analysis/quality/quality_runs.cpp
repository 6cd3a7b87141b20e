#include "analysis/quality/quality_runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/quality/csv_table.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kWordColumns = {"W",      "n_first", "interval", "ref",   "scale",
                                     "budget", "expand",  "rotate",   "offset"};

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kValue, where + ": " + what);
}

QualityRun& run_of(QualityRuns& runs, const std::string& name, const std::string& where) {
  const auto [at, is_new] = runs.places.try_emplace(name, runs.runs.size());
  if (is_new) runs.runs.push_back({name, where, "", {}});
  return runs.runs[at->second];
}

void add_score(QualityRuns& runs, QualityRun& run, const std::string& dimension, double score,
               const std::string& where) {
  if (std::find(runs.dimensions.begin(), runs.dimensions.end(), dimension) ==
      runs.dimensions.end()) {
    runs.dimensions.push_back(dimension);
  }
  if (!run.scores.emplace(dimension, score).second) {
    refuse(where, fmt::format("video '{}' has a second score of {}; one is due",
                              printable(run.name), printable(dimension)));
  }
}

// --- VQeval
// ---------------------------------------------------------------------------------------

struct VqevalColumns {
  std::size_t video = 0;
  std::vector<std::pair<std::size_t, std::string>> scores;  // with their dimensions
  std::vector<std::pair<std::size_t, std::string>> words;   // with the word; "" for all words
};

VqevalColumns vqeval_columns(const CsvTable& table, const std::string& file,
                             const std::string& setting_column) {
  constexpr std::string_view kEnding = "_score";
  VqevalColumns columns;
  const auto video = table.column("video_path");
  if (!video) {
    refuse(file, fmt::format("no column 'video_path'; there are {}",
                             printable(fmt::format("{}", fmt::join(table.columns, ", ")), 200)));
  }
  columns.video = *video;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& name = table.columns[i];
    if (name.size() > kEnding.size() && name.ends_with(kEnding)) {
      columns.scores.emplace_back(i, "vqeval." + name.substr(0, name.size() - kEnding.size()));
    }
  }
  if (columns.scores.empty()) {
    refuse(file,
           "no column of scores, such as 'composite_score'; VQeval's `batch --output` is due");
  }
  if (const auto words = table.column(setting_column)) {
    columns.words.emplace_back(*words, "");
    return columns;
  }
  for (const char* word : kWordColumns) {
    if (const auto at = table.column(word)) columns.words.emplace_back(*at, word);
  }
  return columns;
}

std::string setting_of(const std::vector<std::string>& row, const VqevalColumns& columns) {
  std::string words;
  for (const auto& [at, word] : columns.words) {
    if (row[at].empty()) continue;
    words +=
        fmt::format("{}{}{}{}", words.empty() ? "" : " ", word, word.empty() ? "" : "=", row[at]);
  }
  return words;
}

double parse_score(const std::string& text, const std::string& where, const std::string& column) {
  double value = 0.0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) {
    refuse(where,
           fmt::format("{} is '{}'; a finite number is due", printable(column), printable(text)));
  }
  return value;
}

// --- VBench
// ---------------------------------------------------------------------------------------

const Json& list_of(const Json& value, const std::string& where) {
  if (value.is_array() && value.size() == 2 && value[1].is_array()) return value[1];
  if (value.is_object() && value.contains("video_results") && value["video_results"].is_array()) {
    return value["video_results"];
  }
  refuse(where, "[score, [{\"video_path\", \"video_results\"}, ...]] is due");
}

double result_of(const Json& value, const std::string& where) {
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    refuse(where,
           fmt::format("video_results is {}; a finite number, true or false is due",
                       printable(value.dump(-1, ' ', true, Json::error_handler_t::replace), 60)));
  }
  return value.get<double>();
}

}  // namespace

void add_vqeval(QualityRuns& runs, std::string_view text, const std::string& file,
                const std::string& setting_column) {
  const CsvTable table = parse_csv(text, file);
  const VqevalColumns columns = vqeval_columns(table, file, setting_column);
  runs.files.push_back(file);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::vector<std::string>& row = table.rows[i];
    const std::string where = fmt::format("{}: line {}", file, table.lines[i]);
    if (row[columns.video].empty()) refuse(where, "video_path is empty; a video is due");
    QualityRun& run = run_of(runs, row[columns.video], where);
    const std::string setting = setting_of(row, columns);
    if (!run.setting.empty() && !setting.empty() && run.setting != setting) {
      refuse(where,
             fmt::format("video '{}' has the setting '{}' here and '{}' in {}", printable(run.name),
                         printable(setting), printable(run.setting), run.where));
    }
    if (!setting.empty()) run.setting = setting;
    for (const auto& [at, dimension] : columns.scores) {
      if (row[at].empty()) continue;
      add_score(runs, run, dimension, parse_score(row[at], where, table.columns[at]), where);
    }
  }
}

void add_vbench(QualityRuns& runs, std::string_view text, const std::string& file) {
  constexpr JsonLimits kLimits{8, 2'000'000};
  // Dimensions keep the order of the file; there are few, and few keys in a result.
  const Json root = parse_strict_ordered_json(text, file, kLimits);
  if (!root.is_object() || root.empty()) {
    refuse(file, "an object with VBench's dimensions is due");
  }
  runs.files.push_back(file);
  for (const auto& [dimension, value] : root.items()) {
    const std::string place = fmt::format("{}: /{}", file, printable(dimension));
    const Json& list = list_of(value, place);
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string where = fmt::format("{}, result {}", place, i + 1);
      const Json& entry = list[i];
      if (entry.is_object() && entry.size() == 1 && entry.contains("long_video_cnt")) continue;
      if (!entry.is_object() || !entry.contains("video_path") || !entry["video_path"].is_string() ||
          !entry.contains("video_results")) {
        refuse(where, "{\"video_path\": text, \"video_results\": number} is due");
      }
      const auto name = entry["video_path"].get<std::string>();
      if (name.empty()) refuse(where, "video_path is empty; a video is due");
      const double score = result_of(entry["video_results"], where);
      add_score(runs, run_of(runs, name, where), "vbench." + dimension, score, where);
    }
  }
}

}  // namespace lvsa::analysis
