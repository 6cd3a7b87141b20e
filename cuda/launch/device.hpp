#pragma once
// What the machine's current device can do.

#include <string>

namespace lvsa::cuda {

struct Device {
  bool usable = false;
  std::string reason;  ///< why not, in one line; empty when usable
  std::string name;
  int major = 0;  ///< compute capability
  int minor = 0;
  int multiprocessors = 0;
  int driver = 0;   ///< newest CUDA version that the driver serves, 1000 * major + 10 * minor
  int runtime = 0;  ///< CUDA version that this library was built with
  std::size_t memory_bytes = 0;
};

/// Asks the runtime for the calling thread's current device. Never throws and leaves no error
/// behind: no device, no driver or one that is too old is a device that is not usable, with the
/// reason.
Device current_device();

}  // namespace lvsa::cuda
