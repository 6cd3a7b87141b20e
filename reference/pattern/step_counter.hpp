#pragma once
// The denoising step, inferred from the self-attention calls. Source: LVSA 1.2 behaviour,
// denoising step, inferred from calls; what 1.3 changes, steps.

#include <cstdint>
#include <optional>
#include <set>

#include "reference/pattern/frame_set.hpp"
#include "reference/pattern/python_text.hpp"

namespace lvsa::reference {

/// Counts calls. One object is one process; a change of sequence length starts anew, except that
/// the number of blocks, once known, stays.
class StepCounter {
 public:
  /// Reads LVSA_N_BLOCKS and LVSA_CFG_PASSES.
  /// @param cfg_parallel_world  ranks that share the passes of one step, at least 1; 1.2 ignores it
  /// @throws lvsa::Error ValueError for a variable that is no integer or a world below 1
  StepCounter(Published published, const Environment& environment,
              std::int64_t cfg_parallel_world = 1);

  /// The step of this call.
  /// @param native_step  the true step where the pipeline publishes it (1.3; 1.2 ignores it). It
  ///                     becomes the current step, so that a later call without one stays there
  ///                     until the count is greater.
  std::int64_t tick(std::int64_t layer_id, std::int64_t seq_len,
                    std::optional<std::int64_t> native_step = std::nullopt);

  /// Attention blocks of the model, once known.
  std::optional<std::int64_t> n_blocks() const { return n_blocks_; }

 private:
  Published published_;
  std::int64_t passes_per_step_ = 1;
  std::optional<std::int64_t> n_blocks_;
  std::optional<std::int64_t> seq_len_;
  std::set<std::int64_t> seen_layers_;
  std::int64_t calls_ = 0;
  std::int64_t step_ = 0;
};

}  // namespace lvsa::reference
