#pragma once
// Geometry detection over many captured calls at once. Works on the caller's device memory, queues
// on a stream and returns; nothing is allocated or synchronised.

#include <cuda_runtime_api.h>

#include <cstdint>

namespace lvsa::cuda {

/// Which candidate for the patches per frame is taken. One that fits has
/// text = seq_len - frames * P within 0 .. frames * P - 1.
enum class GeometryRule : std::int32_t {
  kFirstFit,      ///< behaviour 1.2: the first in list order
  kSmallestText,  ///< behaviour 1.3: the fewest text tokens, then the smaller P
  kHook,          ///< the model hooks: frames divides seq_len; no candidates, no text
};

/// What was found for one call.
struct Geometry {
  std::int64_t patches_per_frame;  ///< 0 when nothing fits
  std::int64_t text_tokens;
  std::int64_t fits;  ///< candidates that fit; above 1 the capture is ambiguous
};

/// Captured calls and candidates, all pointers to device memory.
struct GeometryBatch {
  const std::int64_t* seq_len = nullptr;     ///< [count] tokens
  const std::int64_t* frames = nullptr;      ///< [count] T, latent frames
  std::int64_t count = 0;                    ///< >= 0
  const std::int64_t* candidates = nullptr;  ///< [candidate_count] any values, taken as they are
  std::int64_t candidate_count = 0;          ///< >= 0
};

/// `found` is device memory, [batch.count]. Throws Error(kValue) for a null pointer or a negative
/// count.
void detect_geometry(const GeometryBatch& batch, GeometryRule rule, Geometry* found,
                     cudaStream_t stream);

}  // namespace lvsa::cuda
