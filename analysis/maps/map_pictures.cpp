#include "analysis/maps/map_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "analysis/maps/map_sheet.hpp"
#include "analysis/maps/token_picture.hpp"
#include "core/error.hpp"
#include "core/io/apng_image.hpp"

namespace lvsa::analysis {
namespace {

using Heads = std::vector<const DumpedHead*>;

// Layer, batch element and step: the heads of a sheet. Files may hold a call several times.
struct SheetKey {
  std::int64_t layer;
  std::int64_t batch;
  std::int64_t step;
  std::string source;
  auto operator<=>(const SheetKey&) const = default;
};

SheetKey key_of(const SampleId& id) { return {id.layer, id.batch, id.step, id.source}; }

std::string number_part(const char* what, std::int64_t number, int digits) {
  return number < 0 ? "" : fmt::format("_{}{:0{}}", what, number, digits);
}

class PictureWriter {
 public:
  PictureWriter(const Dump& dump, const PictureOptions& options, const TakeFile& take)
      : dump_(dump), options_(options), take_(take) {
    for (const DumpedHead& head : dump.heads) {
      sheets_[key_of(head.id)].push_back(&head);
      several_batches_ = several_batches_ || head.id.batch > 0;
    }
  }

  void write() {
    for (const auto& [key, heads] : sheets_) {
      const MapSheet sheet = sheet_of(key, heads);
      const std::string name = unique("maps" + key_part(key));
      take_(name + ".png", encode_png(draw_sheet(sheet)));
      take_(name + ".svg", sheet_as_svg(sheet));
      for (const DumpedHead* head : heads) write_head(key, *head);
    }
    write_animations();
  }

 private:
  std::string key_part(const SheetKey& key) const {
    return number_part("layer", key.layer, 3) + number_part("step", key.step, 3) +
           (several_batches_ ? number_part("batch", key.batch, 1) : "");
  }

  std::string unique(const std::string& name) {
    std::string result = name;
    for (int i = 2; !names_.insert(result).second; ++i) result = fmt::format("{}_{}", name, i);
    return result;
  }

  std::string place_text(const SheetKey& key) const {
    std::string text;
    const auto add = [&](const char* what, std::int64_t number) {
      if (number >= 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, number);
    };
    add("layer", key.layer);
    add("step", key.step);
    if (several_batches_) add("batch", key.batch);
    return text.empty() ? "attention maps" : text;
  }

  std::vector<std::string> captions(const SheetKey& key) const {
    return {fmt::format("{}: {} frames x {} tokens, masses of {}", place_text(key),
                        dump_.grid.frames, dump_.grid.patches_per_frame, dump_.masses_of),
            setting_words(dump_.options.setting)};
  }

  static SheetMap map_of(const DumpedHead& head) {
    return {fmt::format("head {} {}", head.id.head, head_class_name(head.head_class)),
            fmt::format("recall {:.4f}", head.kept.recall), &head.mass, &head.kept};
  }

  MapSheet sheet_of(const SheetKey& key, const Heads& heads) const {
    MapSheet sheet{captions(key), &dump_.pattern(*heads.front()), {}, options_.scale};
    for (const DumpedHead* head : heads) sheet.maps.push_back(map_of(*head));
    return sheet;
  }

  void write_head(const SheetKey& key, const DumpedHead& head) {
    const std::string part = key_part(key) + number_part("head", head.id.head, 2);
    if (options_.pictures == Pictures::kHeads) {
      const MapSheet sheet{captions(key), &dump_.pattern(head), {map_of(head)}, options_.scale};
      const std::string name = unique("head" + part);
      take_(name + ".png", encode_png(draw_sheet(sheet)));
      take_(name + ".svg", sheet_as_svg(sheet));
    }
    for (std::size_t i = 0; i < head.maps.size(); ++i) write_row(key, head, i, part);
  }

