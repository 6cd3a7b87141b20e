#pragma once
// SpargeAttn's prediction on a GPU as it is timed: lvsa_sparge_predict() out of a shared library.

#include <cstdint>
#include <memory>
#include <string>

#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

class DevicePrediction {
 public:
  /// A library without predictions is fine: prepare() is then always false. Throws Error(kKernel)
  /// for one that cannot be loaded.
  explicit DevicePrediction(const std::string& library);
  ~DevicePrediction();
  DevicePrediction(DevicePrediction&&) noexcept;
  DevicePrediction& operator=(DevicePrediction&&) noexcept;

  /// Room for the maps of a rule on tensors in device memory (of the problem sizes, tensors and
  /// block sizes count); all heads get the numbers of `head`. False: the library does not predict
  /// this rule.
  bool prepare(const lvsa_block_problem& problem, const std::string& words, std::int64_t head);

  /// Of so many predictions in a row, the last one waited for. Throws Error(kKernel).
  double seconds(std::int64_t calls);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lvsa::analysis
