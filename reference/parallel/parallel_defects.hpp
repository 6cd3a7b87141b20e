#pragma once
// Known defects of sequence-parallel attention: what a check of it must find.

#include <span>

namespace lvsa::reference {

enum class ParallelDefect {
  kNone,
  kTextEveryStep,
  kTextNever,
  kTextQueriesLocal,
  kOverwriteMerge,
  kMergeNewLse,
  kMergeMean,
  kBase2Lse,
  kEmptyFirstBlock,
  kRingStepMissing,
  kValuesOfNextStep,
  kLastChunkFull,
  kPaddedKeys,
  kWrongKvGroup,
  kTokensInterleaved,
  kHeadsInterleaved,
  kGroupsSwapped,
  kMaskByLocalPosition,
  kWindowOnRankOnly,
  kGuardsMissing,
};

struct ParallelDefectInfo {
  ParallelDefect defect = ParallelDefect::kNone;
  const char* name = "";
  const char* description = "";
};

/// Every defect once, in the order of the enumeration, kNone left out.
std::span<const ParallelDefectInfo> all_parallel_defects();

}  // namespace lvsa::reference
