#pragma once
// SpargeAttn's prediction as a row of launches.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/attention/blocks/device_maps.hpp"
#include "cuda/launch/problem_check.hpp"
#include "cuda/launch/sparge_attention.h"
#include "cuda/prediction/parameters.hpp"

namespace lvsa::cuda {

/// Device memory cut into arrays, each aligned to 128; without memory it only counts.
class ScratchCutter {
 public:
  explicit ScratchCutter(char* memory) : memory_(memory) {}

  template <typename Value>
  Value* take(std::int64_t count) {
    Value* const here = memory_ == nullptr ? nullptr : reinterpret_cast<Value*>(memory_ + bytes_);
    bytes_ += (static_cast<std::size_t>(count) * sizeof(Value) + 127) / 128 * 128;
    return here;
  }
  std::size_t bytes() const { return bytes_; }
  char* rest() const { return memory_ + bytes_; }

 private:
  char* memory_;
  std::size_t bytes_ = 0;
};

/// What the prediction keeps between its launches.
struct PredictionScratch {
  prediction::HeadNumbers* numbers = nullptr;
  double* sums = nullptr;
  std::uint32_t* largest = nullptr;
  std::uint32_t* flipped = nullptr;
  float* centre = nullptr;
  float* q_means = nullptr;
  float* k_means = nullptr;
  prediction::MeanSpan* q_spans = nullptr;
  prediction::MeanSpan* k_spans = nullptr;
  std::uint8_t* q_alike = nullptr;
  std::uint8_t* k_alike = nullptr;
  std::int32_t* q_faults = nullptr;
  std::int32_t* k_faults = nullptr;
};
PredictionScratch cut_prediction(const lvsa_block_problem& prepared, ScratchCutter* cutter);

/// The arrays around predicted maps that a block-sparse kernel reads.
struct MapTables {
  std::int32_t* row_begin = nullptr;
  std::int32_t* column_begin = nullptr;
  std::int64_t* row_first = nullptr;
  std::int32_t* map_of_head = nullptr;
  float* skip_log2 = nullptr;
};
MapTables cut_tables(const lvsa_block_problem& prepared, ScratchCutter* cutter);

/// Queues the launches that fill the tables (null arrays: not wanted) and clear the fault words.
Verdict queue_tables(const lvsa_block_problem& prepared,
                     const std::vector<prediction::HeadNumbers>& numbers,
                     const PredictionScratch& scratch, const MapTables& tables,
                     std::int32_t* faults, cudaStream_t stream);

/// Queues the prediction behind queue_tables().
Verdict queue_prediction(const lvsa_block_problem& prepared, const lvsa_sparge_settings& settings,
                         const PredictionScratch& scratch, const lvsa_sparge_map& map,
                         cudaStream_t stream);

}  // namespace lvsa::cuda
