#include "analysis/verify/capture_geometry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <vector>

#include "core/config/presets.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kValue, fmt::format("{}: {}", where, what));
}

std::string grid_text(std::int64_t frames, std::int64_t patches, std::int64_t text) {
  return fmt::format("T={} P={} text={}", frames, patches, text);
}

// Text tokens that S leaves behind T * P; negative: none can.
std::int64_t rest(std::int64_t seq_len, std::int64_t frames, std::int64_t patches) {
  std::int64_t video = 0;
  if (__builtin_mul_overflow(frames, patches, &video)) return -1;
  return seq_len - video;
}

// Grids with S tokens that differ in one number from what was said, and those with the frame sizes
// of known models.
std::vector<std::string> near_readings(const KnownGeometry& known, std::int64_t seq_len) {
  const std::int64_t frames = known.frames.value_or(0);
  const std::int64_t patches = known.patches.value_or(0);
  const std::int64_t text = known.text.value_or(0);
  std::vector<std::string> readings;
  const auto add = [&](std::int64_t t, std::int64_t p, std::int64_t rest_tokens) {
    if (t < 1 || p < 1 || rest_tokens < 0 || rest_tokens >= seq_len) return;
    if (rest(seq_len, t, p) != rest_tokens) return;
    const std::string reading = grid_text(t, p, rest_tokens);
    for (const std::string& there : readings) {
      if (there == reading) return;
    }
    readings.push_back(reading);
  };
  for (const std::int64_t tokens : {text, std::int64_t{0}}) {
    if (frames > 0 && tokens < seq_len) add(frames, (seq_len - tokens) / frames, tokens);
    if (patches > 0 && tokens < seq_len) add((seq_len - tokens) / patches, patches, tokens);
  }
  if (frames > 0 && patches > 0) add(frames, patches, rest(seq_len, frames, patches));
  std::set<std::int64_t> sizes;
  for (const ModelPreset& preset : builtin_presets()) {
    for (const VideoSize& size : preset.sizes) sizes.insert(patches_per_frame(preset, size));
  }
  for (const std::int64_t size : sizes) {
    // Less text than one frame: more would be frames that are not counted.
    const std::int64_t left = frames > 0 ? rest(seq_len, frames, size) : -1;
    if (left >= 0 && left < size) add(frames, size, left);
  }
  return readings;
}

[[noreturn]] void mismatch(const KnownGeometry& known, std::int64_t seq_len,
                           const std::string& where, const std::string& what) {
  const std::vector<std::string> readings = near_readings(known, seq_len);
  fail(where, fmt::format("{}; {}", what,
                          readings.empty()
                              ? std::string("no near reading fits: T, P and text tokens are due")
                              : fmt::format("near readings: {}", fmt::join(readings, ", "))));
}

}  // namespace

FrameGrid captured_grid(const KnownGeometry& known, std::int64_t seq_len,
                        const std::string& where) {
  for (const auto& [name, value, least] :
       {std::tuple("T", known.frames, 1), std::tuple("P", known.patches, 1),
        std::tuple("text tokens", known.text, 0)}) {
    if (value && *value < least) {
      fail(where, fmt::format("{} = {}; at least {} is due", name, *value, least));
    }
  }
  if (!known.frames && !known.patches) {
    fail(where, fmt::format("S = {}, and neither T nor P is known: attributes T and P, or --frames "
                            "and --patches are due",
                            seq_len));
  }
  const std::int64_t text = known.text.value_or(0);
  if (!known.frames || !known.patches) {
    const std::int64_t divisor = known.frames ? *known.frames : *known.patches;
    const std::int64_t video = seq_len - text;
    if (video < 1 || video % divisor != 0) {
      mismatch(known, seq_len, where,
               fmt::format("S = {} less {} text tokens is no multiple of {} = {}", seq_len, text,
                           known.frames ? "T" : "P", divisor));
    }
    return known.frames ? make_frame_grid(divisor, video / divisor, text)
                        : make_frame_grid(video / divisor, divisor, text);
  }
  const std::int64_t left = rest(seq_len, *known.frames, *known.patches);
  const std::int64_t most = *known.frames * *known.patches;  // fits, where left is not negative
  if (known.text ? left != text : left < 0 || left >= most) {
    mismatch(known, seq_len, where,
             fmt::format("S = {} is not T * P + text = {} * {} + {}", seq_len, *known.frames,
                         *known.patches,
                         known.text ? std::to_string(text) : "(less than a video of) text"));
  }
  return make_frame_grid(*known.frames, *known.patches, left);
}

}  // namespace lvsa::analysis
