#include "analysis/maps/map_file.hpp"

#include <fmt/format.h>

#include <functional>
#include <numeric>

#include "analysis/report/text_format.hpp"
#include "core/io/hdf5_writer.hpp"
#include "core/pattern/mask_text.hpp"

namespace lvsa::analysis {
namespace {

constexpr const char* kCoordinates = "layer step batch head class";

// A number of each head that stands in the file and in the table.
struct HeadColumn {
  const char* name;
  const char* title;
  const char* unit;
  double (*value)(const DumpedHead&);
};

constexpr HeadColumn kColumns[] = {
    {"recall", "attention mass on what the pattern attends, mean over the query frames", "1",
     [](const DumpedHead& h) { return h.kept.recall; }},
    {"recall_min", "the same of the query frame that keeps the least", "1",
     [](const DumpedHead& h) { return h.kept.recall_min; }},
    {"lost", "attention mass that the pattern loses, mean over the query frames", "1",
     [](const DumpedHead& h) { return h.kept.lost_mean; }},
    {"own_frame", "attention mass on the query's own frame", "1",
     [](const DumpedHead& h) { return h.statistics.own_frame; }},
    {"same_place", "attention mass within a token of the query's place in other frames", "1",
     [](const DumpedHead& h) { return h.statistics.same_place; }},
    {"first_frame", "attention mass on frame 0 of queries of other frames", "1",
     [](const DumpedHead& h) { return h.statistics.first_frame; }},
    {"anchor", "attention mass on the key frame that queries of other frames give the most", "1",
     [](const DumpedHead& h) { return h.statistics.anchor; }},
    {"anchor_frame", "that key frame", "latent frame",
     [](const DumpedHead& h) { return static_cast<double>(h.statistics.anchor_frame); }},
    {"text", "attention mass on the text", "1",
     [](const DumpedHead& h) { return h.statistics.text; }},
    {"distance", "mean distance of query and key frame, by attention mass", "latent frames",
     [](const DumpedHead& h) { return h.statistics.distance; }},
    {"entropy", "entropy of the softmax over all keys, mean over the rows", "nats",
     [](const DumpedHead& h) { return h.statistics.entropy; }},
    {"spread", "entropy over its largest value, ln S", "1",
     [](const DumpedHead& h) { return h.statistics.spread; }},
};

// The file under way with what every dataset of it gets.
class Writer {
 public:
  Writer(const std::string& path) : file_(path, /*compress=*/true) {}

  void describe_as(const std::string& name, const char* title, const char* unit) {
    file_.attribute(name, "long_name", std::string(title));
    if (unit != nullptr) file_.attribute(name, "units", std::string(unit));
  }

  void scale(const std::string& name, std::int64_t size, const char* title, const char* unit) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), 0);
    scale(name, values, title, unit);
  }
  void scale(const std::string& name, const std::vector<std::int64_t>& values, const char* title,
             const char* unit) {
    file_.dataset(name, ElementType::kI64, {static_cast<std::int64_t>(values.size())},
                  values.data());
    describe_as(name, title, unit);
    file_.make_scale(name);
  }

  template <typename Value>
  void dataset(const std::string& name, ElementType type, const std::vector<Value>& values,
               const std::vector<std::int64_t>& shape, const std::vector<std::string>& scales,
               const char* title, const char* unit) {
    file_.dataset(name, type, shape, values.data());
    describe_as(name, title, unit);
    file_.attach_scales(name, scales);
    if (scales.front() == "sample" && shape.size() > 1) {
      file_.attribute(name, "coordinates", std::string(kCoordinates));
    }
  }

  void texts(const std::string& name, const std::vector<std::string>& values, const char* scale,
             const char* title) {
    file_.texts(name, values);
    describe_as(name, title, nullptr);
    file_.attach_scales(name, {scale});
  }

  Hdf5Writer& file() { return file_; }

 private:
  Hdf5Writer file_;
};

std::int64_t count(std::size_t size) { return static_cast<std::int64_t>(size); }

