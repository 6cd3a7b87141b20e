#pragma once
// The corpus of defects of block-sparse kernels, as kernels: an emulated flash-attention over block
// maps, and the same with one thing wrong each. A conformance tool must tell all of them from
// kNone.

#include <span>
#include <string_view>

#include "core/blocks/lvsa_blocks.h"

namespace lvsa::reference {

enum class BlockDefect {
  kNone,
  // Which blocks a query block attends.
  kLastBlockDropped,
  kRaggedReadPast,
  kPhantomKeys,
  kQueryTailUnwritten,
  kRowOfNext,
  kLastEntryMissed,
  kFirstEntryMissed,
  kColumnOffByOne,
  kMapTransposed,
  kSizesSwapped,
  kSegmentsIgnored,
  kMapOfHeadZero,
  kMapOfBatchZero,
  kMapOfGroup,
  kMapStale,
  kMapByAddress,
  kDense,
  kEmptyRowAttends,
  kEmptyRowNan,
  kEmptyRowUnwritten,
  kEmptyRowFiniteLse,
  kOwnBlockAdded,
  kFirstBlockTwice,
  kEntriesTruncated,
  kColumnBitsLost,
  kOffsetOverflow,
  kKeysCutAtQueries,
  kBatchOfQueries,
  // Element masks.
  kMaskIgnored,
  kMaskTransposed,
  kMaskOfNextEntry,
  kMaskBitsReversed,
  kMaskFirstWordOnly,
  kMaskRowShifted,
  kMaskInverted,
  kMaskBiasSmall,
  kMaskedInSum,
  kMaskOfFirstEntry,
  // Orders.
  kOrderNotOnV,
  kOrderNotOnK,
  kOrderNotOnQ,
  kInverseForgotten,
  kOrderInverted,
  kOrderOfHeadZero,
  kOrderStale,
  kLseInPlaceOrder,
  // The online skip.
  kSkipSign,
  kSkipNaturalUnits,
  kSkipLastBlock,
  kSkipMaxNotUpdated,
  kSkipAnyRow,
  kSkipPerRow,
  kSkipOfHeadZero,
  kSkipIgnored,
  kSkipKeepsSum,
  kSkipFirstMaxZero,
  kSkipSeesMasked,
  kSkipByMean,
  // Numerics and indexing.
  kScaleForgotten,
  kScaleOnePercent,
  kLog2e144,
  kRescaleMissing,
  kSumNotRescaled,
  kSumMissesLastTile,
  kMaxNotUpdated,
  kMaxStartsAtZero,
  kFewerBitsOfP,
  kAccumulateBf16,
  kLseBase2,
  kLseWithoutMax,
  kHeadDimTailDropped,
  kGroupsTiled,
  kBatchFolded,
  kCount,
};

struct BlockDefectInfo {
  BlockDefect defect = BlockDefect::kNone;
  const char* name = "";
  std::string_view family;  ///< "map", "mask", "order", "skip", "numerics"
  const char* description = "";
};

/// Every defect once, in the order of the enumeration, kNone left out.
std::span<const BlockDefectInfo> all_block_defects();

/// The kernel with that defect: "emulated-blocks" (kNone, healthy) or "emulated-blocks-NAME". Takes
/// all that cpu-blocks takes; rounds P to bf16, tiles of 32 keys that end with their block. For one
/// call at a time: the stale ones keep what they saw.
const lvsa_block_kernel& block_mutant_kernel(BlockDefect defect);
/// Null: none of that name.
const lvsa_block_kernel* find_block_mutant(std::string_view kernel_name);

/// Makes the stale ones forget.
void forget_previous_block_calls();

}  // namespace lvsa::reference
