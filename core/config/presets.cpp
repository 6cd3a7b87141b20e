#include "core/config/presets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa {
namespace {

const ModelPreset& find_in(const std::vector<ModelPreset>& presets, std::string_view name) {
  const auto found = std::ranges::find(presets, name, &ModelPreset::name);
  if (found != presets.end()) return *found;
  std::vector<std::string_view> known;
  for (const ModelPreset& preset : presets) known.emplace_back(preset.name);
  throw Error(ErrorKind::kValue, fmt::format("model '{}' is not known; one of {} is due", name,
                                             fmt::join(known, ", ")));
}

}  // namespace

std::string_view name(TextKind kind) {
  switch (kind) {
    case TextKind::kJoint:
      return "joint";
    case TextKind::kFrontOfKeys:
      return "front";
    case TextKind::kNone:
      break;
  }
  return "none";
}

std::int64_t latent_frames(const ModelPreset& preset, std::int64_t video_frames) {
  return latent_frames(video_frames, preset.rule);
}

std::int64_t patches_per_frame(const ModelPreset& preset, VideoSize size) {
  return patches_per_frame(size.height, size.width, preset.rule);
}

std::int64_t patches_per_frame(const ModelPreset& preset) {
  return patches_per_frame(preset, preset.sizes.front());
}

const ModelPreset& find_preset(std::string_view name) { return find_in(builtin_presets(), name); }

void PresetTable::add(const ModelPreset& preset) {
  const auto known = std::ranges::find(presets_, preset.name, &ModelPreset::name);
  if (known == presets_.end()) {
    presets_.push_back(preset);
  } else {
    *known = preset;
  }
}

void PresetTable::add_file(const std::string& path) {
  for (const ModelPreset& preset : load_presets(path)) add(preset);
}

const ModelPreset& PresetTable::find(std::string_view name) const {
  return find_in(presets_, name);
}

}  // namespace lvsa
