#include "analysis/synth/scene.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/verify/inputs.hpp"

namespace lvsa::synth {
namespace {

constexpr std::uint64_t kSceneStream = 0x5ce4;

std::int64_t substeps(double tokens) {
  return static_cast<std::int64_t>(std::floor(tokens * kSubsteps + 0.5));
}

// Keeps a coordinate within 0 .. size by turning back at the borders.
double reflect(double x, double size) {
  const double period = 2.0 * size;
  x -= std::floor(x / period) * period;
  return x <= size ? x : period - x;
}

double uniform(std::uint64_t seed, std::uint64_t index) {
  return static_cast<double>(analysis::random_bits(seed, kSceneStream, index) >> 11) * 0x1p-53;
}

}  // namespace

Scene::Scene(const VideoWords& words) {
  const auto height = static_cast<double>(words.height - 1);
  const auto width = static_cast<double>(words.width - 1);
  for (std::int64_t f = 0; f < words.frames; ++f) {
    const auto t = static_cast<double>(f);
    camera_.push_back({substeps(-words.tilt * t), substeps(-words.pan * t)});
  }
  for (std::int64_t i = 0; i < words.objects; ++i) {
    const auto draw = [&](std::uint64_t n) {
      return uniform(words.seed, static_cast<std::uint64_t>(i) * 8 + n);
    };
    const Point start{draw(0) * height, draw(1) * width};
    Point way{draw(2) * 2.0 - 1.0, draw(3) * 2.0 - 1.0};
    const double length = std::max(std::sqrt(way.y * way.y + way.x * way.x), 1e-3);
    way = {way.y / length * words.speed - words.tilt, way.x / length * words.speed - words.pan};
    Object object{(0.1 + 0.12 * draw(4)) * static_cast<double>(std::min(words.height, words.width)),
                  {}};
    for (std::int64_t f = 0; f < words.frames; ++f) {
      const auto t = static_cast<double>(f);
      object.centres.push_back({substeps(height > 0.0 ? reflect(start.y + way.y * t, height) : 0.0),
                                substeps(width > 0.0 ? reflect(start.x + way.x * t, width) : 0.0)});
    }
    objects_.push_back(std::move(object));
  }
  const auto note = [&](const Place& now, const Place& first) {
    most_moved_ = std::max({most_moved_, std::abs(now.y - first.y), std::abs(now.x - first.x)});
  };
  for (const Place& place : camera_) note(place, camera_[0]);
  for (const Object& object : objects_) {
    for (const Place& place : object.centres) note(place, object.centres[0]);
  }
}

Look Scene::look(std::int64_t frame, std::int64_t y, std::int64_t x) const {
  const auto f = static_cast<std::size_t>(frame);
  Look look{0, camera_[f].y, camera_[f].x, {}};
  for (std::size_t i = objects_.size(); i-- > 0;) {
    const Place& centre = objects_[i].centres[f];
    const double dy = static_cast<double>(y * kSubsteps - centre.y) / kSubsteps;
    const double dx = static_cast<double>(x * kSubsteps - centre.x) / kSubsteps;
    if (dy * dy + dx * dx > objects_[i].radius * objects_[i].radius) continue;
    const Place& first = objects_[i].centres[0];
    look = {static_cast<std::int64_t>(i) + 1, centre.y - first.y, centre.x - first.x, {}};
    break;
  }
  look.place = {static_cast<double>(y * kSubsteps - look.moved_y) / kSubsteps,
                static_cast<double>(x * kSubsteps - look.moved_x) / kSubsteps};
  return look;
}

}  // namespace lvsa::synth
