#pragma once
// Calls of the C interface of SpargeAttn's prediction on cases.

#include <array>
#include <string>

#include "cuda/launch/sparge_attention.h"
#include "tests/cuda/device_memory.hpp"
#include "tests/support/prediction_case.hpp"

namespace lvsa::cuda::test {

/// A case on the device: q and k as on the host, v = k, an output, scratch when asked for.
class DevicePrediction {
 public:
  explicit DevicePrediction(const test_support::PredictionCase& c);

  lvsa_block_problem& problem() { return problem_; }
  lvsa_sparge_settings& settings() { return settings_; }
  const DeviceArray<std::uint16_t>& out() const { return out_; }
  /// Fills the output with what no kernel writes.
  void reset_out() { out_.set(tensors_.q.bits); }
  std::string message() const { return message_.data(); }

  /// Maps by the device; a failed call fails the test.
  test_support::PredictedMaps predict();
  lvsa_status predict_to(const lvsa_sparge_map& map, void* scratch, void* stream);
  std::size_t scratch_bytes();

 private:
  const test_support::PredictionCase& case_;
  test_support::PredictionTensors tensors_;
  DeviceArray<std::uint16_t> q_;
  DeviceArray<std::uint16_t> k_;
  DeviceArray<std::uint16_t> out_;
  lvsa_block_problem problem_{};
  lvsa_sparge_settings settings_{};
  std::array<char, 512> message_{};
};

}  // namespace lvsa::cuda::test
