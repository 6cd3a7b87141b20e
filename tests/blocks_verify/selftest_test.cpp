// The corpus of block-sparse kernels with one mistake each: a sample here, all of it in
// `lvsa-verify selftest --corpus blocks`.

#include <gtest/gtest.h>

#include "analysis/blocks/block_selftest.hpp"
#include "reference/attention/blocks/block_mutants.hpp"

namespace lvsa::analysis {
namespace {

using reference::BlockDefect;

std::vector<std::string> accusations(BlockDefect defect) {
  return block_accusations(reference::block_mutant_kernel(defect), SelftestDepth::kFirstKill);
}

TEST(BlockSelftest, AccusesTheHealthyKernelOfNothing) {
  EXPECT_EQ(accusations(BlockDefect::kNone), std::vector<std::string>());
}

TEST(BlockSelftest, AccusesKernelsOfEachFamily) {
  for (const BlockDefect defect :
       {BlockDefect::kLastBlockDropped, BlockDefect::kMapStale, BlockDefect::kMaskTransposed,
        BlockDefect::kInverseForgotten, BlockDefect::kSkipMaxNotUpdated,
        BlockDefect::kSkipLastBlock, BlockDefect::kLog2e144}) {
    EXPECT_FALSE(accusations(defect).empty()) << static_cast<int>(defect);
  }
}

}  // namespace
}  // namespace lvsa::analysis
