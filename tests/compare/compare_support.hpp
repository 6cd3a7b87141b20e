#pragma once
// Samples and toy rules for the tests of comparisons.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/sweep/pattern_compare.hpp"

namespace lvsa::analysis::testing {

/// Random fp64 tensors of a grid; `loudness` multiplies q.
Sample noise_sample(const FrameGrid& grid, std::int64_t dim, std::uint64_t seed,
                    double loudness = 1.0);

/// `heads` noise samples, heads 0, 1, ... of layer 0; classes "even" and "odd".
class NoiseSource : public SampleSource {
 public:
  NoiseSource(const FrameGrid& grid, std::int64_t dim, std::int64_t heads);
  const std::vector<SampleId>& ids() const override { return ids_; }
  const std::vector<ExcludedSample>& excluded() const override { return excluded_; }
  FrameGrid grid(std::size_t) const override { return grid_; }
  Sample load(std::size_t index) const override;
  std::string identity() const override { return "noise"; }
  std::string head_class(std::size_t index) const override { return index % 2 ? "odd" : "even"; }

 private:
  FrameGrid grid_;
  std::int64_t dim_;
  std::vector<SampleId> ids_;
  std::vector<ExcludedSample> excluded_;
};

/// Attends keys by a hash of (query, key, salt): about `share` of them, with element masks, ragged
/// blocks, and, if asked, a reversed order of the tokens.
HeadPattern speckled(std::int64_t tokens, double share, std::uint64_t salt, bool reversed);

/// A band of key blocks of 8 tokens around the query's: knob "width", an integer of 0 .. 40, blocks
/// on each side; none in the words: 3. `turn=N`: the band moves by a block each step and comes
/// back after N steps. `fail=1`: refuses odd heads.
CompareRule band_rule(const std::string& words);
/// The share of the keys by a hash: knob "share", a real of 0 .. 1; depends on the head.
CompareRule speckle_rule(const std::string& words);

}  // namespace lvsa::analysis::testing
