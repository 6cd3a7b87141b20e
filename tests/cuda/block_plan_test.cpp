// Plans of the block-sparse kernel: the bits of its run(), from a graph, after the host's arrays
// have gone.

#include "cuda/launch/block_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "tests/cuda/block_case.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

lvsa_status plan_workspace(const lvsa_block_problem* problem, std::size_t* bytes) {
  std::array<char, 256> message{};
  return lvsa_block_plan_scratch_bytes(problem, bytes, message.data(), message.size());
}

// Makes a plan, spoils what it was made from, and replays a graph of one run twice.
lvsa_status run_planned(const lvsa_block_problem* problem, void* workspace, std::size_t /*bytes*/,
                        void* /*stream*/, char* message, std::size_t message_size) {
  std::vector<std::int32_t> map_of_head(problem->map_of_head,
                                        problem->map_of_head + problem->batch * problem->heads);
  lvsa_block_problem mine = *problem;
  mine.map_of_head = map_of_head.data();
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  lvsa_block_plan* plan = nullptr;
  lvsa_status status =
      lvsa_block_plan_create(&mine, workspace, stream, &plan, message, message_size);
  std::fill(map_of_head.begin(), map_of_head.end(), 1 << 30);
  std::memset(&mine, 0xff, sizeof mine);
  if (status == LVSA_OK) {
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "begin capture");
    status = lvsa_block_plan_run(plan, stream, message, message_size);
    check(cudaStreamEndCapture(stream, &graph), "end capture");
    check(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
    for (int i = 0; i < 2; ++i) check(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    check(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
    check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  }
  lvsa_block_plan_destroy(plan);
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
  return status;
}

lvsa_block_kernel planned_kernel() {
  lvsa_block_kernel kernel = block_kernel("cuda-blocks");
  kernel.name = "planned";
  kernel.workspace = plan_workspace;
  kernel.run = run_planned;
  return kernel;
}

TEST(BlockPlan, GivesTheBitsOfTheKernelFromAGraphSmall) {
  LVSA_NEEDS_DEVICE();
  if (current_device().major != 9) GTEST_SKIP() << "no Hopper device";
  const lvsa_block_kernel planned = planned_kernel();
  std::vector<MapStyle> styles(3);
  styles[1].masks = true;
  styles[2].order = true;
  for (std::size_t i = 0; i < styles.size(); ++i) {
    BlockShape shape;
    shape.head_dim = i == 1 ? 64 : 128;
    shape.block_columns = i == 2 ? 64 : 128;
    const BlockCase c(shape, random_maps(shape, styles[i], i + 1), i + 1);
    const BlockOutputs due = run_blocks(block_kernel("cuda-blocks"), c);
    const BlockOutputs got = run_blocks(planned, c);
    ASSERT_EQ(due.status, LVSA_OK) << due.message;
    ASSERT_EQ(got.status, LVSA_OK) << got.message;
    EXPECT_EQ(got.out.bits, due.out.bits) << i;
    EXPECT_EQ(std::memcmp(got.lse.data(), due.lse.data(), due.lse.size() * sizeof(float)), 0) << i;
  }
}

TEST(BlockPlan, SaysWhatIsWrong) {
  std::array<char, 256> message{};
  std::size_t bytes = 1;
  EXPECT_EQ(lvsa_block_plan_scratch_bytes(nullptr, &bytes, message.data(), message.size()),
            LVSA_INVALID);
  EXPECT_EQ(bytes, 0U);
  lvsa_block_plan* plan = nullptr;
  EXPECT_EQ(lvsa_block_plan_run(plan, nullptr, message.data(), message.size()), LVSA_INVALID);
  EXPECT_STREQ(message.data(), "plan is null");
  BlockShape shape;
  const BlockCase c(shape, random_maps(shape, {}, 1));
  lvsa_block_problem p = c.problem();
  p.block_rows = 32;
  p.row_blocks = 10;
  EXPECT_NE(lvsa_block_plan_create(&p, nullptr, nullptr, &plan, message.data(), message.size()),
            LVSA_OK);
  EXPECT_EQ(plan, nullptr);
  EXPECT_NE(message[0], '\0');
  lvsa_block_plan_destroy(plan);
}

}  // namespace
}  // namespace lvsa::cuda::test
