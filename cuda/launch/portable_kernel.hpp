#pragma once
// The portable attention kernel as the kernel "cuda-portable" of the C interface.

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::cuda {

/// bf16 and fp16, head sizes that are multiples of 8 up to 256, tensors in device memory, compute
/// capability 8.0 and up. run() copies the frame lists to the workspace and queues the kernel on
/// the stream. It cannot be captured in a CUDA graph, since the graph would read the caller's lists
/// again at every replay.
const lvsa_kernel& portable_kernel();

}  // namespace lvsa::cuda
