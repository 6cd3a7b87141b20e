#include <array>

#include "reference/attention/blocks/block_mutants.hpp"

namespace lvsa::reference {
namespace {

using enum BlockDefect;
using Info = BlockDefectInfo;

constexpr std::array kDefects = {
    Info{kLastBlockDropped, "last-block-dropped", "map", "a smaller key block is left out"},
    Info{kRaggedReadPast, "ragged-read-past", "map",
         "a smaller key block is read to the full size"},
    Info{kPhantomKeys, "phantom-keys", "map", "a smaller key block is filled up with zero keys"},
    Info{kQueryTailUnwritten, "query-tail-unwritten", "map",
         "a smaller query block is not written"},
    Info{kRowOfNext, "row-of-next", "map", "indptr read one row further on"},
    Info{kLastEntryMissed, "last-entry-missed", "map", "the last kept block of a row left out"},
    Info{kFirstEntryMissed, "first-entry-missed", "map", "the first kept block of a row left out"},
    Info{kColumnOffByOne, "column-off-by-one", "map", "the block behind each kept one"},
    Info{kMapTransposed, "map-transposed", "map", "rows and columns of the map exchanged"},
    Info{kSizesSwapped, "sizes-swapped", "map", "key blocks placed by the size of query blocks"},
    Info{kSegmentsIgnored, "segments-ignored", "map", "all blocks taken for the nominal size"},
    Info{kMapOfHeadZero, "map-of-head-0", "map", "all heads use the map of head 0"},
    Info{kMapOfBatchZero, "map-of-batch-0", "map", "all batch elements use the maps of the first"},
    Info{kMapOfGroup, "map-of-group", "map", "the heads of a group use the map of its first"},
    Info{kMapStale, "map-stale", "map", "the maps of the first call of these sizes"},
    Info{kMapByAddress, "map-by-address", "map", "the maps that were at these addresses first"},
    Info{kDense, "dense", "map", "all blocks attended, the map not looked at"},
    Info{kEmptyRowAttends, "empty-row-attends", "map", "an empty row attends block 0"},
    Info{kEmptyRowNan, "empty-row-nan", "map", "an empty row is 0 / 0"},
    Info{kEmptyRowUnwritten, "empty-row-unwritten", "map", "an empty row is not written"},
    Info{kEmptyRowFiniteLse, "empty-row-finite-lse", "map", "lse of an empty row is -50000"},
    Info{kOwnBlockAdded, "own-block-added", "map", "the block on the diagonal attended always"},
    Info{kFirstBlockTwice, "first-block-twice", "map", "the first kept block counted twice"},
    Info{kEntriesTruncated, "entries-truncated", "map", "at most four kept blocks a row"},
    Info{kColumnBitsLost, "column-bits-lost", "map", "columns kept in two bits"},
    Info{kOffsetOverflow, "offset-overflow", "map",
         "rows of K and V addressed modulo 2^10 elements"},
    Info{kKeysCutAtQueries, "keys-cut-at-queries", "map",
         "keys behind the number of queries left out"},
    Info{kBatchOfQueries, "batch-of-queries", "map",
         "batch elements of K and V placed by the number of queries"},
    Info{kMaskIgnored, "mask-ignored", "mask", "all pairs of a masked block attended"},
    Info{kMaskTransposed, "mask-transposed", "mask", "bit (row, key) read as (key, row)"},
    Info{kMaskOfNextEntry, "mask-of-next-entry", "mask", "the mask of the next kept block"},
    Info{kMaskBitsReversed, "mask-bits-reversed", "mask", "bits counted from the highest"},
    Info{kMaskFirstWordOnly, "mask-first-word-only", "mask", "keys from the 64th on not masked"},
    Info{kMaskRowShifted, "mask-row-shifted", "mask", "the bits of the row above"},
    Info{kMaskInverted, "mask-inverted", "mask", "set bits taken for masked"},
    Info{kMaskBiasSmall, "mask-bias-small", "mask", "masked by a bias of -30"},
    Info{kMaskedInSum, "masked-in-sum", "mask", "masked pairs count in the sum, without a value"},
    Info{kMaskOfFirstEntry, "mask-of-first-entry", "mask", "mask numbers counted from the row's"},
    Info{kOrderNotOnV, "order-not-on-v", "order", "values read in the sequence's order"},
    Info{kOrderNotOnK, "order-not-on-k", "order", "keys read in the sequence's order"},
    Info{kOrderNotOnQ, "order-not-on-q", "order", "queries read in the sequence's order"},
    Info{kInverseForgotten, "inverse-forgotten", "order", "results written in the order of places"},
    Info{kOrderInverted, "order-inverted", "order", "the inverse order in its stead"},
    Info{kOrderOfHeadZero, "order-of-head-0", "order", "all heads use the order of head 0"},
    Info{kOrderStale, "order-stale", "order", "the orders of the first call of this size"},
    Info{kLseInPlaceOrder, "lse-in-place-order", "order", "lse alone written in places' order"},
    Info{kSkipSign, "skip-sign", "skip", "delta less the threshold"},
    Info{kSkipNaturalUnits, "skip-natural-units", "skip", "delta in natural units"},
    Info{kSkipLastBlock, "skip-last-block", "skip", "the last kept block skipped like others"},
    Info{kSkipMaxNotUpdated, "skip-max-not-updated", "skip", "skipped blocks leave the maximum"},
    Info{kSkipAnyRow, "skip-any-row", "skip", "skipped when one row of the block allows it"},
    Info{kSkipPerRow, "skip-per-row", "skip", "each row decides for itself"},
    Info{kSkipOfHeadZero, "skip-of-head-0", "skip", "all heads use the threshold of head 0"},
    Info{kSkipIgnored, "skip-ignored", "skip", "nothing is skipped"},
    Info{kSkipKeepsSum, "skip-keeps-sum", "skip", "skipped blocks count in the sum"},
    Info{kSkipFirstMaxZero, "skip-first-max-zero", "skip", "maxima begin at 0"},
    Info{kSkipSeesMasked, "skip-sees-masked", "skip", "maxima count masked pairs"},
    Info{kSkipByMean, "skip-by-mean", "skip", "the mean of the rows' gains decides"},
    Info{kScaleForgotten, "scale-forgotten", "numerics", "scores not scaled"},
    Info{kScaleOnePercent, "scale-off-by-1-percent", "numerics", "scale 1 % too large"},
    Info{kLog2e144, "log2e-1.44", "numerics", "log2(e) cut to 1.44"},
    Info{kRescaleMissing, "rescale-missing", "numerics", "one rescale of the output missing"},
    Info{kSumNotRescaled, "sum-not-rescaled", "numerics", "the sum is never rescaled"},
    Info{kSumMissesLastTile, "sum-misses-last-tile", "numerics", "the last tile not in the sum"},
    Info{kMaxNotUpdated, "max-not-updated", "numerics", "the maximum stays the first tile's"},
    Info{kMaxStartsAtZero, "max-starts-at-zero", "numerics", "the maximum is at least 0"},
    Info{kFewerBitsOfP, "fewer-bits-of-p", "numerics", "P cut to four bits"},
    Info{kAccumulateBf16, "accumulate-bf16", "numerics", "outputs accumulated in bf16"},
    Info{kLseBase2, "lse-base-2", "numerics", "lse in base 2"},
    Info{kLseWithoutMax, "lse-without-max", "numerics", "lse lacks the maximum"},
    Info{kHeadDimTailDropped, "head-dim-tail-dropped", "numerics",
         "the last dimensions not in q.k"},
    Info{kGroupsTiled, "groups-tiled", "numerics", "K/V heads repeated as tiles"},
    Info{kBatchFolded, "batch-folded", "numerics", "K and V of batch element 0 for all"},
};
static_assert(kDefects.size() + 1 == static_cast<std::size_t>(kCount));

constexpr bool in_order() {
  for (std::size_t i = 0; i < kDefects.size(); ++i) {
    if (kDefects[i].defect != static_cast<BlockDefect>(i + 1)) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const BlockDefectInfo> all_block_defects() { return kDefects; }

}  // namespace lvsa::reference
