#pragma once
// The probes of mask recovery: all scores equal (k = 0), and in V a code that tells the keys apart.
// An output column is then N / L, with N the sum of that column's code over the attended keys, each
// as often as it counts, and L the denominator. Derivation: docs/recover.md.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "analysis/verify/case.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {

/// Which column means what. Columns stand in this order; neighbours may share a token class where
/// the budget of runs asks for it.
struct ProbeColumns {
  FrameGrid grid;
  std::int64_t batch = 1;
  std::int64_t kv_heads = 1;
  std::int64_t head_dim = 1;        ///< columns a run
  std::int64_t text_chunk = 1;      ///< text tokens a column
  std::int64_t position_chunk = 1;  ///< positions within the frame a column
  std::int64_t fingerprints = 0;    ///< random codes of -1, 0, 1 that cancel over each frame

  std::int64_t text_classes() const { return (grid.text_tokens + text_chunk - 1) / text_chunk; }
  std::int64_t position_classes() const {
    return (grid.patches_per_frame + position_chunk - 1) / position_chunk;
  }
  std::int64_t first_text() const { return grid.frames; }
  std::int64_t first_position() const { return first_text() + text_classes(); }
  std::int64_t ones() const { return first_position() + position_classes(); }
  std::int64_t first_batch() const { return ones() + 1; }
  std::int64_t first_kv_head() const { return first_batch() + (batch > 1 ? batch : 0); }
  std::int64_t first_fingerprint() const { return first_kv_head() + (kv_heads > 1 ? kv_heads : 0); }
  std::int64_t count() const { return first_fingerprint() + fingerprints; }
  std::int64_t runs() const { return (count() + head_dim - 1) / head_dim; }
};

/// Columns for a case within `max_runs` runs; what is left of the last run becomes fingerprints.
/// Throws Error(kValue) naming the least number of runs that would do.
ProbeColumns plan_columns(const Case& c, std::int64_t max_runs);

/// The codes. Those of the fingerprints are drawn from `seed` and are the same for every batch
/// element and head; over a frame, and over the text, each sums to 0.
class ProbeCodes {
 public:
  ProbeCodes(const ProbeColumns& columns, std::uint64_t seed);
  const ProbeColumns& columns() const { return columns_; }
  /// -1, 0 or 1.
  int code(std::int64_t column, std::int64_t batch, std::int64_t kv_head, std::int64_t token) const;
  /// Sum of fingerprint `index` over the tokens first .. last - 1.
  std::int64_t fingerprint_sum(std::int64_t index, std::int64_t first, std::int64_t last) const {
    const std::size_t base = static_cast<std::size_t>(index * (columns_.grid.seq_len() + 1));
    return sums_[base + static_cast<std::size_t>(last)] -
           sums_[base + static_cast<std::size_t>(first)];
  }

 private:
  void draw(std::uint64_t seed, std::int64_t index, std::int64_t first, std::int64_t count);
  ProbeColumns columns_;
  std::vector<std::int8_t> codes_;  // [fingerprints, S]
  std::vector<std::int32_t> sums_;  // [fingerprints, S + 1]
};

/// What came out of all runs.
struct ProbeOutputs {
  std::int64_t columns = 0;
  std::vector<float> values;  ///< [B, H, S, columns]
  std::vector<float> lse;     ///< [B, H, S]; empty: the kernel has none
  std::optional<lvsa_numerics> numerics;
  DType dtype = LVSA_F32;  ///< of the kernel's output
};

/// Runs the kernel once for every head_dim columns. `before_each` is called before each run. Throws
/// Error(kKernel) when the kernel fails, Error(kOverflow) when the outputs do not fit in memory.
ProbeOutputs run_probes(const Case& c, const lvsa_kernel& kernel, const FramePattern& pattern,
                        const ProbeCodes& codes, std::int32_t threads,
                        const std::function<void()>& before_each = {});

}  // namespace lvsa::analysis
