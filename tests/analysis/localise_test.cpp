// What is said of failures whose cause is known.
#include "analysis/verify/localise.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "analysis/verify/number_ranges.hpp"
#include "analysis/verify/run_case.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"

namespace lvsa::analysis {
namespace {

using reference::Defect;
using reference::RowId;

constexpr const char* kAll =
    "T=9 P=11 text=5 B=2 H=4 Hkv=2 D=32 dtype=bf16 W=1 ref=4 step=2 input=gauss seed=1 rows=256";
constexpr const char* kTurned =
    "T=20 P=5 H=2 Hkv=1 D=32 dtype=bf16 layout=bhsd W=2 interval=6 ref=9 step=5 input=gauss seed=1 "
    "rows=160";
constexpr const char* kMarked =
    "T=20 P=5 H=1 Hkv=1 D=32 dtype=bf16 W=2 interval=6 ref=9 step=5 input=indicator seed=1 rows=0";

std::string where(const char* line, Defect defect) {
  reference::forget_previous_calls();
  const CaseResult result = run_case(parse_case(line), reference::mutant_kernel(defect), {});
  EXPECT_EQ(result.status, Status::kFail) << line;
  return result.where;
}

TEST(Where, NamesThePatternThatTheOutputsFollow) {
  EXPECT_EQ(
      where(kTurned, Defect::kDense).rfind("explained by: every frame attends every frame", 0), 0U)
      << where(kTurned, Defect::kDense);
  EXPECT_NE(where(kTurned, Defect::kGridNotRotated).find("a keyframe grid that does not rotate"),
            std::string::npos);
  EXPECT_NE(where(kTurned, Defect::kWindowAdaptive).find("an adaptive window instead"),
            std::string::npos);
  EXPECT_NE(where(kTurned, Defect::kListsShifted).find("frame f uses the list of frame f + 1"),
            std::string::npos);
}

TEST(Where, NamesTheArithmetic) {
  EXPECT_NE(where(kAll, Defect::kScaleForgotten).find("scores that are not scaled"),
            std::string::npos);
  EXPECT_NE(where(kAll, Defect::kScaleTwice).find("scores that are scaled twice"),
            std::string::npos);
  EXPECT_NE(where(kAll, Defect::kLseBase2).find("only the log-sum-exp fails, which is in base 2"),
            std::string::npos);
  EXPECT_NE(where(kAll, Defect::kLseWithoutMax).find("lacks the maximum"), std::string::npos);
}

TEST(Where, NamesHeadsGroupsTextAndBatchElements) {
  EXPECT_NE(where(kAll, Defect::kGroupsTiled).find("kv heads repeated as a tile"),
            std::string::npos);
  EXPECT_NE(where(kAll, Defect::kGroupsTiled).find("only heads 1-2 (all 128 checked rows there"),
            std::string::npos);
  EXPECT_NE(where(kAll, Defect::kHeadsSwapped).find("heads 2n and 2n + 1 swapped"),
            std::string::npos);
  EXPECT_NE(where(kAll, Defect::kTextMissing)
                .find("video that does not attend the text; only video queries"),
            std::string::npos)
      << where(kAll, Defect::kTextMissing);
  EXPECT_NE(where(kAll, Defect::kTextQueriesSparse).find("only text queries"), std::string::npos);
  EXPECT_NE(where(kAll, Defect::kRowsPastEnd).find("only batch element 0"), std::string::npos);
}

TEST(Where, NamesWhatWasNotWritten) {
  EXPECT_NE(where(kMarked, Defect::kQueryTailUnwritten)
                .find("NaN or infinity (not written?); only the last query token"),
            std::string::npos)
      << where(kMarked, Defect::kQueryTailUnwritten);
  EXPECT_NE(where(kAll, Defect::kColumnTailUnwritten).find("only column 31 of 32"),
            std::string::npos);
}

TEST(Where, IsSilentOfACaseThatPasses) {
  const CaseResult result = run_case(parse_case(kAll), reference::mutant_kernel(Defect::kNone), {});
  EXPECT_EQ(result.where, "");
}

// Made-up failures, for rules that no defect of the corpus shows.
class Rules : public testing::Test {
 protected:
  Case c_ = parse_case(
      "T=6 P=40 text=8 B=2 H=4 Hkv=2 D=16 dtype=f32 W=1 ref=3 step=0 input=gauss seed=1 rows=0");
  FramePattern pattern_ = build_frame_pattern(case_pattern_spec(c_));

  std::string said(const std::function<bool(const RowId&)>& fails) {
    std::vector<CheckedRow> rows;
    for (std::int64_t b = 0; b < c_.batch; ++b) {
      for (std::int64_t s = 0; s < c_.grid.seq_len(); ++s) {
        for (std::int64_t h = 0; h < c_.heads; ++h) {
          CheckedRow row;
          row.id = {b, s, h};
          row.lse = fails(row.id);
          rows.push_back(row);
        }
      }
    }
    return describe_rows(c_, pattern_, rows);
  }
};

TEST_F(Rules, TellTheTailOfEachFrame) {
  EXPECT_EQ(said([](const RowId& r) { return r.token < 240 && r.token % 40 >= 16; }),
            "only the last 24 rows of each frame (from row 16) (all 1152 "
            "checked rows there, none of 832 elsewhere)");
}

TEST_F(Rules, TellResidues) {
  const std::string text =
      said([](const RowId& r) { return r.token < 240 && r.token % 40 % 16 == 15; });
  EXPECT_NE(text.find("rows 15 mod 16 of each frame"), std::string::npos) << text;
}

TEST_F(Rules, TellHeadsAndFramesTogether) {
  EXPECT_EQ(said([](const RowId& r) { return r.head == 3; }),
            "only head 3 (all 496 checked rows there, none of 1488 elsewhere)");
  const std::string text =
      said([](const RowId& r) { return r.head == 3 && r.token >= 80 && r.token < 120; });
  EXPECT_NE(text.find("only head 3, and of these query frame 2"), std::string::npos) << text;
}

TEST_F(Rules, TellNothingOfScatteredRows) {
  const std::string text = said([](const RowId& r) { return r.token * 7 % 31 == r.head * 5; });
  EXPECT_NE(text.find("no rule found"), std::string::npos) << text;
  EXPECT_EQ(said([](const RowId&) { return true; }), "every checked row");
  EXPECT_EQ(said([](const RowId&) { return false; }), "");
}

TEST(NumberRanges, JoinNeighbours) {
  EXPECT_EQ(number_ranges({3, 5, 6, 7, 12}), "3, 5-7, 12");
  EXPECT_EQ(number_ranges({1, 3, 5, 7}, 2), "1, 3 and 2 more");
  EXPECT_EQ(counted("frame", {4}), "frame 4");
  EXPECT_EQ(counted("frame", {4, 5}), "frames 4-5");
}

}  // namespace
}  // namespace lvsa::analysis
