#include "reference/parallel/parallel_defects.hpp"

#include <array>

namespace lvsa::reference {

std::span<const ParallelDefectInfo> all_parallel_defects() {
  using enum ParallelDefect;
  static constexpr std::array kDefects = {
      ParallelDefectInfo{kTextEveryStep, "text-every-step",
                         "text keys counted in each of R ring steps: ln R on their logits"},
      ParallelDefectInfo{kTextNever, "text-never", "text keys left out of the ring"},
      ParallelDefectInfo{kTextQueriesLocal, "text-queries-local",
                         "text queries attend the rank's own video shard only"},
      ParallelDefectInfo{kOverwriteMerge, "overwrite-merge", "the last ring block wins"},
      ParallelDefectInfo{kMergeNewLse, "merge-new-lse",
                         "the merge weighs the output with the new lse"},
      ParallelDefectInfo{kMergeMean, "merge-mean", "ring blocks averaged whatever their lse"},
      ParallelDefectInfo{kBase2Lse, "base-2-lse",
                         "blocks give their lse in base 2, the merge takes it as natural"},
      ParallelDefectInfo{kEmptyFirstBlock, "empty-first-block",
                         "the published merge where the first block has no keys: NaN"},
      ParallelDefectInfo{kRingStepMissing, "ring-step-missing", "the last ring step is left out"},
      ParallelDefectInfo{kValuesOfNextStep, "values-of-next-step",
                         "K of one ring step with V of the next"},
      ParallelDefectInfo{kLastChunkFull, "last-chunk-full",
                         "the last, shorter chunk read as a full one: stale keys behind it"},
      ParallelDefectInfo{kPaddedKeys, "padded-keys",
                         "zero keys of the padding not masked: they take part with score 0"},
      ParallelDefectInfo{kWrongKvGroup, "wrong-kv-group",
                         "query heads padded alone, so that groups meet other kv heads"},
      ParallelDefectInfo{kTokensInterleaved, "tokens-interleaved",
                         "the all-to-all places token t of rank q at t*P + q"},
      ParallelDefectInfo{kHeadsInterleaved, "heads-interleaved",
                         "the way back places head j of rank q at j*P + q"},
      ParallelDefectInfo{kGroupsSwapped, "groups-swapped",
                         "Ulysses groups strided, ring groups contiguous"},
      ParallelDefectInfo{kMaskByLocalPosition, "mask-by-local-position",
                         "frames of keys counted from the first token of their block"},
      ParallelDefectInfo{kWindowOnRankOnly, "window-on-rank-only",
                         "an exact mode that keeps window frames only where the rank holds them"},
      ParallelDefectInfo{kGuardsMissing, "guards-missing",
                         "the mode `custom` without boundary guards"},
  };
  return kDefects;
}

}  // namespace lvsa::reference
