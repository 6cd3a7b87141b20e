#pragma once
// The Hopper attention kernels behind the C interface. Tensors in device memory, compute capability
// 9.0. run() copies the frame lists to the workspace and queues the kernel on the stream; pipelines
// that rebuild the pattern on the device use cuda/launch/hopper_plan.h instead.

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda {

/// "cuda": bf16 and fp16, head sizes 64 and 128.
const lvsa_kernel& hopper_kernel();

/// "cuda-fp8": e4m3 with scales of q, k and v, head size 128, output bf16 or fp16. The workspace
/// holds a copy of v.
const lvsa_kernel& fp8_kernel();

}  // namespace lvsa::cuda
