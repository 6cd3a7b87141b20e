#pragma once
// The value of a rule's density knob that comes nearest to a token density.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/sweep/pattern_compare.hpp"

namespace lvsa::analysis {

/// A rule in force on a sample: one pattern, or those of a whole rotation.
struct MadePatterns {
  std::string words;
  double knob = 0.0;  ///< NaN: not searched
  std::vector<std::shared_ptr<const HeadPattern>> patterns;
  double token_density = 0.0;  ///< mean over the patterns, as the other two
  double block_density = 0.0;
  double computed_density = 0.0;
  double prediction_flops = 0.0;
  bool reordered = false;
};

/// Pairs within kept blocks over all pairs.
double computed_density(const BlockMap& map);

/// The patterns of a rule for one sample. A static rule that depends on the step and comes back to
/// its first pattern, and from there on repeats, is a rotation: all of it is given. Others are made
/// for input.step.
MadePatterns make_patterns(const CompareRule& rule, const std::string& words,
                           const PatternInput& input);

/// Looks for knob values of one rule. A sample's results do not depend on the samples before it.
class PatternSearch {
 public:
  explicit PatternSearch(const CompareRule& rule) : rule_(rule) {}

  /// The patterns for each target, NaN: as the words stand. Of equally near ones the one tried
  /// first. Rules whose patterns are the same for all samples are searched once. Throws what the
  /// rule throws.
  std::vector<std::shared_ptr<const MadePatterns>> find(const PatternInput& input,
                                                        const std::vector<double>& targets);

 private:
  using Made = std::shared_ptr<const MadePatterns>;
  void scan();
  void narrow(double target);
  std::optional<double> next_place(double target) const;
  double span() const;
  double try_place(double place);
  double miss(std::size_t target) const;

  const CompareRule& rule_;
  std::vector<Made> kept_;  // of a static rule
  // Of the search under way.
  const PatternInput* input_ = nullptr;
  std::vector<double> targets_;
  std::vector<Made> nearest_;       // [targets]
  std::map<double, double> tried_;  // density at places 0 (sparsest) .. 1 (densest) of the knob
  std::map<std::string, double> known_;  // density by the words
};

/// The words with the knob at a value, in place of what they say of it.
std::string with_knob(const CompareRule& rule, const std::string& value);

}  // namespace lvsa::analysis
