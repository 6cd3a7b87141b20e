#pragma once
// Samples of a synthetic video, made when they are asked for.

#include <memory>
#include <string>
#include <vector>

#include "analysis/sweep/sample.hpp"

namespace lvsa::analysis {

/// Which of a synthetic video's samples are asked for; empty: all.
struct SyntheticChoice {
  std::vector<std::int64_t> layers;
  std::vector<std::int64_t> steps;
  std::vector<std::int64_t> heads;
};

/// `words` as synth::parse_video() takes them (docs/synthetic.md). Samples in the order layer,
/// step, head; each says its class. The identity is the words, all of them in one order. Throws
/// Error(kValue) for words, and for layers, steps or heads that the video has not.
std::unique_ptr<SampleSource> make_synthetic_source(const std::string& words,
                                                    const SyntheticChoice& choice = {});

}  // namespace lvsa::analysis
