#pragma once
// SpargeAttn's block map of one head.

#include <vector>

#include "core/blocks/pattern_rule.hpp"

namespace lvsa::sparse {

/// The rule's parameters; numbers for all heads or one for each.
struct SpargeSettings {
  std::vector<double> topk;        ///< empty: the CDF rule is in force
  std::vector<double> cdfthreshd;  ///< empty: the top-k rule is
  std::vector<double> simthreshd1;
  std::vector<double> pvthreshd;
  bool causal = false;
  bool attention_sink = false;
  bool centre_k = true;
  bool partial_kept = true;
  bool round_p = false;
  bool strict = true;
  BlockSize block{};
};

/// Throws Error(kValue) for heads without a number and for numbers of q and k that are not finite.
BlockMap sparge_map(const SpargeSettings& settings, const PatternInput& input);

}  // namespace lvsa::sparse
