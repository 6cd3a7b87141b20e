#include "reference/pattern/step_counter.hpp"

#include <algorithm>

namespace lvsa::reference {

namespace {
// Published code takes a negative number as it is (the step then never moves).
constexpr std::int64_t kLowestBlocks = -2147483647;
}  // namespace

StepCounter::StepCounter(Published published, const Environment& environment,
                         std::int64_t cfg_parallel_world)
    : published_(published) {
  require_size("cfg_parallel_world", cfg_parallel_world, 1);
  const std::int64_t blocks = parse_int(get(environment, "LVSA_N_BLOCKS").value_or("0"));
  require_size("LVSA_N_BLOCKS", blocks, kLowestBlocks);
  if (blocks != 0) n_blocks_ = blocks;
  const std::int64_t cfg_passes =
      std::max(std::int64_t{1}, parse_int(get(environment, "LVSA_CFG_PASSES").value_or("2")));
  require_size("LVSA_CFG_PASSES", cfg_passes, 1);
  passes_per_step_ = cfg_passes;
  if (published_ == Published::k13) {
    passes_per_step_ = std::max(std::int64_t{1}, floor_divide(cfg_passes, cfg_parallel_world));
  }
}

std::int64_t StepCounter::tick(std::int64_t layer_id, std::int64_t seq_len,
                               std::optional<std::int64_t> native_step) {
  if (seq_len_ != seq_len) {
    calls_ = 0;
    step_ = 0;
    seen_layers_.clear();
  }
  seq_len_ = seq_len;
  ++calls_;
  if (!n_blocks_) {
    if (seen_layers_.contains(layer_id)) {
      n_blocks_ = static_cast<std::int64_t>(seen_layers_.size());
    } else {
      seen_layers_.insert(layer_id);
    }
  }
  if (n_blocks_) {
    step_ = std::max(step_, (calls_ - 1) / (*n_blocks_ * passes_per_step_));
  }
  if (published_ == Published::k13 && native_step) step_ = *native_step;
  return step_;
}

}  // namespace lvsa::reference
