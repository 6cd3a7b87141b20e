#include "analysis/synth/head_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "analysis/verify/inputs.hpp"
#include "core/error.hpp"
#include "core/numeric/small_floats.hpp"

namespace lvsa::synth {
namespace {

// Streams of a head's random numbers; noise of q, k and v comes first.
enum Draw : std::uint64_t { kValueNoise = 2, kDirections, kMaterials, kLooks, kWaves, kWaveRows };
constexpr std::uint64_t kDraws = 16;
constexpr int kWaveCount = 5;
constexpr std::int64_t kStill = 0;
constexpr double kTwoPi = 0x1.921fb54442d18p+2;

std::uint64_t head_stream(const VideoWords& words, std::int64_t layer, std::int64_t step,
                          std::int64_t head) {
  for (const auto& [name, value, size] :
       {std::tuple("layer", layer, words.layers), std::tuple("step", step, words.steps),
        std::tuple("head", head, words.heads)}) {
    if (value >= 0 && value < size) continue;
    throw Error(ErrorKind::kValue, fmt::format("synthetic video: {} {}; one from 0 to {} is due",
                                               name, value, size - 1));
  }
  return ((static_cast<std::uint64_t>(layer) + 1) * 4096 + static_cast<std::uint64_t>(head)) *
         kDraws;
}

void scale_to(double length, double* row, std::int64_t count) {
  double square = 0.0;
  for (std::int64_t i = 0; i < count; ++i) square += row[i] * row[i];
  if (square == 0.0) return;
  for (std::int64_t i = 0; i < count; ++i) row[i] *= length / std::sqrt(square);
}

}  // namespace

HeadMaker::HeadMaker(const VideoWords& words, const Scene& scene, std::int64_t layer,
                     std::int64_t step, std::int64_t head)
    : words_(words), scene_(scene), stream_(head_stream(words, layer, step, head)) {
  plan_ = plan_head(words, layer, step, head);
  draw_score_parts();
  draw_value_parts();
}

std::vector<double> HeadMaker::draw(std::uint64_t what, std::int64_t count) const {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(analysis::bell(
        analysis::random_bits(words_.seed, stream_ + what, static_cast<std::uint64_t>(i))));
  }
  return values;
}

// scale * q.k of two equal parts of length l is l^2 / sqrt(D): a term of height A has length
// sqrt(A sqrt(D)).
void HeadMaker::draw_score_parts() {
  const std::int64_t dim = words_.head_dim;
  const double root = std::sqrt(static_cast<double>(dim));
  const std::array<std::int64_t, 3> sizes{words_.frames, words_.height, words_.width};
  const std::array<double, 3> heights{plan_.frames, plan_.tokens / 2.0, plan_.tokens / 2.0};
  const std::array<double, 3> reaches{plan_.reach_frames, plan_.reach_tokens, plan_.reach_tokens};
  const auto ropes = rope_axes(dim);
  for (std::size_t a = 0; a < 3; ++a) {
    axes_.push_back({ropes[a], TurnTable(ropes[a], 0, sizes[a] - 1, 1), {}});
    const auto shares = nearness_shares(ropes[a], reaches[a]);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const auto index = (a << 16) + i;
      const auto bits = analysis::random_bits(words_.seed, stream_ + kDirections, index) >> 11;
      const exact::SinCos direction = exact::sincos(kTwoPi * (static_cast<double>(bits) * 0x1p-53));
      const double length = std::sqrt(heights[a] * root * shares[i]);
      axes_[a].start.push_back({length * direction.sin, length * direction.cos});
    }
    if (a > 0 && plan_.follows_motion) {
      const std::int64_t most = scene_.most_moved();
      moved_[a - 1] = std::make_unique<TurnTable>(ropes[a], -most, most, kSubsteps);
    }
  }
  // What is to survive the rotation lies in pairs that turn by less than 1 over the whole axis.
  materials_ = draw(kMaterials, scene_.materials() * dim);
  for (std::int64_t m = 0; m < scene_.materials(); ++m) {
    double* row = materials_.data() + m * dim;
    for (std::size_t a = 0; a < 3; ++a) {
      const RopeAxis& rope = axes_[a].rope;
      for (std::int64_t i = 0; i + 1 < rope.pairs(); ++i) {
        if (rope.turns[static_cast<std::size_t>(i)] * static_cast<double>(sizes[a]) < 1.0) break;
        row[2 * (rope.first_pair + i)] = row[2 * (rope.first_pair + i) + 1] = 0.0;
      }
    }
    scale_to(std::sqrt(plan_.material * root), row, dim);
  }
  sink_ = std::sqrt(plan_.sink * root / 3.0);  // on three axes
}

void HeadMaker::draw_value_parts() {
  looks_ = draw(kLooks, scene_.materials() * words_.head_dim);
  const auto waves = draw(kWaves, kWaveCount * 4);
  for (std::size_t i = 0; i < kWaveCount; ++i) {
    const double* w = waves.data() + 4 * i;
    waves_.push_back({0.4 * w[0], 0.4 * w[1], 0.05 * w[2], kTwoPi * w[3]});
  }
  wave_rows_ = draw(kWaveRows, kWaveCount * words_.head_dim);
}

