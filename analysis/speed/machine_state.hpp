#pragma once
// Clocks and load of this machine, from what it shows without rights or tools: /proc, /sys, the
// GPU's management library where there is one, and a clock probe that works anywhere.

#include <memory>
#include <string>

#include "analysis/speed/speed_result.hpp"

namespace lvsa::analysis {

/// Gigahertz of the processor that this runs on, seen from a chain of dependent multiplications and
/// additions of which one takes four cycles on current x86-64 (elsewhere only ratios mean
/// anything): the best of a few, some 40 microseconds together. Under a hypervisor that takes the
/// processor away, or beside a busy neighbour on the same core, it falls too.
double probe_cpu_ghz();

/// Clocks of the GPU that CUDA shows first, through libnvidia-ml.so.1, looked for at run time.
class GpuClocks {
 public:
  GpuClocks();
  ~GpuClocks();
  GpuClocks(const GpuClocks&) = delete;
  GpuClocks& operator=(const GpuClocks&) = delete;

  bool is_open() const { return library_ != nullptr; }
  /// MHz of the multiprocessors now; nothing when it is not told.
  std::optional<double> sm_mhz() const;
  void fill(MachineState& state) const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

/// What the machine says now. `gpu` may be null.
MachineState machine_state(const GpuClocks* gpu);

/// Processor time that a hypervisor has taken since the start, over all time. 0 where there is
/// none.
struct StealCounter {
  double stolen = 0.0;
  double all = 0.0;
  static StealCounter now();
  double share_since(const StealCounter& start) const;
};

/// What kind of NVML throttle bits lower the clocks against the driver's will: heat, power brake,
/// hardware slowdown. "thermal, power brake"; empty: none.
std::string throttle_text(std::uint64_t bits);

}  // namespace lvsa::analysis
