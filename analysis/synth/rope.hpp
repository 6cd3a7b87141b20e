#pragma once
// 3-D rotary positions as Wan's transformer has them (diffusers, WanRotaryPosEmbed): of the D
// dimensions of a head, 2 * (D / 6) each belong to height and width and the rest, first, to time;
// dimensions 2i and 2i + 1 of a part of n dimensions turn by position * 10000^(-2i / n).

#include <array>
#include <cstdint>
#include <vector>

#include "core/exact/exact_functions.hpp"

namespace lvsa::synth {

/// Time, height or width.
struct RopeAxis {
  std::int64_t first_pair = 0;  ///< in the head
  std::vector<double> turns;    ///< [pairs] radians a position

  std::int64_t pairs() const { return static_cast<std::int64_t>(turns.size()); }
};

/// Time, height, width. D is even and at least 12.
std::array<RopeAxis, 3> rope_axes(std::int64_t head_dim);

/// Shares (sum 1) of the pairs in a score that falls off with the distance d between positions,
/// sum share_i cos(turns_i d): like exp(-d / reach) for reaches of 4 and more, more roundly below,
/// as no frequency exceeds 1. Reach 0: as sharply as they allow without echoes further away, where
/// the fastest ones come round together (at 19 for D = 128).
std::vector<double> nearness_shares(const RopeAxis& axis, double reach);

/// Sines and cosines of position / steps * turns, for first <= position <= last.
class TurnTable {
 public:
  TurnTable(const RopeAxis& axis, std::int64_t first, std::int64_t last, std::int64_t steps);
  /// [pairs]
  const exact::SinCos* at(std::int64_t position) const {
    return table_.data() + (position - first_) * pairs_;
  }

 private:
  std::int64_t first_;
  std::int64_t pairs_;
  std::vector<exact::SinCos> table_;
};

}  // namespace lvsa::synth
