#pragma once
// Where single query rows look: their softmax weights on every token of the latent video.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/maps/latent_size.hpp"
#include "analysis/sweep/sample.hpp"

namespace lvsa::analysis {

/// A query row by its place in the latent video.
struct RowPlace {
  std::int64_t frame = 0;
  std::int64_t y = 0;
  std::int64_t x = 0;
  bool operator==(const RowPlace&) const = default;
};
/// "10:15:26": frame, row and column.
std::string row_place_text(const RowPlace& place);

/// At most so many rows are mapped at a time.
inline constexpr std::size_t kMaxMappedRows = 256;
/// "0:3:4,10:15:26": at least one, at most kMaxMappedRows, each once. Throws Error(kValue) that
/// names the place and what would be right, a place outside the grid included.
std::vector<RowPlace> parse_row_places(const std::string& text, const FrameGrid& grid,
                                       const LatentSize& size);

struct TokenMap {
  RowPlace place;
  std::vector<double> weights;  ///< [T, height, width]
  double text = 0.0;            ///< on all text tokens together
};

/// Of the dense softmax. The weights of a key frame add up to its mass, and all of them with the
/// text to 1.
TokenMap map_tokens(const Sample& sample, const LatentSize& size, const RowPlace& place);

}  // namespace lvsa::analysis
