#pragma once
// Height and width of a latent frame in tokens: what a row of P tokens is as a picture.

#include <cstdint>
#include <string>

#include "core/config/presets.hpp"

namespace lvsa::analysis {

/// Token y * width + x of a frame stands at row y, column x.
struct LatentSize {
  std::int64_t height = 1;  ///< tokens
  std::int64_t width = 1;   ///< tokens
  std::string source;       ///< where the two come from, for people
  bool guessed = false;     ///< neither given nor a model's

  std::int64_t tokens() const { return height * width; }
};

/// "30x52". Throws Error(kValue) that names the text, and sizes whose product is not `patches`.
LatentSize parse_latent_size(const std::string& text, std::int64_t patches);

/// The size at which a model of the table has this many patches a frame: that of `model` when it is
/// not empty (Error(kValue) that lists its sizes where none fits), else that of the first model
/// that has one. Where no model has, the two factors nearest to 16:9, and `guessed` is set.
LatentSize find_latent_size(std::int64_t patches, const PresetTable& presets,
                            const std::string& model);

}  // namespace lvsa::analysis
