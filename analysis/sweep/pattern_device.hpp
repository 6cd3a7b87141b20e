#pragma once
// What liblvsa_cuda.so offers beside its kernels, found at run time, as times of patterns need it.

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

/// A shared library that stays loaded: the driver's threads may still be in it at the end.
class DeviceLibrary {
 public:
  /// Throws Error(kKernel) with the path.
  explicit DeviceLibrary(const std::string& path);

  const std::string& path() const { return path_; }
  /// Null: it has no such function.
  template <typename Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;
  std::string path_;
  void* handle_ = nullptr;
};

/// SpargeAttn's prediction: lvsa_sparge_predict().
class DevicePrediction {
 public:
  /// A library without predictions is fine: prepare() is then always false.
  explicit DevicePrediction(const DeviceLibrary& library);
  ~DevicePrediction();
  DevicePrediction(const DevicePrediction&) = delete;
  DevicePrediction& operator=(const DevicePrediction&) = delete;

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

/// The kernel cuda-blocks with maps that are checked and copied once: lvsa_block_plan_create().
class DevicePlan {
 public:
  /// Null: the library has no plans. Throws KernelFailed for a problem that is refused.
  static std::unique_ptr<DevicePlan> make(const DeviceLibrary& library,
                                          const lvsa_block_problem& problem);
  ~DevicePlan();
  DevicePlan(const DevicePlan&) = delete;
  DevicePlan& operator=(const DevicePlan&) = delete;

  /// Queues a run on the device's stream. Throws KernelFailed.
  void run();

 private:
  struct Parts;
  explicit DevicePlan(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lvsa::analysis
