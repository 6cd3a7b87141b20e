#include "cuda/launch/list_workspace.hpp"

#include <cstring>
#include <vector>

namespace lvsa::cuda {
namespace {

std::size_t offsets_bytes(const lvsa_problem& p) {
  return (static_cast<std::size_t>(p.frames) + 1) * sizeof(std::int64_t);
}

}  // namespace

Verdict check_stream(cudaStream_t stream) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  Verdict verdict = from_cuda(cudaStreamIsCapturing(stream, &capture), "cudaStreamIsCapturing");
  if (verdict.ok() && capture != cudaStreamCaptureStatusNone) {
    verdict = {LVSA_UNSUPPORTED,
               "the stream is being captured, but run() copies lists of the host"};
  }
  return verdict;
}

lvsa_status list_bytes(const lvsa_problem* problem, std::size_t* bytes) {
  if (problem == nullptr || bytes == nullptr || problem->frames < 1 ||
      problem->frame_lists.offsets == nullptr ||
      problem->frame_lists.offsets[problem->frames] < 0) {
    return LVSA_INVALID;
  }
  *bytes = offsets_bytes(*problem) +
           static_cast<std::size_t>(problem->frame_lists.offsets[problem->frames]) *
               sizeof(std::int32_t);
  return LVSA_OK;
}

Verdict check_workspace(const void* workspace, std::size_t bytes, std::size_t due) {
  if (workspace == nullptr || bytes < due) {
    return {LVSA_OUT_OF_MEMORY, "the workspace has " + std::to_string(bytes) + " bytes, " +
                                    std::to_string(due) + " are due"};
  }
  if (reinterpret_cast<std::uintptr_t>(workspace) % sizeof(std::int64_t) != 0) {
    return {LVSA_INVALID, "the workspace is not aligned to 8 bytes"};
  }
  return {};
}

Verdict copy_lists(const lvsa_problem& p, char* to, cudaStream_t stream, ListsOnDevice* lists) {
  Verdict verdict = check_stream(stream);
  if (!verdict.ok()) return verdict;
  // The caller's lists may be pinned memory, from which a copy would still read after the call; of
  // pageable memory like this the driver keeps its own copy.
  const std::size_t list_at = offsets_bytes(p);
  const std::size_t entries = static_cast<std::size_t>(p.frame_lists.offsets[p.frames]);
  std::vector<char> packed(list_at + entries * sizeof(std::int32_t));
  std::memcpy(packed.data(), p.frame_lists.offsets, list_at);
  if (entries > 0) {
    std::memcpy(packed.data() + list_at, p.frame_lists.list, entries * sizeof(std::int32_t));
  }
  lists->offsets = reinterpret_cast<const std::int64_t*>(to);
  lists->list = reinterpret_cast<const std::int32_t*>(to + list_at);
  return from_cuda(
      cudaMemcpyAsync(to, packed.data(), packed.size(), cudaMemcpyHostToDevice, stream),
      "cudaMemcpyAsync");
}

}  // namespace lvsa::cuda
