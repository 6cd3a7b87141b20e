#pragma once
// Which setting of a sweep a video was made with.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/quality/quality_runs.hpp"
#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

/// A table that names the settings of runs: the columns `run` (the video's path, its last part with
/// or without the ending, or a folder that it lies in) and `setting` (words, or "dense").
struct SettingMap {
  struct Row {
    std::string run, setting, where;
  };
  std::vector<Row> rows;
};
/// Throws Error(kValue) that names file, line and value: missing columns, empty fields, a run that
/// stands twice.
SettingMap parse_setting_map(std::string_view text, const std::string& file);

/// How the names of videos tell the setting. Without a pattern: words as "W=3" anywhere in the
/// path. With one, "w{W}_s{scale}": the text between braces is a word's name, its value stands
/// there.
struct NameRule {
  std::string pattern;
};
/// Throws Error(kValue) for a pattern without braces, with braces that do not close, or with a name
/// that is no word of a setting.
NameRule parse_name_rule(const std::string& pattern);
/// "W=3 scale=0.5" of a path, or nothing.
std::string words_in_name(const NameRule& rule, std::string_view path);

struct RunSetting {
  bool dense = false;                  ///< dense attention, no setting of the sweep
  std::optional<std::size_t> setting;  ///< index into the sweep's
  std::string words;                   ///< what was found; empty: nothing
  std::string reason;                  ///< why there is none
};

/// What table, map and name say of each run; where several say something they must agree. Words
/// that leave some out stand for a setting if only one of the sweep has them. Throws Error(kValue)
/// for words that are none, for a run of which two sources say different things, and for a row of
/// the map that fits several runs by its last part.
std::vector<RunSetting> settings_of_runs(const QualityRuns& runs, const SettingMap& map,
                                         const NameRule& rule,
                                         const std::vector<SweepSetting>& settings);

/// Rows of the map that fit no run.
std::vector<std::string> unused_rows(const QualityRuns& runs, const SettingMap& map);

}  // namespace lvsa::analysis
