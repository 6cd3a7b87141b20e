#include "core/geometry/detection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/config/config.hpp"
#include "core/config/python_number.hpp"

namespace lvsa {
namespace {

// The list of LVSA_PATCHES_PER_FRAME; nothing when the variable is not set, is empty or holds
// anything that is no integer. A list of empty parts alone is a list without candidates.
std::optional<std::vector<std::int64_t>> listed_candidates(const Environment& environment) {
  const std::string text = get(environment, "LVSA_PATCHES_PER_FRAME").value_or("");
  if (text.empty()) return std::nullopt;
  std::vector<std::int64_t> candidates;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    const std::string part = python_strip(std::string_view(text).substr(start, comma - start));
    start = comma + 1;
    if (part.empty()) continue;
    const auto value = parse_python_int_saturated(part);
    if (!value) return std::nullopt;
    candidates.push_back(*value);
  }
  return candidates;
}

// A patch count from the resolution. One variable that is no integer voids all four, as the
// published code reads them in one go.
std::optional<std::int64_t> derived_candidate(const Environment& environment) {
  const auto setting = [&](const char* name, std::int64_t default_value) {
    const auto text = get(environment, name);
    return text ? parse_python_int(*text).value_or(0) : default_value;
  };
  const std::int64_t height = setting("LVSA_VIDEO_HEIGHT", 0);
  const std::int64_t width = setting("LVSA_VIDEO_WIDTH", 0);
  const std::int64_t spatial = setting("LVSA_VAE_SPATIAL_FACTOR", 8);
  const std::int64_t patch = setting("LVSA_PATCH_SIZE", 2);
  if (height <= 0 || width <= 0 || spatial <= 0 || patch <= 0) return std::nullopt;
  const std::int64_t patches = checked_product(height / spatial / patch, width / spatial / patch,
                                               "LVSA_VIDEO_HEIGHT and LVSA_VIDEO_WIDTH");
  return patches > 0 ? std::optional(patches) : std::nullopt;
}

std::string ambiguity_warning(const std::vector<FrameGrid>& fits, const FrameGrid& taken,
                              std::int64_t seq_len, std::int64_t frames) {
  std::vector<std::string> names;
  for (const FrameGrid& fit : fits) {
    names.push_back(fmt::format("P={} (text={})", fit.patches_per_frame, fit.text_tokens));
  }
  return fmt::format(
      "[LVSA] WARNING: ambiguous geometry for seq_len={} at T={}: {} all fit; taking P={} with {} "
      "text tokens, the smallest text count",
      seq_len, frames, fmt::join(names, ", "), taken.patches_per_frame, taken.text_tokens);
}

}  // namespace

std::vector<std::int64_t> candidate_patches_per_frame(const Environment& environment) {
  if (auto listed = listed_candidates(environment)) return *std::move(listed);
  return {derived_candidate(environment).value_or(kDefaultPatchesPerFrame)};
}

Detection detect_geometry(std::int64_t seq_len, std::int64_t frames, const Environment& environment,
                          const Behaviour& behaviour) {
  Detection result;
  result.candidates = candidate_patches_per_frame(environment);
  for (const std::int64_t patches : result.candidates) {
    std::int64_t video = 0;
    std::int64_t text = 0;
    if (__builtin_mul_overflow(frames, patches, &video)) continue;  // longer than any sequence
    if (__builtin_sub_overflow(seq_len, video, &text)) continue;
    if (text < 0 || text >= video) continue;
    result.fits.push_back({frames, patches, text});
  }
  if (result.fits.empty()) return result;
  if (!behaviour.smallest_text_wins) {
    result.grid = result.fits.front();
    return result;
  }
  result.grid = *std::min_element(result.fits.begin(), result.fits.end(),
                                  [](const FrameGrid& a, const FrameGrid& b) {
                                    return std::tie(a.text_tokens, a.patches_per_frame) <
                                           std::tie(b.text_tokens, b.patches_per_frame);
                                  });
  if (result.fits.size() > 1) {
    result.warning = ambiguity_warning(result.fits, *result.grid, seq_len, frames);
  }
  return result;
}

std::optional<FrameGrid> detect_hook_geometry(std::int64_t seq_len, std::int64_t frames) {
  if (frames <= 0 || seq_len <= 0 || seq_len % frames != 0) return std::nullopt;
  return FrameGrid{frames, seq_len / frames, 0};
}

std::string_view name(FallbackReason reason) {
  switch (reason) {
    case FallbackReason::kGeometryDetect:
      return "geometry_detect";
    case FallbackReason::kNoLatentFrames:
      return "no_t_lat";
    case FallbackReason::kGeometryMismatch:
      return "geometry_mismatch";
    case FallbackReason::kNoEncoder:
      return "no_encoder";
    case FallbackReason::kDistributed:
      return "distributed_cp";
    case FallbackReason::kSequenceParallel:
      return "sequence_parallel";
  }
  return "unknown";
}

std::string fallback_message(std::string_view origin, FallbackReason reason, std::int64_t seq_len,
                             std::string_view details, const Behaviour& behaviour,
                             std::string_view delegate) {
  const bool delegates = behaviour.fallback_names_delegate && !delegate.empty();
  return fmt::format(
      "[LVSA-FALLBACK] origin={} reason={} seq_len={}{}{} -- {} (set LVSA_WARN_FALLBACK=0 to "
      "silence)",
      origin, name(reason), seq_len, details.empty() ? "" : " ", details,
      delegates ? fmt::format("delegating to {}", delegate) : "falling back to DENSE attention");
}

}  // namespace lvsa
