// Mask recovery on kernels whose masks are known.
#include "analysis/verify/recover.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/recover_search.hpp"
#include "core/error.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::analysis {
namespace {

using reference::Defect;

constexpr const char* kPlain = "T=21 P=3 H=1 Hkv=1 D=64 dtype=bf16 W=2 ref=9 step=3";
constexpr const char* kTextCase = "T=9 P=7 text=5 B=2 H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1";
constexpr const char* kWraps =
    "T=20 P=3 H=1 Hkv=1 D=64 dtype=bf16 W=2 interval=6 ref=9 step=5 condition=3,16";
constexpr const char* kWrapsAlone =
    "T=20 P=3 H=1 Hkv=1 D=64 dtype=bf16 W=2 interval=6 ref=9 step=5";
constexpr const char* kUneven = "T=15 P=3 H=1 Hkv=1 D=64 dtype=bf16 W=2 ref=7 expand=0 step=1";
constexpr const char* kTail = "T=9 P=33 text=5 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=4 step=1";

MaskRecovery recover(const std::string& line, const lvsa_kernel& kernel) {
  reference::forget_previous_calls();
  return recover_mask(parse_case(line + " input=uniform seed=1 rows=0"), kernel, {});
}

const lvsa_kernel& emulated(Defect defect = Defect::kNone) {
  return reference::mutant_kernel(defect);
}

std::string all_lines(const MaskRecovery& recovery) {
  std::string text;
  if (!recovery.mistake.empty()) text = fmt::format("explained by: {}\n", recovery.mistake);
  for (const MaskDifference& difference : recovery.differences) text += difference.line + "\n";
  return text;
}

// A kernel that is right about everything is recovered exactly, and by proof: every row has its
// pieces.
void expect_exact(const std::string& line, const lvsa_kernel& kernel) {
  const MaskRecovery recovery = recover(line, kernel);
  EXPECT_TRUE(recovery.exact()) << kernel.name << " " << line << "\n" << all_lines(recovery);
  EXPECT_EQ(recovery.undecided_rows, 0);
  const Case& c = recovery.c;
  const auto lists = reference_lists(c);
  for (std::int64_t f = 0; f < c.grid.frames; ++f) {
    const RowMask& mask = recovery.mask(c.batch - 1, c.heads - 1, f * c.grid.patches_per_frame);
    EXPECT_TRUE(mask.proven);
    std::vector<std::int32_t> attended;
    for (std::int64_t k = 0; k < c.grid.frames; ++k) {
      if (mask.frames[static_cast<std::size_t>(k)] > 0) {
        attended.push_back(static_cast<std::int32_t>(k));
      }
    }
    EXPECT_EQ(attended, lists[static_cast<std::size_t>(f)]) << line << " frame " << f;
    EXPECT_EQ(mask.text, c.grid.text_tokens);
  }
}

TEST(MaskRecovery, IsExactForHealthyKernelsOfAllShapes) {
  for (const char* line :
       {"T=13 P=17 text=5 B=2 H=4 Hkv=2 D=32 dtype=bf16 W=1 ref=5 step=1",
        "T=20 P=9 H=1 Hkv=1 D=16 dtype=f16 W=2 interval=6 ref=9 step=5 condition=3,16",
        "T=12 P=34 H=2 Hkv=1 D=64 dtype=f32 layout=bhsd W=1 n_first=0 interval=0 ref=5 step=0",
        "T=9 P=1 text=1 H=1 Hkv=1 D=16 dtype=bf16 W=0 n_first=0 interval=0 ref=3 step=0",
        "T=1 P=3 H=1 Hkv=1 D=128 dtype=bf16 ref=3 step=0",
        "T=5 P=200 text=77 H=1 Hkv=1 D=64 dtype=bf16 W=1 ref=3 step=2"}) {
    expect_exact(line, emulated());
    expect_exact(line, reference::cpu_kernel());
  }
}

TEST(MaskRecovery, IsExactAtLengthWithinTwentyRuns) {
  const std::string line = "T=121 P=3 text=6 H=2 Hkv=1 dtype=bf16 W=3 ref=21";
  expect_exact(line + " step=3 D=16", reference::cpu_kernel());
  expect_exact(line + " step=7 D=128", reference::cpu_kernel());
  const MaskRecovery recovery = recover(line + " step=4 D=64", emulated());
  EXPECT_TRUE(recovery.exact()) << all_lines(recovery);
  EXPECT_LE(recovery.runs, 20);
}

TEST(MaskRecovery, IsExactAtEveryStepOfARotation) {
  for (const std::int64_t step : {0, 1, 5}) {
    for (const char* line : {kPlain, kWraps, kUneven}) {
      const std::string text = line;
      expect_exact(text.substr(0, text.find(" step=")) + fmt::format(" step={}", step), emulated());
    }
  }
}

// Cases that between them show every defect of the mask, with what must be said of it.
struct Named {
  Defect defect;
  const char* line;
  const char* said;
};

class MaskDefect : public testing::TestWithParam<Named> {};

TEST_P(MaskDefect, IsFoundAndNamed) {
  const auto& [defect, line, said] = GetParam();
  const MaskRecovery recovery = recover(line, emulated(defect));
  EXPECT_NE(all_lines(recovery).find(said), std::string::npos) << said << " is not in\n"
                                                               << all_lines(recovery);
  EXPECT_EQ(recovery.undecided_rows, 0) << all_lines(recovery);
  EXPECT_EQ(mask_check(recovery).state, CheckState::kFails);
}

INSTANTIATE_TEST_SUITE_P(
    All, MaskDefect,
    testing::Values(
        Named{Defect::kWindowLeft, kPlain, "explained by: a window moved one frame to the left"},
        Named{Defect::kWindowRight, kPlain, "explained by: a window moved one frame to the right"},
        Named{Defect::kWindowAdaptive, kPlain, "explained by: an adaptive window instead"},
        Named{Defect::kWindowClipped, kPlain, "explained by: a window cut at the ends"},
        Named{Defect::kWindowWiderByOne, kPlain,
              "explained by: a window with one frame more on the right"},
        Named{Defect::kGridNotRotated, kPlain,
              "explained by: a keyframe grid that does not rotate"},
        Named{Defect::kGridRotatedTwice, kPlain, "explained by: a keyframe grid rotated twice"},
        Named{Defect::kGridNotWrapped, kWrapsAlone,
              "explained by: a keyframe grid that does not wrap"},
        Named{Defect::kGridWrongModulus, kPlain, "explained by: a keyframe grid"},
        Named{Defect::kIntervalOffByOne, kPlain, "explained by: a keyframe interval of"},
        Named{Defect::kFirstFramesIgnored, kWrapsAlone, "explained by: no first frames"},
        Named{Defect::kGuardMissing, kWraps, "not attend frame"},
        Named{Defect::kGlobalMissing, kPlain, "explained by: without the last global frame"},
        Named{Defect::kOwnFrameMissing, kPlain, "explained by: no frame attends itself"},
        Named{Defect::kListsShifted, kPlain, "explained by: frame f uses the list of frame f + 1"},
        Named{Defect::kDense, kPlain, "explained by: every frame attends every frame (dense)"},
        Named{Defect::kPaddingCounted, kUneven, "times)"},
        Named{Defect::kTextMissing, kTextCase,
              "query frames 0-8, every head do not attend the text"},
        Named{Defect::kTextTwice, kTextCase, "query frames 0-8, every head attend the text twice"},
        Named{Defect::kTextQueriesSparse, kTextCase,
              "text queries, every head do not attend frame"},
        Named{Defect::kNextBatchFrames, kTextCase, "of batch element 1"},
        Named{Defect::kStalePattern, kPlain, "explained by: the pattern of the call before"},
        Named{Defect::kEqualChecksums, kPlain, "explained by: the pattern of the call before"},
        Named{Defect::kFrameTailDropped, kTail, "32 of 33 tokens of frame"},
        Named{Defect::kFrameTailReadPast, kTail, "count 64 keys in frames"},
        Named{Defect::kPhantomKeys, kTail, "keys without value"},
        Named{Defect::kLastKeyDropped, kTail, "attend 4 of 5 text tokens (0-3)"},
        Named{Defect::kBatchFolded, kTextCase, "of batch element 1"},
        Named{Defect::kGroupsTiled, "T=3 P=4 H=4 Hkv=2 D=64 dtype=bf16 ref=5 step=0",
              "head 2 attend keys of kv head 0 with 1 of the weight"}),
    [](const auto& parameter) {
      std::string name = emulated(parameter.param.defect).name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(MaskRecovery, SaysOneLineForOneFramePair) {
  // One head of several, one query frame: the line of a kernel author's dreams.
  MaskRecovery recovery = recover("T=7 P=3 H=3 Hkv=3 D=32 dtype=f32 W=1 ref=4 step=3", emulated());
  ASSERT_TRUE(recovery.exact());
  RowMask wrong = recovery.mask(0, 2, 3 * 3);
  const auto frame = static_cast<std::int64_t>(
      std::find(wrong.frames.begin(), wrong.frames.end(), 0) - wrong.frames.begin());
  ASSERT_LT(frame, 7);
  wrong.frames[static_cast<std::size_t>(frame)] = 3;
  recovery.masks.push_back(wrong);
  for (std::size_t r = 0; r < 3; ++r) {
    recovery.row_mask[2 * 21 + 9 + r] = static_cast<std::int32_t>(recovery.masks.size() - 1);
  }
  compare_with_pattern(recovery);
  ASSERT_EQ(recovery.differences.size(), 1U);
  EXPECT_EQ(
      recovery.differences[0].line,
      fmt::format("query frame 3, head 2 attends frame {}, not in the pattern (step 3)", frame));
  EXPECT_EQ(recovery.differences[0].rows, 3);
  EXPECT_EQ(cell_state(recovery, 0, 2, 3, frame), CellState::kExtra);
  EXPECT_EQ(first_difference(recovery), (std::pair<std::int64_t, std::int64_t>{0, 2}));
}

TEST(MaskRecovery, FindsTheLengthOfACutFrameThatTheOutputIsTooCoarseFor) {
  // 1,560 tokens: one of them is less than bf16 can show in a mass; the fingerprints decide.
  const std::string line = "T=2 P=1560 H=1 Hkv=1 D=128 dtype=bf16 ref=4 step=0";
  const Case c = parse_case(line + " input=uniform seed=1 rows=0");
  const ProbeCodes codes(plan_columns(c, 8), 99);
  for (const std::int64_t kept : {1536, 1559}) {
    // The columns that a right kernel would give which attends frame 0 and the head of frame 1.
    const std::vector<KeyPiece> pieces = {{0, 1560, 1}, {1560, kept, 1}};
    std::vector<float> columns;
    for (std::int64_t column = 0; column < codes.columns().count(); ++column) {
      std::int64_t sum = 0;
      for (std::int64_t t = 0; t < 1560 + kept; ++t) sum += codes.code(column, 0, 0, t);
      columns.push_back(static_cast<float>(
          round_to_dtype(LVSA_BF16, static_cast<double>(sum) / static_cast<double>(1560 + kept))));
    }
    ProbeRow row;
    row.columns = columns;
    const RowMask mask =
        recover_row(codes, {LVSA_BF16, 0x1p-18}, row, {{0, 1560, 1}, {1560, 1560, 1}});
    EXPECT_TRUE(mask.proven);
    EXPECT_EQ(mask.frames[1], kept);
  }
}

TEST(MaskRecovery, IsUndecidedRatherThanWrongWhereWeightsAreWrong) {
  // Halves merged with wrong weights: no set of keys gives that, and none may be claimed.
  const MaskRecovery recovery = recover(kTextCase, emulated(Defect::kMergeWithoutWeights));
  EXPECT_GT(recovery.undecided_rows, 0);
  EXPECT_NE(all_lines(recovery).find("undecided"), std::string::npos);
  EXPECT_TRUE(recovery.mistake.empty());
}

TEST(MaskRecovery, SaysNothingOfADenominatorItCannotBlame) {
  const MaskRecovery recovery = recover(kTail, emulated(Defect::kSumMissesLastTile));
  EXPECT_NE(all_lines(recovery).find("denominator that lacks"), std::string::npos)
      << all_lines(recovery);
}

TEST(ProbePlan, KeepsItsBudgetAndCoversEveryKey) {
  for (const std::int64_t dim : {16, 64, 128}) {
    const Case c = parse_case(fmt::format(
        "T=121 P=1560 text=512 B=2 H=4 Hkv=2 D={} dtype=bf16 ref=21 step=0 input=uniform seed=1 "
        "rows=0",
        dim));
    const ProbeColumns columns = plan_columns(c, 19);
    EXPECT_LE(columns.runs(), 19);
    EXPECT_GE(columns.fingerprints, 32);
    EXPECT_GE(columns.text_classes() * columns.text_chunk, 512);
    EXPECT_GE(columns.position_classes() * columns.position_chunk, 1560);
  }
  const Case narrow =
      parse_case("T=121 P=2 H=1 Hkv=1 D=2 dtype=bf16 ref=21 step=0 input=uniform seed=1 rows=0");
  EXPECT_THROW(plan_columns(narrow, 19), Error);
}

TEST(ProbeCodes, CancelOverEachFrameAndOverTheText) {
  const Case c = parse_case(
      "T=6 P=7 text=4 H=1 Hkv=1 D=16 dtype=bf16 ref=3 step=0 input=uniform seed=1 rows=0");
  const ProbeCodes codes(plan_columns(c, 10), 5);
  std::map<int, int> seen;
  for (std::int64_t i = 0; i < codes.columns().fingerprints; ++i) {
    for (std::int64_t f = 0; f < 6; ++f) EXPECT_EQ(codes.fingerprint_sum(i, f * 7, f * 7 + 7), 0);
    EXPECT_EQ(codes.fingerprint_sum(i, 42, 46), 0);
    for (std::int64_t t = 0; t < 46; ++t) {
      ++seen[codes.code(codes.columns().first_fingerprint() + i, 0, 0, t)];
    }
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(DecoyPattern, HasTheSameSumsAndOtherFrames) {
  const Case c = parse_case(std::string(kPlain) + " input=uniform seed=1 rows=0");
  const FramePattern own = build_frame_pattern(case_pattern_spec(c));
  const FramePattern decoy = decoy_pattern(own);
  EXPECT_EQ(own.offsets, decoy.offsets);
  EXPECT_NE(own.list, decoy.list);
  for (std::int64_t f = 0; f < own.frames(); ++f) {
    const auto row = decoy.row(f);
    EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
    EXPECT_EQ(std::adjacent_find(row.begin(), row.end()), row.end());
    EXPECT_EQ(std::accumulate(row.begin(), row.end(), 0),
              std::accumulate(own.row(f).begin(), own.row(f).end(), 0));
  }
}

TEST(AlternativePatterns, DifferFromThePatternAndFromEachOther) {
  const Case c = parse_case(std::string(kWraps) + " input=uniform seed=1 rows=0");
  const auto alternatives = alternative_patterns(c);
  EXPECT_GE(alternatives.size(), 15U);
  const AttendedFrames own = lists_of(build_frame_pattern(case_pattern_spec(c)));
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    EXPECT_NE(alternatives[i].lists, own) << alternatives[i].name;
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(alternatives[i].lists, alternatives[j].lists);
  }
}

}  // namespace
}  // namespace lvsa::analysis
