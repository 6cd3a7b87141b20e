#include "core/error.hpp"
#include "cuda/error.hpp"
#include "cuda/pattern/geometry.hpp"

namespace lvsa::cuda {
namespace {

constexpr int kThreads = 256;
using Wide = __int128;  // products of two 64-bit values, so that no candidate overflows

__device__ Geometry hook_geometry(std::int64_t seq_len, std::int64_t frames) {
  if (frames <= 0 || seq_len <= 0 || seq_len % frames != 0) return {};
  return {seq_len / frames, 0, 1};
}

__device__ Geometry backend_geometry(const GeometryBatch& batch, bool smallest_text,
                                     std::int64_t seq_len, std::int64_t frames) {
  Geometry best{};
  for (std::int64_t i = 0; i < batch.candidate_count; ++i) {
    const std::int64_t p = batch.candidates[i];
    const Wide video = static_cast<Wide>(frames) * p;
    const Wide text = seq_len - video;
    if (text < 0 || text >= video) continue;
    const auto text_tokens = static_cast<std::int64_t>(text);
    const bool better = text_tokens < best.text_tokens ||
                        (text_tokens == best.text_tokens && p < best.patches_per_frame);
    if (best.fits == 0 || (smallest_text && better)) {
      best.patches_per_frame = p;
      best.text_tokens = text_tokens;
    }
    ++best.fits;
  }
  return best;
}

__global__ void __launch_bounds__(kThreads)
    detect_kernel(GeometryBatch batch, GeometryRule rule, Geometry* found) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
       i < batch.count; i += stride) {
    const std::int64_t seq_len = batch.seq_len[i];
    const std::int64_t frames = batch.frames[i];
    found[i] = rule == GeometryRule::kHook
                   ? hook_geometry(seq_len, frames)
                   : backend_geometry(batch, rule == GeometryRule::kSmallestText, seq_len, frames);
  }
}

}  // namespace

void detect_geometry(const GeometryBatch& batch, GeometryRule rule, Geometry* found,
                     cudaStream_t stream) {
  if (batch.count < 0 || batch.candidate_count < 0) {
    throw Error(ErrorKind::kValue, "a geometry batch with a negative count");
  }
  if (batch.count == 0) return;
  const bool list_missing = batch.candidate_count > 0 && batch.candidates == nullptr;
  if (batch.seq_len == nullptr || batch.frames == nullptr || found == nullptr || list_missing) {
    throw Error(ErrorKind::kValue, "a geometry batch with a null pointer");
  }
  constexpr std::int64_t kMaxBlocks = 4096;
  const std::int64_t blocks = (batch.count + kThreads - 1) / kThreads;
  detect_kernel<<<static_cast<unsigned>(blocks < kMaxBlocks ? blocks : kMaxBlocks), kThreads, 0,
                  stream>>>(batch, rule, found);
  check_launch("detect_geometry");
}

}  // namespace lvsa::cuda
