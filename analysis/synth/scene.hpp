#pragma once
// A video of latent frames: discs that move over a background which the camera passes by. For each
// token it says what it shows, and how far that has moved since the first frame.

#include <cstdint>
#include <vector>

#include "analysis/synth/video_words.hpp"

namespace lvsa::synth {

/// Displacements are whole multiples of 1 / kSubsteps of a token.
inline constexpr std::int64_t kSubsteps = 8;

struct Point {
  double y = 0.0;
  double x = 0.0;
};

/// What a token shows.
struct Look {
  std::int64_t material = 0;  ///< 0 the background, 1.. the objects
  std::int64_t moved_y = 0;   ///< since frame 0, in 1 / kSubsteps tokens
  std::int64_t moved_x = 0;
  Point place;  ///< on the material: the token's position less what it moved, tokens
};

class Scene {
 public:
  explicit Scene(const VideoWords& words);

  /// At frame f, row y and column x of the latent grid. Nearer objects hide others: higher numbers
  /// are nearer.
  Look look(std::int64_t frame, std::int64_t y, std::int64_t x) const;
  std::int64_t materials() const { return static_cast<std::int64_t>(objects_.size()) + 1; }
  /// No |moved_y| or |moved_x| exceeds it.
  std::int64_t most_moved() const { return most_moved_; }

 private:
  struct Place {
    std::int64_t y;  // in 1 / kSubsteps tokens
    std::int64_t x;
  };
  struct Object {
    double radius;
    std::vector<Place> centres;  // [T]
  };
  std::vector<Place> camera_;  // [T]: how far the background has moved
  std::vector<Object> objects_;
  std::int64_t most_moved_ = 0;
};

}  // namespace lvsa::synth
