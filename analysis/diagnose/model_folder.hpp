#pragma once
// A model's geometry from its folder in the layout of diffusers: model_index.json,
// transformer/config.json, vae/config.json.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/presets.hpp"

namespace lvsa::analysis {

struct ModelFolder {
  ModelPreset model;           ///< named after the preset it is like, or after its transformer
  std::string transformer;     ///< class
  bool is_video = true;        ///< false: an image model, LVSA has nothing to do
  bool second_expert = false;  ///< a second transformer beside the first, as in Wan 2.2 A14B
  std::vector<std::string> differs;  ///< where the preset of this family disagrees, a line each
  std::vector<std::string> assumed;  ///< what the files do not say, a line each
};

/// Reads a folder. Throws Error (kIo, kJson, kType, kValue) that names the file, the key and what
/// would be right.
ModelFolder read_model_folder(const std::string& path);

/// The same from the texts of the files; an empty `vae` is one that is missing.
ModelFolder model_from_configs(std::string_view transformer, std::string_view vae,
                               std::string_view model_index, const std::string& where);

}  // namespace lvsa::analysis
