#pragma once
// How the plugin finds the frame grid of a sequence from its length alone, and what it does when it
// does not. Source: published LVSA behaviour, geometry detection and dense fallbacks.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa {

/// Patches per frame when nothing is set: 480x832 at spatial factor 8, patch 2.
inline constexpr std::int64_t kDefaultPatchesPerFrame = 1560;

/// The candidates for P in the order they are tried: LVSA_PATCHES_PER_FRAME when every part of it
/// is an integer (zero and negative ones taken as they are; a list of empty parts such as "," gives
/// no candidate at all), else derived from LVSA_VIDEO_HEIGHT, LVSA_VIDEO_WIDTH,
/// LVSA_VAE_SPATIAL_FACTOR and LVSA_PATCH_SIZE when all are positive and the result is, else 1560.
std::vector<std::int64_t> candidate_patches_per_frame(const Environment& environment);

/// What detection found. `grid` is empty when nothing fits.
struct Detection {
  std::optional<FrameGrid> grid;
  std::vector<FrameGrid> fits;  ///< all candidates that fit, in list order
  std::vector<std::int64_t> candidates;
  /// The warning that behaviour 1.3 prints when several candidates fit; empty otherwise.
  std::string warning;
};

/// The backend's rule: a candidate P fits when text = seq_len - frames * P is in [0, frames * P).
Detection detect_geometry(std::int64_t seq_len, std::int64_t frames, const Environment& environment,
                          const Behaviour& behaviour);

/// The model hooks' rule: frames must divide seq_len, P is the quotient, there is no text.
std::optional<FrameGrid> detect_hook_geometry(std::int64_t seq_len, std::int64_t frames);

/// Why a call runs dense.
enum class FallbackReason {
  kGeometryDetect,    ///< no candidate fits
  kNoLatentFrames,    ///< T is known neither from a variable nor from the tracker
  kGeometryMismatch,  ///< a hook's seq_len is no multiple of T
  kNoEncoder,         ///< no encoder states where the hook expects them
  kDistributed,       ///< a world above 1 (1.2)
  kSequenceParallel,  ///< sequence parallelism
};

/// The reason as the plugin prints it, such as "geometry_detect".
std::string_view name(FallbackReason reason);

/// The plugin's fallback line. `details` is the text of its "k=v, k=v" part and may be empty.
/// `delegate` names what runs instead where the behaviour says so; empty means dense attention.
std::string fallback_message(std::string_view origin, FallbackReason reason, std::int64_t seq_len,
                             std::string_view details, const Behaviour& behaviour,
                             std::string_view delegate = "");

/// Prints once per (origin, reason, seq_len): says whether this one is new.
class FallbackLog {
 public:
  bool is_new(std::string_view origin, FallbackReason reason, std::int64_t seq_len) {
    return seen_.emplace(std::string(origin), reason, seq_len).second;
  }

 private:
  std::set<std::tuple<std::string, FallbackReason, std::int64_t>> seen_;
};

}  // namespace lvsa
