#pragma once
// Random patterns: everything that a pattern and its index structures depend on.
//
// In a property, put double parentheses around a condition with && or ||: RC_ASSERT takes it apart
// to show its sides, and would evaluate the right one in any case.

#include <rapidcheck.h>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

#include "core/pattern/frame_pattern.hpp"
#include "reference/pattern/metadata.hpp"

namespace lvsa::property {

/// The arguments of LVSAMetadata.build, always valid: the world divides the tokens, boundary guards
/// lie in the video. Condition frames may lie outside.
struct PatternCase {
  reference::MetadataArguments arguments;

  std::int64_t frames() const { return arguments.total_latent_frames; }
  std::int64_t window() const { return arguments.window_size; }
  std::int64_t patches() const { return arguments.num_patches; }

  /// The same case for the fast implementation.
  PatternSpec spec() const;
  /// The global frames, by the restatement.
  reference::FrameSet globals() const;
};

/// Prints the case as a request: {"fn": "LVSAMetadata.build", "args": {...}}.
void showValue(const PatternCase& pattern, std::ostream& stream);

/// Latent frames of a video: mostly short, up to 2,000.
rc::Gen<std::int64_t> any_frames();
/// Half width of a window in frames: mostly narrow, 0 included, now and then wider than the video.
rc::Gen<std::int64_t> any_window();
/// Leading frames that are always global.
rc::Gen<std::int64_t> any_n_first();
/// Keyframe interval: none, 0, or 1 and more, now and then longer than the video.
rc::Gen<std::optional<std::int64_t>> any_interval();

}  // namespace lvsa::property

namespace rc {

template <>
struct Arbitrary<lvsa::property::PatternCase> {
  static Gen<lvsa::property::PatternCase> arbitrary();
};

}  // namespace rc
