#include "analysis/quality/quality_runs.hpp"

#include <gtest/gtest.h>

#include "analysis/quality/csv_table.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using test_support::refusal_of;

QualityRuns vqeval(const std::string& text) {
  QualityRuns runs;
  add_vqeval(runs, text, "runs.csv");
  return runs;
}
QualityRuns vbench(const std::string& text) {
  QualityRuns runs;
  add_vbench(runs, text, "r.json");
  return runs;
}

TEST(CsvTable, ReadsQuotesCommasAndLineBreaksWithinFields) {
  const CsvTable table = parse_csv(
      "\xef\xbb\xbf"
      "a,b\r\n\"x,\"\"y\"\"\n2\",z\r\n\n,\n",
      "t");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0][0], "x,\"y\"\n2");
  EXPECT_EQ(table.rows[1][1], "");
  EXPECT_EQ(table.lines, (std::vector<std::int64_t>{2, 5}));
}

TEST(CsvTable, WhatItWritesItReads) {
  for (const std::string text : {"", "plain", "a,b", "say \"so\"", "two\nlines"}) {
    const CsvTable table = parse_csv("h,i\n" + csv_field(text) + ",end\n", "t");
    EXPECT_EQ(table.rows.at(0).at(0), text);
  }
}

TEST(CsvTable, NamesTheLineOfWhatIsWrong) {
  EXPECT_EQ(refusal_of([] { parse_csv("", "t"); }),
            "t: empty; a line with the names of the columns is due");
  EXPECT_EQ(refusal_of([] { parse_csv("a,b\n1\n", "t"); }),
            "t: line 2: 1 fields; the header has 2");
  EXPECT_EQ(refusal_of([] { parse_csv("a,b\n1,\"2\n\n", "t"); }),
            "t: line 2: a quote is opened and never closed");
  EXPECT_EQ(refusal_of([] { parse_csv("a,a\n", "t"); }), "t: line 1: column 'a' stands twice");
  EXPECT_EQ(refusal_of([] { parse_csv("a\nx\"y\n", "t"); }),
            "t: line 2: a quote within a field that does not begin with one");
}

TEST(VqevalTable, GivesScoresByDimensionAndWordsOfSettings) {
  const QualityRuns runs = vqeval(
      "setting,video_path,composite_score,composite_verdict,duration,loop_quality_score\n"
      "W=3 scale=0.5,v/a.mp4,61.5,fair,10.0,50\nW=4,v/b.mp4,70,good,10.0,\n");
  EXPECT_EQ(runs.dimensions, (std::vector<std::string>{"vqeval.composite", "vqeval.loop_quality"}));
  ASSERT_EQ(runs.runs.size(), 2U);
  EXPECT_EQ(runs.runs[0].setting, "W=3 scale=0.5");
  EXPECT_EQ(runs.runs[0].scores.at("vqeval.composite"), 61.5);
  EXPECT_EQ(runs.runs[1].scores.count("vqeval.loop_quality"), 0U);  // an empty score is none
}

TEST(VqevalTable, TakesWordsFromColumnsOfTheirOwn) {
  const QualityRuns runs = vqeval("W,scale,ref,video_path,composite_score\n3,0.8,,a.mp4,1\n");
  EXPECT_EQ(runs.runs.at(0).setting, "W=3 scale=0.8");
}

TEST(VqevalTable, RefusesWhatIsNoTableOfScores) {
  EXPECT_EQ(refusal_of([] { vqeval("path,composite_score\na,1\n"); }),
            "runs.csv: no column 'video_path'; there are path, composite_score");
  EXPECT_EQ(
      refusal_of([] { vqeval("video_path,verdict\na,good\n"); }),
      "runs.csv: no column of scores, such as 'composite_score'; VQeval's `batch --output` is "
      "due");
  for (const std::string score : {"high", "nan", "inf", "1.5x", " 1"}) {
    EXPECT_EQ(refusal_of([&] { vqeval("video_path,a_score\nv,1\nw," + score + "\n"); }),
              "runs.csv: line 3: a_score is '" + score + "'; a finite number is due");
  }
  EXPECT_EQ(refusal_of([] { vqeval("video_path,a_score\nv,1\nv,2\n"); }),
            "runs.csv: line 3: video 'v' has a second score of vqeval.a; one is due");
  EXPECT_EQ(refusal_of([] { vqeval("setting,video_path,a_score\nW=1,v,1\nW=2,v,\n"); }),
            "runs.csv: line 3: video 'v' has the setting 'W=2' here and 'W=1' in runs.csv: line 2");
}

TEST(VbenchResults, GivesNumbersAndBooleansOfEachVideo) {
  const QualityRuns runs = vbench(
      R"({"imaging_quality": [0.7, [{"video_path": "a.mp4", "video_results": 72.5}]],
          "dynamic_degree": [0.5, [{"video_path": "a.mp4", "video_results": true},
                                   {"video_path": "b.mp4", "video_results": false}]],
          "temporal_flickering": {"score": 1, "video_results":
              [{"video_path": "b.mp4", "video_results": 1}, {"long_video_cnt": 1}]}})");
  EXPECT_EQ(runs.dimensions,
            (std::vector<std::string>{"vbench.imaging_quality", "vbench.dynamic_degree",
                                      "vbench.temporal_flickering"}));
  ASSERT_EQ(runs.runs.size(), 2U);
  EXPECT_EQ(runs.runs[0].scores.at("vbench.imaging_quality"), 72.5);
  EXPECT_EQ(runs.runs[0].scores.at("vbench.dynamic_degree"), 1.0);
  EXPECT_EQ(runs.runs[1].scores.at("vbench.dynamic_degree"), 0.0);
}

TEST(VbenchResults, RefusesWhatIsNoneWithItsPlace) {
  EXPECT_EQ(refusal_of([] { vbench("[]"); }), "r.json: an object with VBench's dimensions is due");
  EXPECT_EQ(refusal_of([] { vbench(R"({"color": 0.5})"); }),
            "r.json: /color: [score, [{\"video_path\", \"video_results\"}, ...]] is due");
  EXPECT_EQ(refusal_of([] { vbench(R"({"color": [1, [{"video_path": "a"}]]})"); }),
            "r.json: /color, result 1: {\"video_path\": text, \"video_results\": number} is due");
  EXPECT_EQ(
      refusal_of([] { vbench(R"({"color": [1, [{"video_path": "a", "video_results": "x"}]]})"); }),
      "r.json: /color, result 1: video_results is \"x\"; a finite number, true or false is "
      "due");
  EXPECT_EQ(refusal_of([] {
              vbench(R"({"color": [1, [{"video_path": "a", "video_results": 1},
                                       {"video_path": "a", "video_results": 1}]]})");
            }),
            "r.json: /color, result 2: video 'a' has a second score of vbench.color; one is due");
}

TEST(QualityRuns, TheSameVideoInBothToolsIsOneRun) {
  QualityRuns runs = vqeval("video_path,composite_score\na.mp4,1\n");
  add_vbench(runs, R"({"color": [1, [{"video_path": "a.mp4", "video_results": 0.5}]]})", "r.json");
  ASSERT_EQ(runs.runs.size(), 1U);
  EXPECT_EQ(runs.runs[0].scores.size(), 2U);
}

}  // namespace
}  // namespace lvsa::analysis
