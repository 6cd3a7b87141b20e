#pragma once
// Synthetic videos as captures (docs/capture.md).

#include <string>

#include "analysis/synth/synthetic_source.hpp"
#include "core/io/tensor_file.hpp"

namespace lvsa::analysis {

struct SyntheticFile {
  std::int64_t calls = 0;
  std::int64_t heads = 0;  ///< a call
  double bytes = 0.0;      ///< of q, k and v together
};

/// Writes groups layer0/step0, ... with q, k and v [1, S, heads, D] and attributes T, P,
/// text_tokens, layout, latent_height, latent_width, words; each layer has head_classes. One tensor
/// is in memory at a time. Does not commit. Throws Error as make_synthetic_source() and TensorSink
/// do.
SyntheticFile write_synthetic_capture(TensorSink& file, const std::string& words,
                                      const SyntheticChoice& choice = {});

}  // namespace lvsa::analysis