// One axis of a row: what is constant (turned back by what moved, for a head that follows it) and
// what belongs to the material, turned by the position.
void HeadMaker::place_axis(std::size_t axis, std::int64_t position, std::int64_t moved,
                           const double* material, double* out) const {
  const Axis& a = axes_[axis];
  const exact::SinCos* turn = a.positions.at(position);
  const TurnTable* table = axis > 0 ? moved_[axis - 1].get() : nullptr;
  const exact::SinCos* back = table ? table->at(moved) : nullptr;
  for (std::int64_t i = 0; i < a.rope.pairs(); ++i) {
    const std::int64_t at = 2 * (a.rope.first_pair + i);
    exact::SinCos start = a.start[static_cast<std::size_t>(i)];
    if (back) {
      start = {start.sin * back[i].cos - start.cos * back[i].sin,
               start.cos * back[i].cos + start.sin * back[i].sin};
    }
    const double x = start.cos + material[at];
    const double y = start.sin + material[at + 1];
    out[at] = x * turn[i].cos - y * turn[i].sin;
    out[at + 1] = x * turn[i].sin + y * turn[i].cos;
  }
}

void HeadMaker::add_noise(std::int64_t token, std::uint64_t part, double level, double* out) const {
  const std::int64_t dim = words_.head_dim;
  for (std::int64_t d = 0; d < dim; ++d) {
    const auto bits = analysis::random_bits(words_.seed, stream_ + part,
                                            static_cast<std::uint64_t>(token * dim + d));
    out[d] += level * static_cast<double>(analysis::bell(bits));
  }
}

void HeadMaker::score_row(std::int64_t token, std::uint64_t part, double* out) const {
  const std::int64_t dim = words_.head_dim;
  const std::int64_t size = words_.height * words_.width;
  const std::int64_t frame = token / size;
  const bool text = token >= words_.frames * size;
  std::fill(out, out + dim, 0.0);
  if (!text) {
    const std::int64_t y = token % size / words_.width;
    const std::int64_t x = token % size % words_.width;
    const Look look = scene_.look(frame, y, x);
    const double* material = materials_.data() + look.material * dim;
    place_axis(0, frame, kStill, material, out);
    place_axis(1, y, look.moved_y, material, out);
    place_axis(2, x, look.moved_x, material, out);
  }
  const bool sinks = part == 0 || text || frame == 0;
  for (const Axis& axis : axes_) {
    // The slowest pair of the axis, which the rotation leaves nearly alone.
    if (sinks) out[2 * (axis.rope.first_pair + axis.rope.pairs() - 1)] += sink_;
  }
  add_noise(token, part, plan_.noise, out);
}

void HeadMaker::value_row(std::int64_t token, double* out) const {
  const std::int64_t dim = words_.head_dim;
  const std::int64_t size = words_.height * words_.width;
  const std::int64_t frame = token / size;
  std::fill(out, out + dim, 0.0);
  if (token < words_.frames * size) {
    const Look look = scene_.look(frame, token % size / words_.width, token % size % words_.width);
    const double* base = looks_.data() + look.material * dim;
    for (std::int64_t d = 0; d < dim; ++d) out[d] = 0.7 * base[d];
    for (std::size_t i = 0; i < waves_.size(); ++i) {
      const Wave& w = waves_[i];
      const double height = 0.4 * exact::sincos(w.y * look.place.y + w.x * look.place.x +
                                                w.t * static_cast<double>(frame) + w.phase)
                                      .cos;
      const double* row = wave_rows_.data() + static_cast<std::int64_t>(i) * dim;
      for (std::int64_t d = 0; d < dim; ++d) out[d] += height * row[d];
    }
    for (std::int64_t d = 0; d < dim; ++d) out[d] *= plan_.clean;
  }
  add_noise(token, kValueNoise, 1.0 - 0.9 * plan_.clean, out);
}

template <typename Row>
Tensor HeadMaker::fill(Row row) const {
  const std::int64_t tokens = words_.grid().seq_len();
  const std::int64_t dim = words_.head_dim;
  Tensor made(words_.dtype, {1, tokens, 1, dim}, Layout::kBSHD);
#pragma omp parallel
  {
    std::vector<double> values(static_cast<std::size_t>(dim));
#pragma omp for schedule(static)
    for (std::int64_t s = 0; s < tokens; ++s) {
      row(s, values.data());
      std::byte* out = made.bytes() + static_cast<std::size_t>(s * dim) * dtype_bytes(words_.dtype);
      for (std::int64_t d = 0; d < dim; ++d) {
        if (words_.dtype == LVSA_BF16) {
          const std::uint16_t bits =
              float_to_bf16(static_cast<float>(values[static_cast<std::size_t>(d)]));
          std::memcpy(out + d * 2, &bits, sizeof bits);
        } else {
          encode(words_.dtype, values[static_cast<std::size_t>(d)],
                 out + static_cast<std::size_t>(d) * dtype_bytes(words_.dtype));
        }
      }
    }
  }
  return made;
}

Tensor HeadMaker::queries() const {
  return fill([this](std::int64_t token, double* out) { query_row(token, out); });
}
Tensor HeadMaker::keys() const {
  return fill([this](std::int64_t token, double* out) { key_row(token, out); });
}
Tensor HeadMaker::values() const {
  return fill([this](std::int64_t token, double* out) { value_row(token, out); });
}

}  // namespace lvsa::synth
