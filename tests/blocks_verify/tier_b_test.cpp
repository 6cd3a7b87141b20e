// Tier B for maps: the sound kernel computes what it declares, and one that declares something else
// fails though tier A passes it.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "analysis/blocks/run_block_case.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

// What the kernel at hand declares in place of the truth.
std::function<void(lvsa_numerics&)> untruth;

lvsa_block_kernel lying_kernel() {
  lvsa_block_kernel kernel = reference::cpu_blocks_kernel();
  kernel.name = "lying";
  kernel.numerics = [](const lvsa_block_problem* problem, lvsa_numerics* numerics) {
    const lvsa_status status = reference::cpu_blocks_kernel().numerics(problem, numerics);
    untruth(*numerics);
    return status;
  };
  return kernel;
}

CaseResult judged(const lvsa_block_kernel& kernel, const std::string& line) {
  RunOptions options;
  options.threads = 1;
  options.relations = RelationChoice::kNone;
  return run_block_case(parse_case("ref=21 step=0 rows=0 seed=3 " + line), kernel, options);
}

const char* const kSizes =
    " T=4 P=100 text=13 H=2 Hkv=1 D=64 dtype=bf16 p=bf16 input=gauss sigma=2";

TEST(BlockSchedule, IsKeptByTheSoundKernelWithAllThatAMapMayHave) {
  for (const char* words :
       {"random:block_q=64:block_k=64:density=0.6", "random:block_q=48:block_k=40:density=0.7",
        "random:block_q=64:block_k=32:masks=0.5", "random:block_q=32:block_k=128:masks=0.9:order=1",
        "random:block_q=64:block_k=64:segments=frames:empty=0.2",
        "random:block_q=16:block_k=16:density=1:skip=1",
        "random:block_q=32:block_k=96:density=1:masks=0.3:skip=0"}) {
    const CaseResult result =
        judged(reference::cpu_blocks_kernel(), std::string("pattern=") + words + kSizes);
    EXPECT_EQ(result.status, Status::kPass) << words << ": " << result.message;
    EXPECT_GT(result.schedule.checked, result.output.checked / 10) << words;
    EXPECT_EQ(result.schedule.failed, 0) << words;
  }
}

TEST(BlockSchedule, FailsOneThatDeclaresAnother) {
  const std::string line =
      std::string("pattern=random:block_q=64:block_k=40:density=0.7:masks=0.2") + kSizes;
  const std::function<void(lvsa_numerics&)> untruths[] = {
      [](lvsa_numerics& n) { n.key_tile = 32; },
      [](lvsa_numerics& n) { n.tiles_cross_frames = 0; },
      [](lvsa_numerics& n) { n.key_order = LVSA_KEYS_DESCENDING; },
      [](lvsa_numerics& n) { n.max_rule = LVSA_MAX_FINAL; },
      [](lvsa_numerics& n) { n.p_rounding = LVSA_P_TOWARD_ZERO; },
  };
  for (std::size_t i = 0; i < std::size(untruths); ++i) {
    untruth = untruths[i];
    const CaseResult result = judged(lying_kernel(), line);
    EXPECT_EQ(result.status, Status::kFail) << i;
    EXPECT_GT(result.schedule.failed, 0) << i;
    EXPECT_EQ(result.output.failed, 0) << i;
    EXPECT_NE(result.message.find("tier B"), std::string::npos) << result.message;
  }
}

TEST(BlockSchedule, SaysNothingOfBlocksWhoseSkipIsInDoubtOrOfADeclarationThatMapsDoNotHave) {
  untruth = [](lvsa_numerics& n) { n.tiles_cross_frames = 2; };
  const CaseResult result =
      judged(lying_kernel(), std::string("pattern=random:block_k=64") + kSizes);
  EXPECT_EQ(result.status, Status::kPass) << result.message;
  EXPECT_EQ(result.schedule.checked, 0);
}

}  // namespace
}  // namespace lvsa::analysis
