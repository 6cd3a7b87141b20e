#pragma once
// Small samples for the tests of frame partials.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/sweep/sample.hpp"

namespace lvsa::analysis::testing {

struct SampleWish {
  std::int64_t frames = 3;
  std::int64_t patches = 4;
  std::int64_t text = 0;
  std::int64_t dim = 8;
  std::uint64_t seed = 1;
  double loudness = 1.0;  ///< factor of q, so of the scores; a power of two keeps them exact
};

/// fp64 tensors of integers / 16 within +-4: every product of two and every sum of them is exact in
/// fp64, so the order of the additions in a score decides nothing.
Sample make_sample(const SampleWish& wish);

/// What a row attends, from its definition: softmax over the tokens of the cells, all in long
/// double.
struct NaiveRow {
  std::vector<double> out;
  long double lse = 0.0L;
  long double entropy = 0.0L;  ///< over the cells
};
NaiveRow attend_naively(const Sample& sample, std::int64_t token,
                        std::span<const std::int32_t> cells);

/// A value of q, k or v of such a sample, to be changed by a test.
double& element(Sample& sample, char tensor, std::int64_t token, std::int64_t column);

}  // namespace lvsa::analysis::testing
