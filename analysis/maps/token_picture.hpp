#pragma once
// The softmax weights of one query row as T small pictures of the latent frames.

#include <string>
#include <vector>

#include "analysis/maps/map_painter.hpp"
#include "analysis/maps/token_map.hpp"

namespace lvsa::analysis {

struct TokenPicture {
  std::vector<std::string> captions;
  LatentSize size;
  RowPlace place;
  std::span<const float> weights;                   ///< [T, height, width]
  const std::vector<double>* frame_mass = nullptr;  ///< [T], written below the pictures; not null
  const std::vector<bool>* attended = nullptr;      ///< [T], by the pattern; not null
};

/// From a tenth of the uniform weight up to the power of ten above the largest.
ColourScale token_scale(std::span<const float> weights, std::int64_t keys);

/// Throw Error(kValue) for pictures beyond kMaxSheetPixels.
PaletteImage draw_tokens(const TokenPicture& picture, const ColourScale& scale);
std::string tokens_as_svg(const TokenPicture& picture, const ColourScale& scale);

}  // namespace lvsa::analysis
