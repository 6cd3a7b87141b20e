// Schedules for the emulation.
#include <fmt/format.h>

#include <array>

#include "tests/analysis/schedule_emulation.hpp"

namespace schedule_test {

lvsa_numerics plain_schedule() {
  lvsa_numerics n{};
  n.struct_size = sizeof n;
  n.key_tile = 16;
  n.sum_step = 16;
  n.key_order = LVSA_KEYS_ASCENDING;
  n.max_rule = LVSA_MAX_RUNNING;
  n.p_dtype = LVSA_BF16;
  n.accumulator = LVSA_F32;
  n.exp_ulps = 2.0;
  n.score_step = 1;
  n.rescale_exact = 1;
  n.partial_dtype = LVSA_F32;
  return n;
}

Drawn draw_schedule(std::mt19937& random) {
  const auto draw = [&](unsigned count) { return static_cast<int>(random() % count); };
  Drawn drawn;
  lvsa_numerics& n = drawn.numerics;
  Liberty& liberty = drawn.liberty;
  n.struct_size = sizeof n;
  n.key_tile = std::array{1, 3, 8, 16, 64, 100000}[static_cast<std::size_t>(draw(6))];
  n.sum_step = static_cast<std::int32_t>(n.key_tile);
  n.tiles_cross_frames = draw(3);
  n.key_order = LVSA_KEYS_ASCENDING + draw(3);
  if (n.key_order == LVSA_KEYS_TEXT_FIRST && n.tiles_cross_frames == 1) n.tiles_cross_frames = 2;
  n.max_rule = LVSA_MAX_RUNNING + draw(2);
  n.p_dtype = std::array{LVSA_F32, LVSA_BF16, LVSA_F16, LVSA_E4M3,
                         LVSA_E5M2}[static_cast<std::size_t>(draw(5))];
  n.p_rounding = draw(4) == 0 ? LVSA_P_TOWARD_ZERO : LVSA_P_NEAREST_EVEN;
  if (n.p_dtype == LVSA_E4M3) n.p_scale_log2 = 8 * draw(2);
  n.sum_rounded_p = draw(2);
  n.normalise_first = n.max_rule == LVSA_MAX_FINAL && draw(2) == 0 ? 1 : 0;
  n.accumulator = LVSA_F32;
  n.exp_ulps = 1.0 + draw(4);
  n.score_step = std::array{1, 4, 16}[static_cast<std::size_t>(draw(3))];
  n.partial_dtype = LVSA_F32;
  if (n.normalise_first == 0 && draw(3) == 0) {
    n.split_keys = 2 + draw(3);
    n.split_rule = LVSA_SPLIT_RUNS + draw(2);
    n.split_tiles = 1 + draw(4);
    if (draw(3) == 0) n.partial_dtype = LVSA_BF16;
  }
  liberty.truncates = draw(3) == 0;
  if (liberty.truncates) n.accumulator_roundoff = 0x1p-23;
  liberty.fused_shift = draw(3) == 0;
  n.rescale_exact = liberty.fused_shift ? 0 : 1;
  liberty.reversed = draw(2) == 0;
  liberty.carried = draw(3) == 0;
  if (liberty.carried) n.sum_step = 1;
  liberty.exp_push = draw(4) - 1;
  return drawn;
}

std::string Drawn::text() const {
  const lvsa_numerics& n = numerics;
  return fmt::format(
      "tile {} cross {} order {} max {} P {} rounding {} scale {} sum_rounded {} normalise {} "
      "exact {} step {} splits {} rule {} of {} partial {} exp {} | truncates {} reversed {} "
      "carried "
      "{} fused {} push {}",
      n.key_tile, n.tiles_cross_frames, n.key_order, n.max_rule, static_cast<int>(n.p_dtype),
      n.p_rounding, n.p_scale_log2, n.sum_rounded_p, n.normalise_first, n.rescale_exact,
      n.score_step, n.split_keys, n.split_rule, n.split_tiles, static_cast<int>(n.partial_dtype),
      n.exp_ulps, liberty.truncates, liberty.reversed, liberty.carried, liberty.fused_shift,
      liberty.exp_push);
}

}  // namespace schedule_test
