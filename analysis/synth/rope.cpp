#include "analysis/synth/rope.hpp"

#include <cmath>

namespace lvsa::synth {

std::array<RopeAxis, 3> rope_axes(std::int64_t head_dim) {
  constexpr double kLn10000 = 0x1.26bb1bbb55516p+3;
  const std::int64_t side = head_dim / 6;  // pairs
  const std::array<std::int64_t, 3> pairs{head_dim / 2 - 2 * side, side, side};
  std::array<RopeAxis, 3> axes;
  std::int64_t first = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    axes[a].first_pair = first;
    for (std::int64_t i = 0; i < pairs[a]; ++i) {
      axes[a].turns.push_back(
          exact::exp(-kLn10000 * static_cast<double>(i) / static_cast<double>(pairs[a])));
    }
    first += pairs[a];
  }
  return axes;
}

std::vector<double> nearness_shares(const RopeAxis& axis, double reach) {
  // exp(-d / reach) is the integral of cos(w d) reach / (1 + (w reach)^2) over w; the frequencies
  // stand at equal distances of log w, which is a factor w.
  std::vector<double> shares;
  double sum = 0.0;
  for (const double w : axis.turns) {
    const double weight =
        reach > 0.0 ? w * reach / (1.0 + (w * reach) * (w * reach)) : std::sqrt(w);
    shares.push_back(weight);
    sum += weight;
  }
  for (double& share : shares) share /= sum;
  return shares;
}

TurnTable::TurnTable(const RopeAxis& axis, std::int64_t first, std::int64_t last,
                     std::int64_t steps)
    : first_(first), pairs_(axis.pairs()) {
  table_.reserve(static_cast<std::size_t>((last - first + 1) * pairs_));
  for (std::int64_t position = first; position <= last; ++position) {
    for (const double w : axis.turns) {
      table_.push_back(
          exact::sincos(w * static_cast<double>(position) / static_cast<double>(steps)));
    }
  }
}

}  // namespace lvsa::synth