void write_attributes(Hdf5Writer& file, const Dump& dump, const Provenance& provenance) {
  const auto text = [&](const char* name, const std::string& value) {
    file.attribute("/", name, value);
  };
  const auto number = [&](const char* name, std::int64_t value) {
    file.attribute("/", name, value);
  };
  text("title", "Attention maps of an LVSA dump");
  text("Conventions", "CF-1.10");
  number("dump_form", kDumpForm);
  text("source", valid_utf8(dump.identity));
  text("setting", setting_words(dump.options.setting));
  text("masses_of", dump.masses_of);
  number("frames", dump.grid.frames);
  number("patches_per_frame", dump.grid.patches_per_frame);
  number("text_tokens", dump.grid.text_tokens);
  number("rows_per_frame", rows_in_frame(dump.grid, dump.options.rows));
  number("row_seed", static_cast<std::int64_t>(dump.options.rows.seed));
  number("latent_height", dump.options.size.height);
  number("latent_width", dump.options.size.width);
  text("latent_size_source", dump.options.size.source);
  for (const auto& [name, value] : timeless(provenance)) {
    std::string key = name;
    for (char& c : key) c = c == ' ' ? '_' : c;
    text(("tool_" + key).c_str(), valid_utf8(value));
  }
}

void write_scales(Writer& writer, const Dump& dump) {
  writer.scale("sample", count(dump.heads.size()), "number of the head in this file", nullptr);
  writer.scale("query_frame", dump.grid.frames, "latent frame of the queries", "latent frame");
  writer.scale("key_frame", dump.grid.frames, "latent frame of the keys", "latent frame");
  writer.scale("pattern", count(dump.patterns.size()), "number of the pattern", nullptr);
}

void write_ids(Writer& writer, const Dump& dump) {
  const auto ids = [&](const char* name, const char* title, auto field) {
    std::vector<std::int64_t> values;
    for (const DumpedHead& head : dump.heads) values.push_back(field(head));
    writer.dataset(name, ElementType::kI64, values, {count(values.size())}, {"sample"}, title,
                   nullptr);
  };
  ids("layer", "layer; -1: not known", [](const DumpedHead& h) { return h.id.layer; });
  ids("step", "denoising step; -1: not known", [](const DumpedHead& h) { return h.id.step; });
  ids("batch", "batch element", [](const DumpedHead& h) { return h.id.batch; });
  ids("head", "query head", [](const DumpedHead& h) { return h.id.head; });
  ids("sample_pattern", "number of the pattern at the sample's step",
      [](const DumpedHead& h) { return static_cast<std::int64_t>(h.pattern); });
  std::vector<std::string> classes;
  std::vector<std::string> said;
  std::vector<std::string> sources;
  bool any_said = false;
  for (const DumpedHead& head : dump.heads) {
    classes.emplace_back(head_class_name(head.head_class));
    said.push_back(valid_utf8(head.class_said));
    sources.push_back(valid_utf8(head.id.source));
    any_said = any_said || !head.class_said.empty();
  }
  writer.texts("class", classes, "sample",
               "kind of head: spatial, temporal, global, diffuse or mixed");
  if (any_said) writer.texts("class_in_source", said, "sample", "kind of head as the source says");
  writer.texts("source", sources, "sample", "where the head's tensors come from");
}

void write_masses(Writer& writer, const Dump& dump) {
  const std::int64_t heads = count(dump.heads.size());
  const std::int64_t frames = dump.grid.frames;
  std::vector<double> mass;
  std::vector<double> text;
  std::vector<double> lost;
  for (const DumpedHead& head : dump.heads) {
    mass.insert(mass.end(), head.mass.mass.begin(), head.mass.mass.end());
    text.insert(text.end(), head.mass.text.begin(), head.mass.text.end());
    lost.insert(lost.end(), head.kept.lost.begin(), head.kept.lost.end());
  }
  writer.dataset("mass", ElementType::kF64, mass, {heads, frames, frames},
                 {"sample", "query_frame", "key_frame"},
                 "attention mass that a query frame gives to a key frame, mean over its rows", "1");
  if (dump.grid.text_tokens > 0) {
    writer.dataset("text_mass", ElementType::kF64, text, {heads, frames}, {"sample", "query_frame"},
                   "attention mass that a query frame gives to the text", "1");
  }
  writer.dataset("lost_mass", ElementType::kF64, lost, {heads, frames}, {"sample", "query_frame"},
                 "attention mass of a query frame that the pattern loses", "1");
  for (const HeadColumn& column : kColumns) {
    std::vector<double> values;
    for (const DumpedHead& head : dump.heads) values.push_back(column.value(head));
    writer.dataset(column.name, ElementType::kF64, values, {heads}, {"sample"}, column.title,
                   column.unit);
  }
}

