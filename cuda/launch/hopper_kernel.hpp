#pragma once
// The Hopper attention kernel as the kernel "cuda" of the C interface.

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda {

/// bf16 and fp16, head sizes 64 and 128, tensors in device memory, compute capability 9.0. run()
/// copies the frame lists to the workspace and queues the kernel on the stream; pipelines that
/// rebuild the pattern on the device use hopper_plan() and hopper_run() instead.
const lvsa_kernel& hopper_kernel();

}  // namespace lvsa::cuda
