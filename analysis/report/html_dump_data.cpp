#include <fmt/format.h>

#include <vector>

#include "analysis/maps/map_painter.hpp"
#include "analysis/maps/token_picture.hpp"
#include "analysis/report/html_charts.hpp"
#include "analysis/report/html_dump.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

std::string head_json(const DumpedHead& head) {
  const HeadStatistics& s = head.statistics;
  return fmt::format(
      "{{\"layer\":{},\"step\":{},\"batch\":{},\"head\":{},\"source\":{},\"kind\":\"{}\",\"said\":{"
      "},"
      "\"pattern\":{},\"values\":{}}}",
      head.id.layer, head.id.step, head.id.batch, head.id.head, json_text(head.id.source),
      head_class_name(head.head_class), json_text(head.class_said), head.pattern,
      json_numbers(std::vector<double>{
          head.kept.recall, head.kept.recall_min, s.own_frame, s.same_place, s.first_frame,
          s.anchor, static_cast<double>(s.anchor_frame), s.text, s.distance, s.entropy, s.spread}));
}

std::string pattern_json(const FramePattern& pattern) {
  std::string json = "[";
  for (std::int64_t f = 0; f < pattern.frames(); ++f) {
    json += f == 0 ? "\"" : ",\"";
    for (std::int64_t k = 0; k < pattern.frames(); ++k) {
      json += static_cast<char>(mask_cell(pattern, f, k));
    }
    json += '"';
  }
  return json + "]";
}

// Token maps as levels of the colours, a byte a token; of each its scale and what a frame gets.
std::string maps_html(const Dump& dump) {
  const auto tokens = static_cast<std::size_t>(dump.grid.patches_per_frame);
  std::string levels;
  std::string json = "[";
  for (const DumpedHead& head : dump.heads) {
    for (const DumpedMap& map : head.maps) {
      const ColourScale scale = token_scale(map.weights, dump.grid.seq_len());
      std::vector<double> numbers = {scale.low, scale.high};
      for (std::size_t i = 0; i < map.weights.size(); ++i) {
        const double weight = map.weights[i];
        if (i % tokens == 0) numbers.push_back(0.0);
        numbers.back() += weight;
        levels += static_cast<char>(scale.colour(weight) - kFirstLevel);
      }
      json += (json.size() > 1 ? "," : "") + json_numbers(numbers);
    }
  }
  return packed_element("dump-maps", json + "]") + packed_element("dump-levels", levels);
}

}  // namespace

std::string html_dump_data(const Dump& dump) {
  std::string json = fmt::format(
      "{{\"frames\":{},\"tokens\":{},\"text\":{},\"height\":{},\"width\":{},\"keys\":{},\"heads\":"
      "[",
      dump.grid.frames, dump.grid.patches_per_frame, dump.grid.text_tokens,
      dump.options.size.height, dump.options.size.width, dump.grid.seq_len());
  std::vector<double> masses;
  for (std::size_t i = 0; i < dump.heads.size(); ++i) {
    const DumpedHead& head = dump.heads[i];
    json += (i == 0 ? "" : ",") + head_json(head);
    masses.insert(masses.end(), head.mass.mass.begin(), head.mass.mass.end());
  }
  json += "],\"patterns\":[";
  for (std::size_t i = 0; i < dump.patterns.size(); ++i) {
    json += (i == 0 ? "" : ",") + pattern_json(dump.patterns[i]);
  }
  json += "],\"places\":[";
  for (std::size_t i = 0; i < dump.options.places.size(); ++i) {
    const RowPlace& place = dump.options.places[i];
    json += fmt::format("{}[{},{},{}]", i == 0 ? "" : ",", place.frame, place.y, place.x);
  }
  json += "],\"colours\":[";
  for (int level = 0; level < kLevels; ++level) {
    const Rgb& rgb = map_palette()[static_cast<std::size_t>(kFirstLevel + level)];
    json += fmt::format("{}[{},{},{}]", level == 0 ? "" : ",", rgb.red, rgb.green, rgb.blue);
  }
  json += "]}";
  return packed_element("dump-index", json) + packed_floats("dump-masses", masses) +
         maps_html(dump);
}

}  // namespace lvsa::analysis
