#include "cuda/launch/block_host_memory.hpp"

#include <cstddef>
#include <exception>

#include "core/blocks/block_sizes_check.hpp"
#include "cuda/launch/device.hpp"
#include "cuda/launch/host_copies.hpp"

namespace lvsa::cuda {
namespace {

lvsa_status run(const lvsa_block_kernel& kernel, const lvsa_block_problem& p, char* message,
                std::size_t message_size) {
  const HostSpans spans = host_spans(p, p.query_tokens, p.key_tokens);
  const Verdict gaps = check_gaps(spans);
  if (!gaps.ok()) return tell(gaps, message, message_size);
  const HostCopies copies(p, spans);
  const lvsa_block_problem there = copies.problem(p);
  std::size_t bytes = 0;
  // Refused problems have no workspace; run() says why.
  if (kernel.workspace(&there, &bytes) != LVSA_OK) bytes = 0;
  return copies.run(kernel, there, bytes, message, message_size);
}

// What the copies rely on; the kernel checks the rest.
lvsa_status check_copies(const lvsa_block_problem* problem, Message message) {
  if (problem == nullptr || problem->struct_size < sizeof(lvsa_block_problem)) {
    return refuse(message, LVSA_INVALID, "the problem is null or too small");
  }
  if (problem->memory != LVSA_HOST) {
    return refuse(message, LVSA_UNSUPPORTED, "memory = %d: this kernel reads host memory (0) only",
                  static_cast<int>(problem->memory));
  }
  const lvsa_status status = check_block_sizes(*problem, message);
  return status == LVSA_OK ? check_block_tensors(*problem, message) : status;
}

}  // namespace

lvsa_status run_blocks_on_host_tensors(const lvsa_block_kernel& kernel,
                                       const lvsa_block_problem* problem, char* message,
                                       std::size_t message_size) {
  try {
    const lvsa_status status = check_copies(problem, {message, message_size});
    if (status != LVSA_OK) return status;
    const Device device = current_device();
    if (!device.usable) return tell({LVSA_NO_DEVICE, device.reason}, message, message_size);
    return run(kernel, *problem, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // namespace lvsa::cuda
