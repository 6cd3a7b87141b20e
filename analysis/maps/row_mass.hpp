#pragma once
// Where the softmax mass of single query rows goes: to which frames, how near to the query's own
// place, how spread out. Dense attention over all keys, in fp64.
//
// The same bits on any number of threads, on any set of instructions and whichever rows are
// computed beside a row: every sum has one order.

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/maps/latent_size.hpp"
#include "analysis/sweep/sample.hpp"

namespace lvsa::analysis {

/// Of one row of the query.
struct RowMass {
  std::int64_t token = 0;
  /// [T], and one more for the text where there is any: shares of the softmax, adding up to 1.
  std::vector<double> mass;
  /// [T]: of a frame's mass, the part on tokens at most kNearTokens rows and columns away from the
  /// query's place.
  std::vector<double> near_mass;
  double lse = 0.0;      ///< natural log-sum-exp of the scaled scores
  double entropy = 0.0;  ///< nats, of the softmax over all keys
};

/// Tokens at this distance in rows or columns count as the same place: what moves slowly is still
/// found there in the next frame.
inline constexpr std::int64_t kNearTokens = 1;

/// Groups of keys of a grid: its frames, and the text where there is any.
inline std::int64_t key_groups(const FrameGrid& grid) {
  return grid.frames + (grid.text_tokens > 0 ? 1 : 0);
}

/// Rows of a sample's queries, which are tokens of its video. Room for rows * (T + 1) * 32 bytes is
/// taken. Throws Error(kValue) for a token outside the video and a size that is not P.
std::vector<RowMass> row_masses(const Sample& sample, const LatentSize& size,
                                std::span<const std::int64_t> tokens);

/// The softmax weights of one query row on all S keys, in their order. Throws as row_masses() does.
std::vector<double> row_weights(const Sample& sample, std::int64_t token);

}  // namespace lvsa::analysis
