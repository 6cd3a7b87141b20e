#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/maps/map_painter.hpp"

namespace lvsa::analysis {
namespace {

// Lightness 0.20 to 0.94 in even steps, hue from 295 down to 110 degrees, as much chroma as sRGB
// has there but at most 0.11 to 0.17.
constexpr std::array<Rgb, 17> kPath = {{{29, 0, 65},
                                        {30, 16, 84},
                                        {26, 34, 101},
                                        {11, 51, 117},
                                        {0, 70, 122},
                                        {0, 87, 126},
                                        {0, 103, 132},
                                        {0, 119, 138},
                                        {0, 136, 144},
                                        {2, 153, 148},
                                        {0, 171, 149},
                                        {5, 189, 143},
                                        {70, 204, 133},
                                        {119, 216, 123},
                                        {162, 227, 111},
                                        {203, 237, 100},
                                        {243, 245, 93}}};

Rgb level_colour(int level) {
  constexpr int kSteps = static_cast<int>(kPath.size()) - 1;
  const int at = level * kSteps;
  const int left = std::min(at / (kLevels - 1), kSteps - 1);
  const int part = at - left * (kLevels - 1);  // 0 .. kLevels - 1 between two colours
  const auto between = [part](int a, int b) {
    return static_cast<std::uint8_t>((a * (kLevels - 1 - part) + b * part + (kLevels - 1) / 2) /
                                     (kLevels - 1));
  };
  const Rgb& a = kPath[static_cast<std::size_t>(left)];
  const Rgb& b = kPath[static_cast<std::size_t>(left) + 1];
  return {between(a.red, b.red), between(a.green, b.green), between(a.blue, b.blue)};
}

}  // namespace

const std::vector<Rgb>& map_palette() {
  static const std::vector<Rgb> palette = [] {
    // In the order of MapColour; orange, blue and vermilion of the Okabe-Ito palette.
    std::vector<Rgb> colours = {{255, 255, 255}, {32, 36, 44}, {100, 108, 120}, {230, 232, 236},
                                {255, 255, 255}, {24, 24, 40}, {213, 94, 0},    {230, 159, 0},
                                {0, 114, 178},   {24, 24, 40}};
    for (int level = 0; level < kLevels; ++level) colours.push_back(level_colour(level));
    return colours;
  }();
  return palette;
}

double ColourScale::place(double value) const {
  if (!(value > low)) return 0.0;
  if (value >= high) return 1.0;
  if (!logarithmic) return (value - low) / (high - low);
  return std::log(value / low) / std::log(high / low);
}

std::uint8_t ColourScale::colour(double value) const {
  const int level = static_cast<int>(place(value) * (kLevels - 1) + 0.5);
  return static_cast<std::uint8_t>(kFirstLevel + std::clamp(level, 0, kLevels - 1));
}

std::vector<double> ColourScale::ticks() const {
  std::vector<double> ticks;
  if (!logarithmic) {
    for (int i = 0; i <= 5; ++i) ticks.push_back(low + (high - low) * i / 5.0);
    return ticks;
  }
  for (int power = -300; power <= 300; ++power) {
    const double tick = std::pow(10.0, power);
    if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push_back(tick);
  }
  return ticks;
}

}  // namespace lvsa::analysis
