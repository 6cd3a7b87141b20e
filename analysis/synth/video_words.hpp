#pragma once
// What a synthetic video is made from, as words that can be typed. docs/synthetic.md has them all.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::synth {

/// What a head attends to.
enum class HeadClass : std::size_t { kSpatial, kTemporal, kGlobal, kDiffuse };
inline constexpr std::size_t kHeadClasses = 4;
/// "spatial", "temporal", "global", "diffuse".
std::string_view class_name(HeadClass head_class);

struct VideoWords {
  std::int64_t frames = 21;  ///< T, latent frames
  std::int64_t height = 30;  ///< h, tokens
  std::int64_t width = 52;   ///< w, tokens
  std::int64_t text = 0;     ///< tokens behind the video
  std::int64_t heads = 12;
  std::int64_t head_dim = 128;
  std::int64_t layers = 1;
  std::int64_t steps = 1;  ///< denoising steps
  std::uint64_t seed = 1;
  std::int64_t objects = 4;
  double speed = 0.3;  ///< of the objects, tokens a latent frame
  double pan = 0.0;    ///< of the camera to the right, tokens a latent frame
  double tilt = 0.0;   ///< of the camera downwards, tokens a latent frame
  std::array<std::int64_t, kHeadClasses> mix{};  ///< heads of each class in a layer; sum: heads
  double sharpness = 1.0;                        ///< factor of all structured scores
  double noise = 1.0;  ///< standard deviation of q and k's noise at the first step
  DType dtype = LVSA_BF16;

  FrameGrid grid() const { return make_frame_grid(frames, height * width, text); }
};

/// "T=21 h=30 w=52 heads=12 D=128 camera=pan:0.2 mix=spatial:4,temporal:4,global:2,diffuse:2";
/// words that are missing have their defaults; without mix the classes share the heads as 4:4:2:2.
/// Throws Error(kValue) that names the word, its value and what would be right.
VideoWords parse_video(const std::string& text);
/// All words in one order; parse_video() of it gives the same.
std::string video_words(const VideoWords& words);

}  // namespace lvsa::synth
