#pragma once
// The frame grid of a captured call, from what is known of it.

#include <cstdint>
#include <optional>
#include <string>

#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {

struct KnownGeometry {
  std::optional<std::int64_t> frames;
  std::optional<std::int64_t> patches;
  std::optional<std::int64_t> text;
};

/// One unknown follows from the sequence length S = T * P + text, where text not known means: as
/// little as there can be. Throws Error(kValue) beginning with `where` when too little is known or
/// the numbers do not fit; then it names them and the nearest that would.
FrameGrid captured_grid(const KnownGeometry& known, std::int64_t seq_len, const std::string& where);

}  // namespace lvsa::analysis
