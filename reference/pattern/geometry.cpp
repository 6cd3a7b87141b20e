#include "reference/pattern/geometry.hpp"

#include <set>
#include <utility>

#include "core/error.hpp"

namespace lvsa::reference {

namespace {

constexpr std::int64_t kDefaultPatchesPerFrame = 1560;

// The variable's list, or nothing when it is unset, empty, or has a part that is no integer.
std::optional<std::vector<std::int64_t>> listed_candidates(const Environment& environment) {
  const std::optional<std::string> text = get(environment, "LVSA_PATCHES_PER_FRAME");
  if (!text || text->empty()) return std::nullopt;
  std::vector<std::int64_t> candidates;
  for (const std::string& part : split_at_commas(*text)) {
    if (strip(part).empty()) continue;
    const std::optional<std::int64_t> candidate = parse_int_or_nothing(strip(part));
    if (!candidate) return std::nullopt;
    candidates.push_back(*candidate);
  }
  return candidates;
}

std::optional<std::int64_t> derived_candidate(const Environment& environment) {
  const auto read = [&](const char* name, const char* otherwise) {
    return parse_int_or_nothing(get(environment, name).value_or(otherwise));
  };
  const std::optional<std::int64_t> height = read("LVSA_VIDEO_HEIGHT", "0");
  const std::optional<std::int64_t> width = read("LVSA_VIDEO_WIDTH", "0");
  const std::optional<std::int64_t> spatial = read("LVSA_VAE_SPATIAL_FACTOR", "8");
  const std::optional<std::int64_t> patch = read("LVSA_PATCH_SIZE", "2");
  if (!height || !width || !spatial || !patch) return std::nullopt;
  if (*height <= 0 || *width <= 0 || *spatial <= 0 || *patch <= 0) return std::nullopt;
  // Two floors, not one division.
  const std::int64_t rows = (*height / *spatial) / *patch;
  const std::int64_t columns = (*width / *spatial) / *patch;
  std::int64_t patches = 0;
  if (__builtin_mul_overflow(rows, columns, &patches)) {
    throw Error(ErrorKind::kOverflow, "patches per frame do not fit in 64 bits");
  }
  if (patches <= 0) return std::nullopt;
  return patches;
}

}  // namespace

std::vector<std::int64_t> candidate_patches_per_frame(const Environment& environment) {
  if (const auto listed = listed_candidates(environment)) return *listed;
  if (const auto derived = derived_candidate(environment)) return {*derived};
  return {kDefaultPatchesPerFrame};
}

std::vector<Geometry> geometries_that_fit(const Environment& environment, std::int64_t seq_len,
                                          std::int64_t total_frames) {
  require_size("total_frames", total_frames, 1);
  std::vector<Geometry> fits;
  for (const std::int64_t patches : candidate_patches_per_frame(environment)) {
    // Neither can fit, and beyond them the product below stays within seq_len.
    if (patches <= 0 || patches > floor_divide(seq_len, total_frames)) continue;
    const std::int64_t video = total_frames * patches;
    const std::int64_t text = seq_len - video;
    if (0 <= text && text < video) fits.push_back({patches, text});
  }
  return fits;
}

std::optional<Geometry> detect_geometry(Published published, const Environment& environment,
                                        std::int64_t seq_len, std::int64_t total_frames) {
  const std::vector<Geometry> fits = geometries_that_fit(environment, seq_len, total_frames);
  if (fits.empty()) return std::nullopt;
  if (published == Published::k12) return fits.front();
  std::set<std::pair<std::int64_t, std::int64_t>> by_text_then_patches;
  for (const Geometry& fit : fits) {
    by_text_then_patches.insert({fit.text_tokens, fit.patches_per_frame});
  }
  return Geometry{by_text_then_patches.begin()->second, by_text_then_patches.begin()->first};
}

}  // namespace lvsa::reference
