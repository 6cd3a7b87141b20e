#pragma once
// Frame masses of all query rows from the frame-mass kernel of liblvsa_cuda.so
// (cuda/launch/frame_mass.h). The library is looked for when it is asked for: nothing of CUDA has
// to be there to build or to start this.

#include <memory>
#include <string>

#include "analysis/maps/frame_mass.hpp"
#include "analysis/sweep/sample.hpp"

namespace lvsa::analysis {

class GpuFrameMass {
 public:
  /// Throws Error(kKernel) that names the library and what is wrong: not there, without the
  /// frame-mass kernel, no device.
  explicit GpuFrameMass(const std::string& library);
  ~GpuFrameMass();
  GpuFrameMass(const GpuFrameMass&) = delete;
  GpuFrameMass& operator=(const GpuFrameMass&) = delete;

  /// "NVIDIA H100 80GB HBM3, driver 12.8".
  const std::string& device() const;
  /// Dense attention, in fp32: a row adds up to 1 within 1e-5. Throws Error(kKernel) with the
  /// kernel's words where it refuses (it takes bf16 and fp16 of head sizes 64 and 128) and
  /// DeviceLost as DeviceMemory does.
  FrameMass measure(const Sample& sample);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace lvsa::analysis
