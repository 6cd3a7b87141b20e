#pragma once
// Scores of videos, as the tools that judge them write them: a run is a video. docs/quality.md has
// the forms.

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lvsa::analysis {

/// A video with its scores. What its setting is may stand in the table itself.
struct QualityRun {
  std::string name;                      ///< the video's path, as the tool wrote it
  std::string where;                     ///< "runs.csv: line 3", for messages
  std::string setting;                   ///< words from the table; empty: none
  std::map<std::string, double> scores;  ///< by dimension, finite; higher is better
};

/// Runs in the order of their first appearance; dimensions too ("vqeval.composite",
/// "vbench.imaging_quality").
struct QualityRuns {
  std::vector<std::string> dimensions;
  std::vector<QualityRun> runs;
  std::unordered_map<std::string, std::size_t> places;  ///< of the runs, by name
  std::vector<std::string> files;
};

/// Adds what VQeval's `batch --output` writes: a row a video, its path in the column `video_path`,
/// scores in the columns whose names end with `_score`; an empty score is none. The setting comes
/// from the column `setting_column`, or else from columns with the names of words of settings (W,
/// n_first, interval, ref, scale, budget, expand, rotate, offset), which VQeval carries over from
/// the table that it is given. Throws Error(kValue) that names file, line, column and value: no
/// such columns, a score that is no finite number, a video that stands twice.
void add_vqeval(QualityRuns& runs, std::string_view text, const std::string& file,
                const std::string& setting_column = "setting");

/// Adds VBench's `*_eval_results.json`: {dimension: [score of all, [{"video_path",
/// "video_results"},
/// ...]]}; the list may also stand in an object as "video_results". A result is a number, or true
/// or false (dynamic_degree). VBench-Long's {"long_video_cnt"} is passed over. Throws Error(kJson,
/// kValue) that names file, place and value.
void add_vbench(QualityRuns& runs, std::string_view text, const std::string& file);

}  // namespace lvsa::analysis
