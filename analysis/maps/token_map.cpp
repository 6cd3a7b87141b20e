#include "analysis/maps/token_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "analysis/maps/row_mass.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

[[noreturn]] void refuse(const std::string& word, const std::string& due) {
  throw Error(ErrorKind::kValue, fmt::format("--rows {}: {}", printable(word), due));
}

RowPlace parse_place(const std::string& word) {
  std::array<std::int64_t, 3> numbers{};
  const char* at = word.data();
  const char* const end = at + word.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [stop, error] = std::from_chars(at, end, numbers[i]);
    const bool last = i + 1 == numbers.size();
    if (error != std::errc() || (last ? stop != end : stop == end || *stop != ':')) {
      refuse(word, "frame:row:column of a latent token, such as 10:15:26, is due");
    }
    at = stop + 1;
  }
  return {numbers[0], numbers[1], numbers[2]};
}

}  // namespace

std::string row_place_text(const RowPlace& place) {
  return fmt::format("{}:{}:{}", place.frame, place.y, place.x);
}

std::vector<RowPlace> parse_row_places(const std::string& text, const FrameGrid& grid,
                                       const LatentSize& size) {
  std::vector<RowPlace> places;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string word = text.substr(from, comma - from);
    const RowPlace place = parse_place(word);
    const auto inside = [](std::int64_t value, std::int64_t end) {
      return value >= 0 && value < end;
    };
    if (!inside(place.frame, grid.frames) || !inside(place.y, size.height) ||
        !inside(place.x, size.width)) {
      refuse(word, fmt::format("frames 0 .. {}, rows 0 .. {} and columns 0 .. {} are there",
                               grid.frames - 1, size.height - 1, size.width - 1));
    }
    if (std::find(places.begin(), places.end(), place) != places.end()) {
      refuse(word, "stands twice");
    }
    places.push_back(place);
    from = comma + 1;
  }
  if (places.size() > kMaxMappedRows) {
    throw Error(ErrorKind::kValue, fmt::format("--rows: {} places; at most {} are due",
                                               places.size(), kMaxMappedRows));
  }
  return places;
}

TokenMap map_tokens(const Sample& sample, const LatentSize& size, const RowPlace& place) {
  const FrameGrid& grid = sample.grid;
  const std::int64_t token = place.frame * grid.patches_per_frame + place.y * size.width + place.x;
  TokenMap map{place, row_weights(sample, token), 0.0};
  for (std::int64_t at = grid.video_tokens(); at < grid.seq_len(); ++at) {
    map.text += map.weights[static_cast<std::size_t>(at)];
  }
  map.weights.resize(static_cast<std::size_t>(grid.video_tokens()));
  return map;
}

}  // namespace lvsa::analysis
