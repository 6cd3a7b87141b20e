#include "core/schedule/step_counter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/config.hpp"
#include "core/error.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa {

StepCounter::StepCounter(const Environment& environment, const Behaviour& behaviour,
                         std::int64_t cfg_parallel_world)
    : takes_published_step_(behaviour.takes_published_step),
      cfg_passes_(integer_setting(environment, "LVSA_CFG_PASSES", 2)) {
  if (cfg_parallel_world < 1) {
    throw Error(ErrorKind::kValue,
                fmt::format("CFG-parallel world is {}; at least 1 is due", cfg_parallel_world));
  }
  if (behaviour.divides_cfg_passes) cfg_passes_ = floor_divide(cfg_passes_, cfg_parallel_world);
  cfg_passes_ = std::max<std::int64_t>(1, cfg_passes_);
  const std::int64_t blocks = integer_setting(environment, "LVSA_N_BLOCKS", 0);
  if (blocks != 0) n_blocks_ = blocks;
}

std::int64_t StepCounter::tick(std::int64_t layer, std::int64_t seq_len,
                               std::optional<std::int64_t> published_step) {
  if (seq_len_ != seq_len) {
    seq_len_ = seq_len;
    calls_ = 0;
    step_ = 0;
    seen_layers_.clear();
  }
  ++calls_;
  if (!n_blocks_) {
    const auto distinct = static_cast<std::int64_t>(seen_layers_.size());
    if (!seen_layers_.insert(layer).second) n_blocks_ = distinct;
  }
  if (takes_published_step_ && published_step) {
    // The published value also becomes the one that the count goes on from.
    step_ = *published_step;
  } else if (n_blocks_) {
    const std::int64_t calls_a_step = checked_product(*n_blocks_, cfg_passes_, "calls a step");
    step_ = std::max(step_, floor_divide(calls_ - 1, calls_a_step));
  }
  return step_;
}

}  // namespace lvsa
