#pragma once
// Tokens per latent frame: the candidates, and the choice among them. Source: LVSA 1.2 behaviour,
// geometry detection and dense fallbacks; what 1.3 changes.

#include <cstdint>
#include <optional>
#include <vector>

#include "reference/pattern/frame_set.hpp"
#include "reference/pattern/python_text.hpp"

namespace lvsa::reference {

/// A reading of a sequence as total_frames * patches_per_frame video tokens, then text tokens.
struct Geometry {
  std::int64_t patches_per_frame = 0;
  std::int64_t text_tokens = 0;
  bool operator==(const Geometry&) const = default;
};

/// The candidates, in their order: the list of LVSA_PATCHES_PER_FRAME as it is (which may be empty,
/// zero or negative); else the one of the resolution variables; else 1560.
/// @throws lvsa::Error OverflowError for an integer or a product outside 64 bits
std::vector<std::int64_t> candidate_patches_per_frame(const Environment& environment);

/// The candidates with 0 <= text < total_frames * patches, in their order.
/// @param seq_len  tokens of the sequence
/// @throws lvsa::Error ValueError when total_frames is out of range
std::vector<Geometry> geometries_that_fit(const Environment& environment, std::int64_t seq_len,
                                          std::int64_t total_frames);

/// The accepted geometry, or nothing (a dense fallback). 1.2 takes the first that fits; 1.3 takes
/// the one with the fewest text tokens, of those the fewest patches.
std::optional<Geometry> detect_geometry(Published published, const Environment& environment,
                                        std::int64_t seq_len, std::int64_t total_frames);

}  // namespace lvsa::reference