  void write_row(const SheetKey& key, const DumpedHead& head, std::size_t row,
                 const std::string& part) {
    const RowPlace& place = dump_.options.places[row];
    const DumpedMap& map = head.maps[row];
    const auto tokens = static_cast<std::size_t>(dump_.grid.patches_per_frame);
    const auto attended_list = dump_.pattern(head).row(place.frame);
    std::vector<double> masses;
    std::vector<bool> attended;
    for (std::size_t f = 0; f < static_cast<std::size_t>(dump_.grid.frames); ++f) {
      double mass = 0.0;
      for (std::size_t i = 0; i < tokens; ++i) mass += double{map.weights[f * tokens + i]};
      masses.push_back(mass);
      attended.push_back(std::binary_search(attended_list.begin(), attended_list.end(),
                                            static_cast<std::int32_t>(f)));
    }
    TokenPicture picture;
    picture.captions = {
        fmt::format("{}, head {} {}: query row {} of {} x {} tokens", place_text(key), head.id.head,
                    head_class_name(head.head_class), row_place_text(place),
                    dump_.options.size.height, dump_.options.size.width),
        fmt::format("above each key frame its number and mass{}",
                    dump_.grid.text_tokens > 0 ? fmt::format("; text {:.3g}", map.text) : "")};
    picture.size = dump_.options.size;
    picture.place = place;
    picture.weights = map.weights;
    picture.frame_mass = &masses;
    picture.attended = &attended;
    const ColourScale scale = token_scale(map.weights, dump_.grid.seq_len());
    const std::string name =
        unique(fmt::format("row{}_f{:03}y{:03}x{:03}", part, place.frame, place.y, place.x));
    take_(name + ".png", encode_png(draw_tokens(picture, scale)));
    take_(name + ".svg", tokens_as_svg(picture, scale));
  }

  // The steps of a layer, where they have the same heads.
  void write_animations() {
    std::map<std::tuple<std::int64_t, std::int64_t>, std::vector<const SheetKey*>> layers;
    for (const auto& [key, heads] : sheets_) layers[{key.layer, key.batch}].push_back(&key);
    for (const auto& [layer, keys] : layers) {
      if (keys.size() < 2 || !same_heads(keys)) continue;
      std::vector<MapSheet> sheets;
      for (const SheetKey* key : keys) sheets.push_back(sheet_of(*key, sheets_.at(*key)));
      SheetKey without_step = *keys.front();
      without_step.step = -1;
      take_(unique("steps" + key_part(without_step)) + ".png", encode_apng(draw_sheets(sheets)));
    }
  }

  bool same_heads(const std::vector<const SheetKey*>& keys) const {
    const auto numbers = [&](const SheetKey* key) {
      std::vector<std::int64_t> heads;
      for (const DumpedHead* head : sheets_.at(*key)) heads.push_back(head->id.head);
      return heads;
    };
    std::set<std::int64_t> steps;
    for (const SheetKey* key : keys) steps.insert(key->step);
    return steps.size() == keys.size() &&
           std::all_of(keys.begin(), keys.end(),
                       [&](const SheetKey* key) { return numbers(key) == numbers(keys.front()); });
  }

  const Dump& dump_;
  const PictureOptions& options_;
  const TakeFile& take_;
  std::map<SheetKey, Heads> sheets_;
  std::set<std::string> names_;
  bool several_batches_ = false;
};

}  // namespace

void check_pictures(const std::vector<SampleId>& heads, const FrameGrid& grid,
                    std::size_t token_maps, const PictureOptions& options) {
  if (options.pictures == Pictures::kNone) return;
  if (grid.frames > kMaxSheetFrames) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} latent frames are too many for a picture; at most {}, or --images "
                            "none, is due",
                            grid.frames, kMaxSheetFrames));
  }
  std::set<SheetKey> sheets;
  for (const SampleId& id : heads) sheets.insert(key_of(id));
  std::size_t files = 2 * sheets.size() + 2 * heads.size() * token_maps;
  if (options.pictures == Pictures::kHeads) files += 2 * heads.size();
  if (files <= kMaxPictures) return;
  throw Error(ErrorKind::kValue,
              fmt::format("{} pictures: at most {} are due; fewer --layers, --steps, --heads or "
                          "--rows, or --images none",
                          files, kMaxPictures));
}

void draw_pictures(const Dump& dump, const PictureOptions& options, const TakeFile& take) {
  if (options.pictures == Pictures::kNone) return;
  std::vector<SampleId> heads;
  for (const DumpedHead& head : dump.heads) heads.push_back(head.id);
  check_pictures(heads, dump.grid, dump.options.places.size(), options);
  PictureWriter(dump, options, take).write();
}

}  // namespace lvsa::analysis
