// SpargeAttn's prediction on the device against the CPU's rule, bit by bit.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/cuda/prediction_run.hpp"

namespace lvsa::cuda::test {
namespace {

using test_support::PredictionCase;
using test_support::PredictionFill;

std::string difference_on_device(const PredictionCase& c) {
  DevicePrediction device(c);
  return difference(c, rule_maps(c, make_tensors(c)), device.predict());
}

TEST(SpargePrediction, IsTheRulesForRandomCases) {
  LVSA_NEEDS_DEVICE();
  const bool holds = rc::check("predicted maps are the rule's", [] {
    const PredictionCase c = test_support::any_prediction_case(1500);
    const std::string found = difference_on_device(c);
    if (!found.empty()) RC_FAIL(text(c) + ": " + found);
  });
  EXPECT_TRUE(holds);
}

// For the sanitizers.
TEST(SpargePrediction, IsTheRulesSmall) {
  LVSA_NEEDS_DEVICE();
  for (const std::int64_t dim : {64, 128}) {
    for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16}) {
      for (const PredictionFill fill : {PredictionFill::kBlobs, PredictionFill::kWide}) {
        PredictionCase c;
        c.tokens = 391;
        c.heads = 2;
        c.head_dim = dim;
        c.dtype = dtype;
        c.q_fill = c.k_fill = fill;
        c.partial_kept = false;
        EXPECT_EQ(difference_on_device(c), "") << text(c);
        c.topk.clear();
        c.cdfthreshd = {0.9, 0.3};
        c.simthreshd1 = {0.6};
        c.block_rows = 64;
        c.block_columns = 128;
        EXPECT_EQ(difference_on_device(c), "") << text(c);
      }
    }
  }
}

TEST(SpargePrediction, IsTheRulesForEveryKindOfNumbersAndBothRules) {
  LVSA_NEEDS_DEVICE();
  for (int fill = 0; fill < test_support::kPredictionFills; ++fill) {
    for (const bool by_mass : {false, true}) {
      PredictionCase c;
      c.tokens = 1100;
      c.heads = 4;
      c.kv_heads = 2;
      c.head_dim = 128;
      c.q_fill = c.k_fill = static_cast<PredictionFill>(fill);
      c.partial_kept = false;
      c.simthreshd1 = {-0.1, 0.2, 0.9, 1.0};
      c.topk = {0.0, 0.3, 0.5, 1.0};
      if (by_mass) std::swap(c.topk, c.cdfthreshd);
      EXPECT_EQ(difference_on_device(c), "") << text(c);
    }
  }
}

TEST(SpargePrediction, IsTheRulesAtTheSizeOfALongVideo) {
  LVSA_NEEDS_DEVICE();
  PredictionCase c;
  c.tokens = 29700;
  c.heads = 2;
  c.head_dim = 128;
  c.topk = {0.5, 0.2};
  c.q_fill = PredictionFill::kNoise;
  EXPECT_EQ(difference_on_device(c), "") << text(c);
  c.k_fill = PredictionFill::kWide;  // the sum over all keys is not exact
  EXPECT_EQ(difference_on_device(c), "") << text(c);
  c.k_fill = PredictionFill::kBlobs;
  c.topk.clear();
  c.cdfthreshd = {0.9, 0.98};
  c.simthreshd1 = {0.0};
  EXPECT_EQ(difference_on_device(c), "") << text(c);
}

TEST(SpargePrediction, IsTheRulesForMoreHeadsThanALaunchHasRoomFor) {
  LVSA_NEEDS_DEVICE();
  PredictionCase c;
  c.tokens = 300;
  c.heads = 300;
  c.topk.clear();
  for (int h = 0; h < 300; ++h) c.topk.push_back(h / 300.0);
  c.partial_kept = false;
  EXPECT_EQ(difference_on_device(c), "") << text(c);
}

TEST(SpargePrediction, CanBeCapturedAndFollowsNewKeys) {
  LVSA_NEEDS_DEVICE();
  PredictionCase c;
  c.tokens = 900;
  c.heads = 2;
  c.head_dim = 128;
  DevicePrediction device(c);
  const auto before = unwritten_maps(c);
  const DeviceArray<std::int32_t> count(before.row_count);
  const DeviceArray<std::int32_t> indices(before.indices);
  const DeviceArray<std::int32_t> faults(before.faults);
  const DeviceArray<char> scratch(device.scratch_bytes());
  const lvsa_sparge_map map{count.get(), indices.get(), faults.get()};
  // What the first call does besides (the driver loads the kernels) is no part of a graph.
  ASSERT_EQ(device.predict_to(map, scratch.get(), nullptr), LVSA_OK) << device.message();
  check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t run = nullptr;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin capture");
  const lvsa_status status = device.predict_to(map, scratch.get(), stream);
  check(cudaStreamEndCapture(stream, &graph), "end capture");
  ASSERT_EQ(status, LVSA_OK) << device.message();
  check(cudaGraphInstantiate(&run, graph, 0), "instantiate");
  for (const std::uint32_t seed : {1u, 2u}) {
    PredictionCase other = c;
    other.seed = seed;
    const auto tensors = make_tensors(other);
    check(cudaMemcpy(device.problem().k.data, tensors.k.bits.data(), tensors.k.bits.size() * 2,
                     cudaMemcpyHostToDevice),
          "new keys");
    check(cudaMemcpy(device.problem().q.data, tensors.q.bits.data(), tensors.q.bits.size() * 2,
                     cudaMemcpyHostToDevice),
          "new queries");
    check(cudaGraphLaunch(run, stream), "launch");
    check(cudaStreamSynchronize(stream), "wait");
    EXPECT_EQ(
        difference(c, rule_maps(other, tensors), {count.read(), indices.read(), faults.read()}), "")
        << seed;
  }
  check(cudaGraphExecDestroy(run), "destroy");
  check(cudaGraphDestroy(graph), "destroy");
  check(cudaStreamDestroy(stream), "destroy");
}

}  // namespace
}  // namespace lvsa::cuda::test
