#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "analysis/maps/map_frame.hpp"
#include "analysis/maps/map_painter.hpp"
#include "analysis/patterns/pattern_text.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMargin = 12;
constexpr std::size_t kHead = 34;

// How many blocks a pixel stands for, along an axis.
std::int64_t blocks_a_pixel(std::int64_t blocks, std::size_t most_pixels) {
  const auto most = static_cast<std::int64_t>(std::max<std::size_t>(most_pixels, 1));
  return (blocks + most - 1) / most;
}

}  // namespace

PaletteImage draw_block_map(const BlockMap& map, const std::string& title,
                            std::size_t most_pixels) {
  const std::int64_t rows = map.rows.blocks();
  const std::int64_t columns = map.columns.blocks();
  const std::int64_t down = blocks_a_pixel(rows, most_pixels);
  const std::int64_t across = blocks_a_pixel(columns, most_pixels);
  const std::int64_t height = (rows + down - 1) / down;
  const std::int64_t width = (columns + across - 1) / across;
  std::vector<std::int64_t> kept(static_cast<std::size_t>(width * height), 0);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (const std::int32_t c : map.row(r)) {
      ++kept[static_cast<std::size_t>(r / down * width + c / across)];
    }
  }
  ColourScale scale;
  scale.low = 0.0;
  scale.logarithmic = false;
  std::vector<std::uint8_t> colours;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t blocks =
          std::min(down, rows - y * down) * std::min(across, columns - x * across);
      const std::int64_t count = kept[static_cast<std::size_t>(y * width + x)];
      // The darker the more.
      const double share = static_cast<double>(count) / static_cast<double>(blocks);
      colours.push_back(count == 0 ? static_cast<std::uint8_t>(kMapFaint)
                                   : scale.colour(1.0 - share));
    }
  }
  // Small maps are enlarged, both sides by the same factor.
  const auto side = static_cast<std::size_t>(std::max(width, height));
  const std::size_t cell = std::max<std::size_t>(1, std::min<std::size_t>(512, most_pixels) / side);
  const std::string caption =
      fmt::format("{} x {} blocks, {} kept ({:.4f}); queries down, keys across", rows, columns,
                  map.kept(), block_density(map));
  const std::size_t text = std::max(text_pixels(title, 1), text_pixels(caption, 1));
  PixelPainter painter(std::max(static_cast<std::size_t>(width) * cell, text) + 2 * kMargin,
                       static_cast<std::size_t>(height) * cell + kHead + kMargin);
  painter.text(kMargin, 8, 1, title, kMapInk);
  painter.text(kMargin, 20, 1, caption, kMapSoft);
  painter.field(kMargin, kHead, cell, cell, static_cast<std::size_t>(width), colours);
  return painter.take();
}

}  // namespace lvsa::analysis