void write_masks(Writer& writer, const Dump& dump) {
  const std::int64_t frames = dump.grid.frames;
  std::vector<std::uint8_t> cells;
  std::vector<double> densities;
  for (const FramePattern& pattern : dump.patterns) {
    for (std::int64_t f = 0; f < frames; ++f) {
      for (std::int64_t k = 0; k < frames; ++k) {
        const MaskCell cell = mask_cell(pattern, f, k);
        const bool global = cell == MaskCell::kGlobal || cell == MaskCell::kBoth;
        const bool window = cell == MaskCell::kWindow || cell == MaskCell::kBoth;
        cells.push_back(static_cast<std::uint8_t>((global ? 1 : 0) + (window ? 2 : 0)));
      }
    }
    densities.push_back(pattern.frame_density());
  }
  const std::int64_t patterns = count(dump.patterns.size());
  writer.dataset("mask", ElementType::kU8, cells, {patterns, frames, frames},
                 {"pattern", "query_frame", "key_frame"},
                 "which frames attend which: 0 not at all, 1 global, 2 window, 3 both", nullptr);
  writer.file().attribute("mask", "flag_values", std::vector<std::uint8_t>{0, 1, 2, 3});
  writer.file().attribute("mask", "flag_meanings", std::string("not_attended global window both"));
  writer.dataset("offset", ElementType::kI64, dump.offsets, {patterns}, {"pattern"},
                 "offset of the grid of global frames", "latent frames");
  writer.dataset("frame_density", ElementType::kF64, densities, {patterns}, {"pattern"},
                 "share of all pairs of frames that the pattern attends", "1");
}

void write_token_maps(Writer& writer, const Dump& dump) {
  const DumpOptions& options = dump.options;
  if (options.places.empty()) return;
  const std::int64_t rows = count(options.places.size());
  writer.scale("row", rows, "number of the query row", nullptr);
  writer.scale("y", options.size.height, "row of the latent frame", "tokens");
  writer.scale("x", options.size.width, "column of the latent frame", "tokens");
  const auto places = [&](const char* name, const char* title, const char* unit, auto field) {
    std::vector<std::int64_t> values;
    for (const RowPlace& place : options.places) values.push_back(field(place));
    writer.dataset(name, ElementType::kI64, values, {rows}, {"row"}, title, unit);
  };
  places("row_frame", "latent frame of the query row", "latent frame",
         [](const RowPlace& place) { return place.frame; });
  places("row_y", "row of the query row in its frame", "tokens",
         [](const RowPlace& place) { return place.y; });
  places("row_x", "column of the query row in its frame", "tokens",
         [](const RowPlace& place) { return place.x; });
  std::vector<float> weights;
  std::vector<double> text;
  for (const DumpedHead& head : dump.heads) {
    for (const DumpedMap& map : head.maps) {
      weights.insert(weights.end(), map.weights.begin(), map.weights.end());
      text.push_back(map.text);
    }
  }
  const std::int64_t heads = count(dump.heads.size());
  writer.dataset("token_map", ElementType::kF32, weights,
                 {heads, rows, dump.grid.frames, options.size.height, options.size.width},
                 {"sample", "row", "key_frame", "y", "x"},
                 "softmax weight of a query row on each token of the latent video", "1");
  if (dump.grid.text_tokens > 0) {
    writer.dataset("token_map_text", ElementType::kF64, text, {heads, rows}, {"sample", "row"},
                   "softmax weight of a query row on all text tokens together", "1");
  }
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

}  // namespace

void write_dump_file(const Dump& dump, const std::string& path, const Provenance& provenance) {
  Writer writer(path);
  write_attributes(writer.file(), dump, provenance);
  write_scales(writer, dump);
  write_ids(writer, dump);
  write_masses(writer, dump);
  write_masks(writer, dump);
  write_token_maps(writer, dump);
  writer.file().commit();
}

std::string dump_table(const Dump& dump) {
  std::string csv = "source,layer,step,batch,head,class,class_in_source";
  for (const HeadColumn& column : kColumns) csv += fmt::format(",{}", column.name);
  csv += '\n';
  for (const DumpedHead& head : dump.heads) {
    csv += fmt::format("{},{},{},{},{},{},{}", quoted(head.id.source), head.id.layer, head.id.step,
                       head.id.batch, head.id.head, head_class_name(head.head_class),
                       quoted(head.class_said));
    for (const HeadColumn& column : kColumns) csv += fmt::format(",{:.9g}", column.value(head));
    csv += '\n';
  }
  return csv;
}

}  // namespace lvsa::analysis
