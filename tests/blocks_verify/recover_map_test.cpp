// Maps recovered from outputs: those of sound kernels are the given ones, mistakes are named by
// their blocks.

#include "analysis/blocks/recover_map.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "reference/attention/blocks/block_mutants.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using reference::BlockDefect;

MapRecovery recovered(const lvsa_block_kernel& kernel, const std::string& words,
                      const std::string& sizes = "T=2 P=48 text=9 H=2 Hkv=1 D=32 dtype=bf16") {
  return recover_map(parse_case("ref=21 step=0 rows=0 seed=5 input=gauss " + sizes +
                                " pattern=random:block_q=16:block_k=32:" + words),
                     kernel, {20, 1, {}});
}

TEST(RecoverMap, FindsExactlyTheGivenMapsOfSoundKernels) {
  for (const char* words : {"density=0.5:empty=0.2", "masks=0.5", "order=1:masks=0.3",
                            "segments=frames", "skip=1", "density=1"}) {
    const MapRecovery recovery = recovered(reference::cpu_blocks_kernel(), words);
    EXPECT_TRUE(recovery.exact()) << words;
    EXPECT_EQ(recovery.runs, 4) << words;
    EXPECT_EQ(recovery.rows, 2 * 105) << words;
    EXPECT_TRUE(recovered(reference::block_mutant_kernel(BlockDefect::kNone), words).exact());
  }
}

TEST(RecoverMap, NamesBlocksThatLackPairsHaveOthersOrCountTwice) {
  const auto of = [](BlockDefect defect, const std::string& words) {
    const MapRecovery recovery = recovered(reference::block_mutant_kernel(defect), words);
    EXPECT_FALSE(recovery.exact()) << static_cast<int>(defect);
    std::string text;
    for (const MapDifference& d : recovery.differences) {
      text += difference_text(d, recovery.c) + "\n";
    }
    return text;
  };
  EXPECT_NE(of(BlockDefect::kDense, "density=0.4").find("pairs that the map does not have"),
            std::string::npos);
  EXPECT_NE(of(BlockDefect::kLastBlockDropped, "density=1")
                .find("head 0, query block 0, key block 3: lacks 144 of 144 pairs"),
            std::string::npos);
  EXPECT_NE(of(BlockDefect::kFirstBlockTwice, "density=0.6").find("weigh more than others"),
            std::string::npos);
  of(BlockDefect::kMaskTransposed, "masks=0.5");
  of(BlockDefect::kOrderNotOnV, "density=0.5:order=1");
  of(BlockDefect::kMapOfHeadZero, "density=0.5");
}

TEST(RecoverMap, CountsRowsWithoutNumbers) {
  const MapRecovery recovery =
      recovered(reference::block_mutant_kernel(BlockDefect::kEmptyRowNan), "density=0.5:empty=0.5");
  EXPECT_GT(recovery.rows_without_numbers, 0);
}

TEST(RecoverMap, RefusesWhatItCannotTell) {
  EXPECT_THROW(recovered(reference::cpu_blocks_kernel(), "skip=0"), Error);
  EXPECT_THROW(
      recovered(reference::cpu_blocks_kernel(), "density=0.5", "T=2 P=48 H=1 Hkv=1 D=4 dtype=f32"),
      Error);  // 24 runs
}

}  // namespace
}  // namespace lvsa::analysis
