#include "analysis/maps/latent_size.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

// Rows and columns of tokens: patches_per_frame() of a size one side at a time.
LatentSize tokens_of(const ModelPreset& model, const VideoSize& size) {
  const std::int64_t unit = model.rule.vae_spatial_factor * model.rule.patch_size;
  const auto side = [&](std::int64_t pixels) {
    if (model.rule.rounds_up) return (pixels + unit - 1) / unit;
    return pixels / model.rule.vae_spatial_factor / model.rule.patch_size;
  };
  return {side(size.height), side(size.width),
          fmt::format("{} at {}x{} pixels", model.name, size.height, size.width)};
}

std::optional<LatentSize> size_of_model(const ModelPreset& model, std::int64_t patches) {
  for (const VideoSize& size : model.sizes) {
    LatentSize tokens = tokens_of(model, size);
    if (tokens.tokens() == patches) return tokens;
  }
  return std::nullopt;
}

LatentSize guess(std::int64_t patches) {
  constexpr double kWide = 16.0 / 9.0;
  LatentSize best{1, patches, "guessed: the factors nearest to 16:9", true};
  const auto off = [&](std::int64_t height) {
    const auto h = static_cast<double>(height);
    return std::fabs(std::log(static_cast<double>(patches) / (h * h) / kWide));
  };
  for (std::int64_t factor = 1; factor <= patches / factor; ++factor) {
    if (patches % factor != 0) continue;
    for (const std::int64_t height : {factor, patches / factor}) {
      if (off(height) < off(best.height)) {
        best.height = height;
        best.width = patches / height;
      }
    }
  }
  return best;
}

}  // namespace

LatentSize parse_latent_size(const std::string& text, std::int64_t patches) {
  LatentSize size{0, 0, "given"};
  const char* const end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, size.height);
  bool good = height.ec == std::errc() && height.ptr != end && *height.ptr == 'x';
  if (good) {
    const auto width = std::from_chars(height.ptr + 1, end, size.width);
    good = width.ec == std::errc() && width.ptr == end;
  }
  if (!good || size.height < 1 || size.width < 1) {
    throw Error(ErrorKind::kValue,
                fmt::format("--grid {}: rows x columns of tokens, such as 30x52, are due",
                            printable(text)));
  }
  std::int64_t product = 0;
  if (__builtin_mul_overflow(size.height, size.width, &product) || product != patches) {
    throw Error(ErrorKind::kValue, fmt::format("--grid {}: has {} tokens, a frame here has P = {}",
                                               text, product, patches));
  }
  return size;
}

LatentSize find_latent_size(std::int64_t patches, const PresetTable& presets,
                            const std::string& model) {
  if (!model.empty()) {
    const ModelPreset& preset = presets.find(model);
    if (const auto size = size_of_model(preset, patches)) return *size;
    std::string known;
    for (const VideoSize& size : preset.sizes) {
      const LatentSize tokens = tokens_of(preset, size);
      known += fmt::format("{}{}x{} = {}", known.empty() ? "" : ", ", tokens.height, tokens.width,
                           tokens.tokens());
    }
    throw Error(ErrorKind::kValue,
                fmt::format("--model {}: none of its sizes has P = {} tokens a frame ({}); --grid "
                            "HEIGHTxWIDTH says the size",
                            preset.name, patches, known));
  }
  for (const ModelPreset& preset : presets.all()) {
    if (const auto size = size_of_model(preset, patches)) return *size;
  }
  return guess(patches);
}

}  // namespace lvsa::analysis
