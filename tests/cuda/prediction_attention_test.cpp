// SpargeAttn in one call against the block-sparse kernel on maps of the CPU's rule: the same kernel
// on the same maps gives the same bits.

#include <gtest/gtest.h>

#include <limits>
#include <optional>

#include "tests/cuda/block_case.hpp"
#include "tests/cuda/prediction_run.hpp"

namespace lvsa::cuda::test {
namespace {

using test_support::PredictionCase;

#define LVSA_NEEDS_HOPPER() \
  LVSA_NEEDS_DEVICE();      \
  if (current_device().major != 9) GTEST_SKIP() << "no Hopper device"

const lvsa_block_kernel& cuda_blocks() { return block_kernel("cuda-blocks"); }

// A problem of the C interface with the rule's maps, a map for each head.
class RuleProblem {
 public:
  RuleProblem(const PredictionCase& c, lvsa_block_problem problem)
      : maps_(rule_maps(c, make_tensors(c))), problem_(problem) {
    for (std::int64_t r = 0; r < c.row_blocks(); ++r) rows_.push_back(r * c.block_rows);
    rows_.push_back(c.tokens);
    for (std::int64_t r = 0; r < c.column_blocks(); ++r) columns_.push_back(r * c.block_columns);
    columns_.push_back(c.tokens);
    for (const auto& map : maps_) {
      map_of_head_.push_back(static_cast<std::int32_t>(c_maps_.size()));
      c_maps_.push_back({map->indptr.data(), map->indices.data(), nullptr});
    }
    problem_.row_blocks = c.row_blocks();
    problem_.column_blocks = c.column_blocks();
    problem_.row_begin = rows_.data();
    problem_.column_begin = columns_.data();
    problem_.map_count = static_cast<std::int64_t>(c_maps_.size());
    problem_.maps = c_maps_.data();
    problem_.map_of_head = map_of_head_.data();
  }
  lvsa_block_problem& problem() { return problem_; }

 private:
  std::vector<std::optional<BlockMap>> maps_;
  lvsa_block_problem problem_;
  std::vector<std::int64_t> rows_;
  std::vector<std::int64_t> columns_;
  std::vector<lvsa_block_map> c_maps_;
  std::vector<std::int32_t> map_of_head_;
};

std::vector<std::uint16_t> by_rule_maps(const PredictionCase& c, DevicePrediction& device,
                                        const std::vector<float>& skip) {
  RuleProblem rule(c, device.problem());
  if (!skip.empty()) rule.problem().skip_threshold_log2 = skip.data();
  std::array<char, 512> message{};
  std::size_t bytes = 0;
  EXPECT_EQ(cuda_blocks().workspace(&rule.problem(), &bytes), LVSA_OK);
  const DeviceArray<char> workspace(bytes);
  device.reset_out();
  EXPECT_EQ(cuda_blocks().run(&rule.problem(), workspace.get(), bytes, nullptr, message.data(),
                              message.size()),
            LVSA_OK)
      << message.data();
  return device.out().read();
}

std::vector<std::uint16_t> by_prediction(DevicePrediction& device) {
  std::array<char, 512> message{};
  std::size_t bytes = 0;
  EXPECT_EQ(lvsa_sparge_attention_scratch_bytes(&device.problem(), &device.settings(), &bytes,
                                                message.data(), message.size()),
            LVSA_OK)
      << message.data();
  const DeviceArray<char> scratch(bytes);
  device.reset_out();
  EXPECT_EQ(lvsa_sparge_attention(&device.problem(), &device.settings(), nullptr, scratch.get(),
                                  nullptr, message.data(), message.size()),
            LVSA_OK)
      << message.data();
  return device.out().read();
}

void expect_same(const PredictionCase& c, std::vector<double> pvthreshd) {
  DevicePrediction device(c);
  std::vector<float> skip;
  if (!pvthreshd.empty()) {
    device.settings().pvthreshd = pvthreshd.data();
    device.settings().pvthreshd_count = static_cast<std::int64_t>(pvthreshd.size());
    for (const double one : pvthreshd) {
      skip.push_back(one < 50.0 ? static_cast<float>(one) : std::numeric_limits<float>::infinity());
    }
  }
  const std::vector<std::uint16_t> got = by_prediction(device);
  EXPECT_EQ(got, by_rule_maps(c, device, skip)) << text(c);
}

TEST(SpargeAttention, HasTheBitsOfTheKernelOnTheRulesMapsSmall) {
  LVSA_NEEDS_HOPPER();
  for (const auto& [rows, columns] : {std::pair{128, 64}, {64, 128}, {128, 128}}) {
    PredictionCase c;
    c.tokens = 900;
    c.heads = 4;
    c.kv_heads = 2;
    c.head_dim = 128;
    c.batch = 2;
    c.block_rows = rows;
    c.block_columns = columns;
    c.topk = {0.3};
    expect_same(c, {});
    expect_same(c, {10.0, 50.0, 3.0, 50.0});
  }
}

TEST(SpargeAttention, RunsOverMapsOfAnEarlierStep) {
  LVSA_NEEDS_HOPPER();
  PredictionCase c;
  c.tokens = 1400;
  c.heads = 3;
  c.topk = {0.2, 0.5, 0.9};
  DevicePrediction device(c);
  const std::vector<std::uint16_t> due = by_prediction(device);
  const auto before = unwritten_maps(c);
  const DeviceArray<std::int32_t> count(before.row_count);
  const DeviceArray<std::int32_t> indices(before.indices);
  const lvsa_sparge_map map{count.get(), indices.get(), nullptr};
  std::array<char, 512> message{};
  std::size_t bytes = 0;
  ASSERT_EQ(lvsa_sparge_attention_scratch_bytes(&device.problem(), &device.settings(), &bytes,
                                                message.data(), message.size()),
            LVSA_OK);
  const DeviceArray<char> scratch(bytes);
  ASSERT_EQ(device.predict_to(map, scratch.get(), nullptr), LVSA_OK) << device.message();
  device.reset_out();
  ASSERT_EQ(lvsa_sparge_attend(&device.problem(), &device.settings(), &map, scratch.get(), nullptr,
                               message.data(), message.size()),
            LVSA_OK)
      << message.data();
  EXPECT_EQ(device.out().read(), due);
}

}  // namespace
}  // namespace lvsa::cuda::test
