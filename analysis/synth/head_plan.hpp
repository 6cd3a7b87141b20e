#pragma once
// How strongly a head looks at what: the terms that the scores of a synthetic head consist of.

#include <cstdint>

#include "analysis/synth/video_words.hpp"

namespace lvsa::synth {

/// Heights of the terms of a score (scale * q.k), at a distance of 0. docs/synthetic.md has the
/// values for each class.
struct HeadPlan {
  HeadClass head_class = HeadClass::kDiffuse;
  double frames = 0.0;        ///< nearness in time
  double reach_frames = 1.0;  ///< its decay length, latent frames
  double tokens = 0.0;        ///< nearness in the picture
  double reach_tokens = 0.0;  ///< its decay length, tokens; 0: as sharp as RoPE's frequencies allow
  bool follows_motion = false;  ///< nearness of what moved along, not of the place in the picture
  double material = 0.0;        ///< the same object
  double sink = 0.0;            ///< keys of the first frame and of the text
  double noise = 1.0;           ///< standard deviation of each element of q and k
  double clean = 1.0;           ///< share of the signal in v; the rest is noise
};

/// Classes are dealt out to the heads of a layer by the seed, so that the same head number has
/// another class in another layer.
HeadClass class_of(const VideoWords& words, std::int64_t layer, std::int64_t head);

/// The noise level falls evenly from 1 at step 0 towards 0: with it the noise falls to 40 % and the
/// structured terms rise from 70 % of their heights.
HeadPlan plan_head(const VideoWords& words, std::int64_t layer, std::int64_t step,
                   std::int64_t head);

}  // namespace lvsa::synth
