#pragma once
// The corpus of defects that a conformance tool must catch: what each is called, what it does
// wrong, and in which part of a kernel it sits.

#include <span>
#include <string_view>

namespace lvsa::reference {

enum class Defect {
  kNone,
  // Mask: the frames and text that a query attends.
  kWindowLeft,
  kWindowRight,
  kWindowAdaptive,
  kWindowClipped,
  kWindowWiderByOne,
  kGridNotRotated,
  kGridRotatedTwice,
  kGridNotWrapped,
  kGridWrongModulus,
  kIntervalOffByOne,
  kFirstFramesIgnored,
  kGuardMissing,
  kGlobalMissing,
  kOwnFrameMissing,
  kListsShifted,
  kDense,
  kPaddingCounted,
  kTextMissing,
  kTextTwice,
  kTextQueriesSparse,
  kNextBatchFrames,
  kStalePattern,
  kEqualChecksums,
  kMaskBiasFinite,
  kMaskByZeroWeight,
  kPlanByAddress,
  kDenseTextMissing,
  // Numerics.
  kScaleForgotten,
  kScaleTwice,
  kScaleOnePercent,
  kLog2e144,
  kRescaleMissing,
  kSumNotRescaled,
  kSumMissesLastTile,
  kSumMissesFirstTile,
  kMaxNotUpdated,
  kMaxStartsAtZero,
  kFewerBitsOfP,
  kTowardZeroP,
  kAccumulateBf16,
  kLseBase2,
  kLseWithoutMax,
  kLseRoundedBf16,
  kMergeWrongBase,
  kMergeWithoutWeights,
  kMergeEmptyNan,
  kEmptyRowNan,
  kValuesClamped,
  kRoundsDown,
  kLseOfValues,
  kNoLseOrder,
  // Memory and indexing.
  kFrameTailDropped,
  kFrameTailReadPast,
  kPhantomKeys,
  kRowsPastEnd,
  kLastKeyDropped,
  kQueryTailUnwritten,
  kColumnTailUnwritten,
  kHeadsSwapped,
  kWrongKvHead,
  kGroupsTiled,
  kBatchFolded,
  kOffsetOverflow,
  kStridesIgnored,
  kValuesShifted,
  kHeadDimTailDropped,
  kInputChanged,
  kPreviousCall,
  kOrderVaries,
  kRowEndOverrun,
  kTensorEndOverrun,
  kRowEndRead,
  kNeighbourQueryRead,
  kDataByAddress,
  kWorkspaceDirty,
  kZerosUnwritten,
  kThreadsOrder,
  kBatchOrder,
  kHeadOrder,
  kGroupOrder,
  kWantedOrder,
  kFrameCountOrder,
  kCount,
};

enum class DefectFamily { kMask, kNumerics, kMemory };
/// "mask", "numerics", "memory".
std::string_view family_name(DefectFamily family);

struct DefectInfo {
  Defect defect = Defect::kNone;
  const char* name = "";
  DefectFamily family = DefectFamily::kMask;
  const char* description = "";
};

/// Every defect once, in the order of the enumeration, kNone left out.
std::span<const DefectInfo> all_defects();

}  // namespace lvsa::reference
