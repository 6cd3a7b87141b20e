#pragma once
// What a rule is asked for: the heads of a video of a given size, or those of captured or synthetic
// tensors.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/sweep/sample.hpp"
#include "core/blocks/pattern_rule.hpp"

namespace lvsa::analysis {

/// "T=21,h=30,w=52,text=0", in any order, separated by commas or blanks; P=1560 in place of h and w
/// where they are not known. Throws Error(kValue) that names the word and what would be right.
/// `frames` false: T and text may be missing, for tensors that say them.
VideoGrid parse_video_size(const std::string& text, bool frames_due = true);

/// One call of a rule.
struct PatternCall {
  SampleId id;
  PatternInput input;
};

/// Calls `use` for every sample in its order; tensors live during the call. `size` gives height and
/// width (0: not known) and must agree with the samples in what it says besides.
void for_pattern_calls(const SampleSource& source, const VideoGrid& size,
                       const std::function<void(const PatternCall&)>& use);
/// Without tensors: every layer, step and head of the lists, in this order.
void for_pattern_calls(const VideoGrid& size, const std::vector<std::int64_t>& layers,
                       const std::vector<std::int64_t>& steps,
                       const std::vector<std::int64_t>& heads,
                       const std::function<void(const PatternCall&)>& use);

}  // namespace lvsa::analysis
