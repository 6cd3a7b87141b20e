#include "reference/attention/mutants/defects.hpp"

#include <array>

namespace lvsa::reference {
namespace {

using enum Defect;
constexpr auto kMsk = DefectFamily::kMask;
constexpr auto kNum = DefectFamily::kNumerics;
constexpr auto kMem = DefectFamily::kMemory;

constexpr std::array kDefects = {
    DefectInfo{kWindowLeft, "window-off-by-one-left", kMsk, "window moved one frame to the left"},
    DefectInfo{kWindowRight, "window-off-by-one-right", kMsk, "window moved one to the right"},
    DefectInfo{kWindowAdaptive, "window-adaptive", kMsk, "not expanded past global frames"},
    DefectInfo{kWindowClipped, "window-clipped", kMsk, "cut at the ends instead of shifted"},
    DefectInfo{kWindowWiderByOne, "window-too-wide", kMsk, "one more frame on the right"},
    DefectInfo{kGridNotRotated, "grid-not-rotated", kMsk, "keyframe grid always at offset 0"},
    DefectInfo{kGridRotatedTwice, "grid-rotated-twice", kMsk, "offset applied twice"},
    DefectInfo{kGridNotWrapped, "grid-not-wrapped", kMsk, "offset not wrapped modulo T"},
    DefectInfo{kGridWrongModulus, "grid-wrong-modulus", kMsk,
               "step taken modulo T instead of the interval"},
    DefectInfo{kIntervalOffByOne, "interval-off-by-one", kMsk, "keyframe interval + 1"},
    DefectInfo{kFirstFramesIgnored, "n-first-ignored", kMsk,
               "first frames not global at offset > 0"},
    DefectInfo{kGuardMissing, "guard-missing", kMsk,
               "guard and condition frames not joined to the global ones"},
    DefectInfo{kGlobalMissing, "global-missing", kMsk, "last global frame left out"},
    DefectInfo{kOwnFrameMissing, "own-frame-missing", kMsk, "a frame does not attend itself"},
    DefectInfo{kListsShifted, "lists-shifted", kMsk, "frame f uses the list of frame f + 1"},
    DefectInfo{kDense, "dense-fallback", kMsk, "every frame attends every frame"},
    DefectInfo{kPaddingCounted, "padding-counted", kMsk,
               "repeats that pad the attended table count as keys"},
    DefectInfo{kTextMissing, "text-missing", kMsk, "video does not attend text"},
    DefectInfo{kTextTwice, "text-twice", kMsk, "text attended twice"},
    DefectInfo{kTextQueriesSparse, "text-queries-sparse", kMsk,
               "text queries attend as the last frame does"},
    DefectInfo{kNextBatchFrames, "next-batch-frames", kMsk,
               "last attended frame read from the next batch element"},
    DefectInfo{kStalePattern, "stale-pattern", kMsk, "keeps the first pattern of a geometry"},
    DefectInfo{kEqualChecksums, "equal-checksums", kMsk,
               "takes two patterns with equal sums for one"},
    DefectInfo{kMaskBiasFinite, "mask-bias-finite", kMsk,
               "masked keys get score - 10000, not -infinity"},
    DefectInfo{kMaskByZeroWeight, "mask-by-zero-weight", kMsk,
               "masked values are read and multiplied by 0"},
    DefectInfo{kPlanByAddress, "plan-by-address", kMsk,
               "keeps the pattern that it first saw at an address"},
    DefectInfo{kDenseTextMissing, "dense-text-missing", kMsk,
               "a frame that attends all frames does not attend text"},
    DefectInfo{kScaleForgotten, "scale-forgotten", kNum, "scores not scaled"},
    DefectInfo{kScaleTwice, "scale-twice", kNum, "scores scaled twice"},
    DefectInfo{kScaleOnePercent, "scale-one-percent", kNum, "scale 1 % too large"},
    DefectInfo{kLog2e144, "log2e-1.44", kNum, "log2(e) taken as 1.44"},
    DefectInfo{kRescaleMissing, "missing-rescale", kNum,
               "accumulators not rescaled at the second tile"},
    DefectInfo{kSumNotRescaled, "sum-not-rescaled", kNum, "denominator never rescaled"},
    DefectInfo{kSumMissesLastTile, "sum-misses-last-tile", kNum, "denominator lacks it"},
    DefectInfo{kSumMissesFirstTile, "sum-misses-first-tile", kNum, "denominator lacks it"},
    DefectInfo{kMaxNotUpdated, "max-not-updated", kNum, "maximum of the first tile kept"},
    DefectInfo{kMaxStartsAtZero, "max-starts-at-zero", kNum, "running maximum starts at 0"},
    DefectInfo{kFewerBitsOfP, "p-fewer-bits", kNum, "P cut to four bits"},
    DefectInfo{kTowardZeroP, "p-toward-zero", kNum, "P rounded toward zero, not to nearest"},
    DefectInfo{kAccumulateBf16, "accumulate-bf16", kNum, "accumulators rounded to bf16"},
    DefectInfo{kLseBase2, "lse-base-2", kNum, "log-sum-exp in base 2"},
    DefectInfo{kLseWithoutMax, "lse-without-max", kNum, "log-sum-exp lacks the maximum"},
    DefectInfo{kLseRoundedBf16, "lse-rounded-bf16", kNum, "log-sum-exp rounded to bf16"},
    DefectInfo{kMergeWrongBase, "merge-wrong-base", kNum,
               "halves merged by 2^lse of natural log-sum-exps"},
    DefectInfo{kMergeWithoutWeights, "merge-without-weights", kNum, "halves merged as a mean"},
    DefectInfo{kMergeEmptyNan, "merge-empty-nan", kNum, "an empty first half turns into NaN"},
    DefectInfo{kEmptyRowNan, "empty-row-nan", kNum, "a row without keys becomes 0 / 0"},
    DefectInfo{kValuesClamped, "values-clamped", kNum, "V clamped to -4 .. 4"},
    DefectInfo{kRoundsDown, "output-rounded-down", kNum, "output rounded towards -infinity"},
    DefectInfo{kLseOfValues, "lse-of-values", kNum, "log-sum-exp moved by 2^-20 of the output"},
    DefectInfo{kNoLseOrder, "no-lse-order", kNum,
               "tiles in another order when no log-sum-exp is wanted"},
    DefectInfo{kFrameTailDropped, "frame-tail-dropped", kMem, "a frame's part tile is left out"},
    DefectInfo{kFrameTailReadPast, "frame-tail-read-past", kMem,
               "a frame's part tile is filled from the next frame"},
    DefectInfo{kPhantomKeys, "phantom-keys", kMem, "zero rows that fill a part tile are attended"},
    DefectInfo{kRowsPastEnd, "rows-past-end", kMem,
               "last tile runs past the sequence into the next batch element"},
    DefectInfo{kLastKeyDropped, "last-key-dropped", kMem, "last key of a row left out"},
    DefectInfo{kQueryTailUnwritten, "output-tail-unwritten", kMem, "last query row not written"},
    DefectInfo{kColumnTailUnwritten, "column-tail-unwritten", kMem, "last column not written"},
    DefectInfo{kHeadsSwapped, "heads-swapped", kMem, "output rows of two heads swapped"},
    DefectInfo{kWrongKvHead, "wrong-kv-head", kMem, "last head of a group reads the next kv head"},
    DefectInfo{kGroupsTiled, "gqa-tile-not-interleave", kMem,
               "kv heads repeated as a tile, not each"},
    DefectInfo{kBatchFolded, "batch-folded", kMem, "batch elements attend each other's keys"},
    DefectInfo{kOffsetOverflow, "offset-overflow", kMem,
               "key offsets wrap (at 2^14 elements, standing for 2^31)"},
    DefectInfo{kStridesIgnored, "strides-ignored", kMem, "keys read as if [B, S, H, D]"},
    DefectInfo{kValuesShifted, "values-shifted", kMem, "V read one row behind K"},
    DefectInfo{kHeadDimTailDropped, "head-dim-tail-dropped", kMem, "last elements of q.k left out"},
    DefectInfo{kInputChanged, "input-changed", kMem, "q scaled in place, in the caller's memory"},
    DefectInfo{kPreviousCall, "previous-call", kMem, "first row starts from the last call's sum"},
    DefectInfo{kOrderVaries, "order-varies", kMem, "order of tiles differs from call to call"},
    DefectInfo{kRowEndOverrun, "row-end-overrun", kMem,
               "writes a zero behind each output row where rows have gaps"},
    DefectInfo{kTensorEndOverrun, "tensor-end-overrun", kMem,
               "writes a zero behind the whole output"},
    DefectInfo{kRowEndRead, "row-end-read", kMem,
               "q.k takes in the element behind a row of K, times 0"},
    DefectInfo{kNeighbourQueryRead, "neighbour-query-read", kMem,
               "scores take in the next query row, times 0"},
    DefectInfo{kDataByAddress, "data-by-address", kMem,
               "keeps the keys that it first saw at an address"},
    DefectInfo{kWorkspaceDirty, "workspace-dirty", kMem,
               "order of tiles by what the workspace holds before"},
    DefectInfo{kZerosUnwritten, "zeros-unwritten", kMem, "outputs that are 0 are not written"},
    DefectInfo{kThreadsOrder, "threads-order", kMem, "order of tiles by the number of threads"},
    DefectInfo{kBatchOrder, "batch-order", kMem, "order of tiles by the batch element"},
    DefectInfo{kHeadOrder, "head-order", kMem, "order of tiles by the query head"},
    DefectInfo{kGroupOrder, "group-order", kMem, "order of tiles by the size of groups"},
    DefectInfo{kWantedOrder, "wanted-order", kMem, "order of tiles by which other rows are wanted"},
    DefectInfo{kFrameCountOrder, "frame-count-order", kMem,
               "order of tiles by the number of frames"},
};
static_assert(kDefects.size() + 1 == static_cast<std::size_t>(kCount));

}  // namespace

std::string_view family_name(DefectFamily family) {
  switch (family) {
    case DefectFamily::kMask:
      return "mask";
    case DefectFamily::kNumerics:
      return "numerics";
    case DefectFamily::kMemory:
      return "memory";
  }
  return "unknown";
}

std::span<const DefectInfo> all_defects() { return kDefects; }

}  // namespace lvsa::reference
