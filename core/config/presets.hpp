#pragma once
// The models that LVSA serves: their geometry, so that a pattern can be had from a model's name.
// The rows are those of the published LVSA documentation; each says what it was checked against.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/geometry/frame_grid.hpp"

namespace lvsa {

/// Where the text of the prompt stands in self-attention.
enum class TextKind {
  kNone,         ///< in cross-attention only
  kJoint,        ///< tokens of the same sequence: queries and keys
  kFrontOfKeys,  ///< keys and values only, in front of the video's, always attended
};

/// "none", "joint" or "front", as preset files spell it.
std::string_view name(TextKind kind);

struct VideoSize {
  std::int64_t height = 0;  ///< pixels
  std::int64_t width = 0;   ///< pixels
  bool operator==(const VideoSize&) const = default;
};

struct ModelPreset {
  std::string name;                          ///< as on the command line
  std::string title;                         ///< as people write it
  std::int64_t reference_latent_frames = 0;  ///< horizon that LVSA takes for the model
  std::int64_t heads = 0;                    ///< query heads
  std::int64_t kv_heads = 0;                 ///< divides heads
  std::int64_t head_dim = 0;
  std::int64_t blocks = 0;  ///< transformer blocks: self-attention calls a forward pass
  PatchRule rule;
  std::vector<VideoSize> sizes;  ///< the usual ones, at least one; the first is the default
  TextKind text_kind = TextKind::kNone;
  std::int64_t usual_text_tokens = 0;
  std::int64_t largest_text_tokens = 0;
  std::string hook_variable;  ///< switches the plugin's hook for this model on; empty: has none
  std::string source;         ///< published files that the row was checked against
};

/// Latent frames of a video, and tokens of one of them at a size or at the preset's default size.
/// They throw as the functions of frame_grid.hpp do.
std::int64_t latent_frames(const ModelPreset& preset, std::int64_t video_frames);
std::int64_t patches_per_frame(const ModelPreset& preset, VideoSize size);
std::int64_t patches_per_frame(const ModelPreset& preset);

/// wan-1.3b, wan-14b, wan2.2-5b, hunyuan-1.5, cosmos3, cogvideox-5b.
const std::vector<ModelPreset>& builtin_presets();

/// A built-in preset. Throws Error(kValue) that lists the known names.
const ModelPreset& find_preset(std::string_view name);

/// The presets of a JSON file: {"models": [{"name": …, …}, …]}. An entry starts as the built-in
/// preset of its name, or as the built-in one that it names in "like"; what it then says replaces
/// that. Without either, all of reference_latent_frames, heads, head_dim, blocks and sizes are due.
/// Throws Error (kIo, kJson, kType, kValue) with file, model, key, value and what would be right.
std::vector<ModelPreset> load_presets(const std::string& path);

/// The built-in presets, extended and overridden by files.
class PresetTable {
 public:
  PresetTable() : presets_(builtin_presets()) {}

  /// A preset of a known name takes that one's place.
  void add(const ModelPreset& preset);
  void add_file(const std::string& path);

  /// Throws Error(kValue) that lists the known names.
  const ModelPreset& find(std::string_view name) const;
  const std::vector<ModelPreset>& all() const { return presets_; }

 private:
  std::vector<ModelPreset> presets_;
};

}  // namespace lvsa
