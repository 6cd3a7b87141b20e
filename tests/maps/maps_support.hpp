#pragma once
// Small samples for the tests of maps, and a softmax that shares nothing with the code under test.

#include <vector>

#include "analysis/maps/latent_size.hpp"
#include "analysis/sweep/sample.hpp"

namespace lvsa::analysis::test {

struct AnySample {
  Sample sample;
  LatentSize size;
};

/// Bell-shaped q and k of f32; scores grow with `sharpness`.
AnySample make_sample(const FrameGrid& grid, const LatentSize& size, std::int64_t head_dim,
                      std::uint64_t seed, double sharpness);
/// Drawn by rapidcheck: grids of 1 x 1 to 6 x 20 tokens, text or none, flat to extreme scores.
AnySample any_sample();

/// The weights of a row on all keys, from products and exponentials in long double.
std::vector<double> naive_weights(const Sample& sample, std::int64_t token);

}  // namespace lvsa::analysis::test
