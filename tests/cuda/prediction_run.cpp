#include "tests/cuda/prediction_run.hpp"

#include <algorithm>
#include <cmath>

namespace lvsa::cuda::test {
namespace {

lvsa_tensor tensor_of(const DeviceArray<std::uint16_t>& data,
                      const test_support::PredictionTensor& like) {
  lvsa_tensor tensor{};
  tensor.data = data.get();
  std::copy(std::begin(like.strides), std::end(like.strides), std::begin(tensor.strides));
  return tensor;
}

}  // namespace

DevicePrediction::DevicePrediction(const test_support::PredictionCase& c)
    : case_(c),
      tensors_(test_support::make_tensors(c)),
      q_(tensors_.q.bits),
      k_(tensors_.k.bits),
      out_(tensors_.q.bits) {
  problem_.struct_size = sizeof problem_;
  problem_.batch = c.batch;
  problem_.query_tokens = problem_.key_tokens = c.tokens;
  problem_.heads = c.heads;
  problem_.kv_heads = c.kv_heads;
  problem_.head_dim = c.head_dim;
  problem_.scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  problem_.dtype = problem_.out_dtype = c.dtype;
  problem_.memory = LVSA_CUDA;
  problem_.q = tensor_of(q_, tensors_.q);
  problem_.k = problem_.v = tensor_of(k_, tensors_.k);
  problem_.out = tensor_of(out_, tensors_.q);
  problem_.block_rows = c.block_rows;
  problem_.block_columns = c.block_columns;
  lvsa_sparge_defaults(&settings_);
  settings_.topk = c.topk.data();
  settings_.topk_count = static_cast<std::int64_t>(c.topk.size());
  settings_.cdfthreshd = c.cdfthreshd.data();
  settings_.cdfthreshd_count = static_cast<std::int64_t>(c.cdfthreshd.size());
  settings_.simthreshd1 = c.simthreshd1.data();
  settings_.simthreshd1_count = static_cast<std::int64_t>(c.simthreshd1.size());
  settings_.attention_sink = c.attention_sink ? 1 : 0;
  settings_.smooth_k = c.smooth_k ? 1 : 0;
  settings_.partial_kept = c.partial_kept ? 1 : 0;
  settings_.round_p = c.round_p ? 1 : 0;
}

std::size_t DevicePrediction::scratch_bytes() {
  std::size_t bytes = 0;
  EXPECT_EQ(lvsa_sparge_predict_scratch_bytes(&problem_, &settings_, &bytes, message_.data(),
                                              message_.size()),
            LVSA_OK)
      << message_.data();
  return bytes;
}

lvsa_status DevicePrediction::predict_to(const lvsa_sparge_map& map, void* scratch, void* stream) {
  return lvsa_sparge_predict(&problem_, &settings_, &map, scratch, stream, message_.data(),
                             message_.size());
}

test_support::PredictedMaps DevicePrediction::predict() {
  const test_support::PredictedMaps before = test_support::unwritten_maps(case_);
  const DeviceArray<std::int32_t> count(before.row_count);
  const DeviceArray<std::int32_t> indices(before.indices);
  const DeviceArray<std::int32_t> faults(before.faults);
  const DeviceArray<char> scratch(scratch_bytes());
  const lvsa_sparge_map map{count.get(), indices.get(), faults.get()};
  EXPECT_EQ(predict_to(map, scratch.get(), nullptr), LVSA_OK) << message_.data();
  return {count.read(), indices.read(), faults.read()};
}

}  // namespace lvsa::cuda::test
