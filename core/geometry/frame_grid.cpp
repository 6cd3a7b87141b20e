#include "core/geometry/frame_grid.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace lvsa {
namespace {

void require_at_least(std::int64_t value, std::int64_t least, const char* name) {
  if (value < least) {
    throw Error(ErrorKind::kValue, fmt::format("{} is {}; at least {} is due", name, value, least));
  }
}

void require_positive(const PatchRule& rule) {
  require_at_least(rule.vae_temporal_factor, 1, "VAE temporal factor");
  require_at_least(rule.vae_spatial_factor, 1, "VAE spatial factor");
  require_at_least(rule.patch_size, 1, "patch size");
  require_at_least(rule.temporal_patch_size, 1, "temporal patch size");
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

std::int64_t patches_along(std::int64_t pixels, const PatchRule& rule) {
  if (!rule.rounds_up) return pixels / rule.vae_spatial_factor / rule.patch_size;
  return divide_up(pixels,
                   checked_product(rule.vae_spatial_factor, rule.patch_size, "pixels a patch"));
}

}  // namespace

std::int64_t checked_product(std::int64_t a, std::int64_t b, const char* what) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    throw Error(ErrorKind::kOverflow,
                fmt::format("{}: {} * {} does not fit in 64 bits", what, a, b));
  }
  return product;
}

FrameGrid make_frame_grid(std::int64_t frames, std::int64_t patches_per_frame,
                          std::int64_t text_tokens) {
  require_at_least(frames, 1, "latent frames");
  require_at_least(patches_per_frame, 1, "patches per frame");
  require_at_least(text_tokens, 0, "text tokens");
  const std::int64_t video = checked_product(frames, patches_per_frame, "video tokens");
  std::int64_t total = 0;
  if (__builtin_add_overflow(video, text_tokens, &total)) {
    throw Error(
        ErrorKind::kOverflow,
        fmt::format("sequence length: {} + {} does not fit in 64 bits", video, text_tokens));
  }
  return {frames, patches_per_frame, text_tokens};
}

std::int64_t latent_frames(std::int64_t video_frames, const PatchRule& rule) {
  require_at_least(video_frames, 1, "video frames");
  require_positive(rule);
  return divide_up((video_frames - 1) / rule.vae_temporal_factor + 1, rule.temporal_patch_size);
}

std::int64_t patches_per_frame(std::int64_t height, std::int64_t width, const PatchRule& rule) {
  require_at_least(height, 1, "height");
  require_at_least(width, 1, "width");
  require_positive(rule);
  const std::int64_t patches =
      checked_product(patches_along(height, rule), patches_along(width, rule), "patches per frame");
  if (patches < 1) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}x{} pixels hold no patch of {} pixels a side", height, width,
                            rule.vae_spatial_factor * rule.patch_size));
  }
  return patches;
}

}  // namespace lvsa
