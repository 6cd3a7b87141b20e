#include "cuda/launch/host_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>

#include "core/error.hpp"
#include "cuda/launch/device.hpp"
#include "cuda/launch/host_copies.hpp"

namespace lvsa::cuda {
namespace {

Mirror mirror_scales(const float* scales, std::int64_t batch, std::int64_t heads) {
  const std::int64_t count = scales == nullptr ? 0 : batch * heads;
  return Mirror(const_cast<float*>(scales), static_cast<std::size_t>(count) * sizeof(float));
}

const float* there_or_null(const float* scales, const Mirror& mirror) {
  return scales == nullptr ? nullptr : reinterpret_cast<const float*>(mirror.data());
}

lvsa_status run(const lvsa_kernel& kernel, const lvsa_problem& p, char* message,
                std::size_t message_size) {
  const std::int64_t tokens = p.frames * p.patches_per_frame + p.text_tokens;
  const HostSpans spans = host_spans(p, tokens, tokens);
  const Verdict gaps = check_gaps(spans);
  if (!gaps.ok()) return tell(gaps, message, message_size);
  const HostCopies copies(p, spans);
  const Mirror q_scale = mirror_scales(p.q_scale, p.batch, p.heads);
  const Mirror k_scale = mirror_scales(p.k_scale, p.batch, p.kv_heads);
  const Mirror v_scale = mirror_scales(p.v_scale, p.batch, p.kv_heads);
  lvsa_problem there = copies.problem(p);
  there.q_scale = there_or_null(p.q_scale, q_scale);
  there.k_scale = there_or_null(p.k_scale, k_scale);
  there.v_scale = there_or_null(p.v_scale, v_scale);

  std::size_t bytes = 0;
  if (kernel.workspace != nullptr) {
    const lvsa_status status = kernel.workspace(&there, &bytes);
    if (status != LVSA_OK) throw Error(ErrorKind::kKernel, "the workspace query was refused");
  }
  return copies.run(kernel, there, bytes, message, message_size);
}

}  // namespace

lvsa_status run_on_host_tensors(const lvsa_kernel& kernel, const lvsa_problem* problem,
                                char* message, std::size_t message_size) {
  try {
    if (problem == nullptr || problem->struct_size < LVSA_PROBLEM_LEAST_SIZE) {
      return tell({LVSA_INVALID, "the problem is null or too small"}, message, message_size);
    }
    const Device device = current_device();
    if (!device.usable) return tell({LVSA_NO_DEVICE, device.reason}, message, message_size);
    lvsa_problem known{};  // of a caller that knows fewer fields, the others stay zero
    std::memcpy(&known, problem, std::min(problem->struct_size, sizeof known));
    known.struct_size = sizeof known;
    return run(kernel, known, message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // namespace lvsa::cuda
