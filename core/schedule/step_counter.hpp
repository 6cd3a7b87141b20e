#pragma once
// The denoising step as the plugin infers it from its own calls.
// Source: published LVSA behaviour, denoising step inferred from calls.
//
// Two things that the count does not do are part of the behaviour: it is never reset between two
// generations of the same length, and it lags when a cached forward pass is skipped.

#include <cstdint>
#include <optional>
#include <set>

#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"

namespace lvsa {

class StepCounter {
 public:
  /// Reads LVSA_N_BLOCKS (0 or unset: found out from the calls) and LVSA_CFG_PASSES.
  /// `cfg_parallel_world`: ranks that share the passes of classifier-free guidance; where the
  /// behaviour divides by it. Throws Error(kValue) for a variable that is no integer, or a world
  /// below 1.
  StepCounter(const Environment& environment, const Behaviour& behaviour,
              std::int64_t cfg_parallel_world = 1);

  /// One self-attention call; returns the denoising step in force. `published_step` is what the
  /// pipeline says, where it says anything: taken as it is by the behaviour that knows it.
  std::int64_t tick(std::int64_t layer, std::int64_t seq_len,
                    std::optional<std::int64_t> published_step = std::nullopt);

  /// Blocks of the model; nothing until known.
  std::optional<std::int64_t> n_blocks() const { return n_blocks_; }

 private:
  bool takes_published_step_;
  std::int64_t cfg_passes_;
  std::optional<std::int64_t> n_blocks_;
  std::optional<std::int64_t> seq_len_;
  std::int64_t calls_ = 0;
  std::int64_t step_ = 0;
  std::set<std::int64_t> seen_layers_;
};

}  // namespace lvsa
