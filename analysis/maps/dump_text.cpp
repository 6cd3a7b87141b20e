#include "analysis/maps/dump_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMostRows = 48;  // of the table
constexpr std::size_t kMostNamed = 8;  // heads in one line
constexpr HeadClass kClasses[] = {HeadClass::kSpatial, HeadClass::kTemporal, HeadClass::kGlobal,
                                  HeadClass::kDiffuse, HeadClass::kMixed};

std::string shown(std::int64_t number) { return number < 0 ? "-" : std::to_string(number); }

std::string class_lines(const Dump& dump) {
  std::string text;
  for (const HeadClass wanted : kClasses) {
    std::size_t count = 0;
    double recall = 0.0;
    double least = 1.0;
    for (const DumpedHead& head : dump.heads) {
      if (head.head_class != wanted) continue;
      ++count;
      recall += head.kept.recall;
      least = std::min(least, head.kept.recall);
    }
    if (count == 0) continue;
    text += fmt::format("  {:<9} {:>4} head{}  recall mean {:.4f}, least {:.4f}\n",
                        head_class_name(wanted), count, count == 1 ? " " : "s",
                        recall / static_cast<double>(count), least);
  }
  return text;
}

std::string table(const Dump& dump) {
  std::vector<std::size_t> order(dump.heads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::string text;
  if (order.size() > kMostRows) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return dump.heads[a].kept.recall < dump.heads[b].kept.recall;
    });
    order.resize(kMostRows / 2);
    text += fmt::format("The {} heads that keep the least of {} (heads.csv has all):\n",
                        order.size(), dump.heads.size());
  }
  text += fmt::format("  {:>5} {:>5} {:>5} {:>4}  {:<9} {:>7} {:>7} {:>6} {:>6} {:>12} {:>6}\n",
                      "layer", "step", "batch", "head", "class", "recall", "least", "own", "place",
                      "anchor", "spread");
  for (const std::size_t i : order) {
    const DumpedHead& head = dump.heads[i];
    const HeadStatistics& s = head.statistics;
    text += fmt::format(
        "  {:>5} {:>5} {:>5} {:>4}  {:<9} {:>7.4f} {:>7.4f} {:>6.3f} {:>6.3f} {:>6.3f} @{:<4} "
        "{:>6.3f}\n",
        shown(head.id.layer), shown(head.id.step), head.id.batch, head.id.head,
        head_class_name(head.head_class), head.kept.recall, head.kept.recall_min, s.own_frame,
        s.same_place, s.anchor, s.anchor_frame, s.spread);
  }
  return text;
}

std::string differences(const Dump& dump) {
  const std::vector<std::size_t> heads = differing_classes(dump);
  std::size_t said = 0;
  for (const DumpedHead& head : dump.heads) said += head.class_said.empty() ? 0 : 1;
  if (said == 0) return "";
  std::string text = fmt::format("Classes named by the source: {} of {} heads agree.\n",
                                 said - heads.size(), said);
  for (std::size_t i = 0; i < std::min(heads.size(), kMostNamed); ++i) {
    const DumpedHead& head = dump.heads[heads[i]];
    text += fmt::format("  {}: {} by its mass, {} by the source\n", describe(head.id),
                        head_class_name(head.head_class), head.class_said);
  }
  if (heads.size() > kMostNamed) text += fmt::format("  and {} more\n", heads.size() - kMostNamed);
  return text;
}

std::string exclusions(const Dump& dump) {
  if (dump.excluded.empty()) return "";
  std::string text = fmt::format("Left out: {}\n", dump.excluded.size());
  for (std::size_t i = 0; i < std::min(dump.excluded.size(), kMostNamed); ++i) {
    text += fmt::format("  {}: {}\n", describe(dump.excluded[i].id), dump.excluded[i].reason);
  }
  if (dump.excluded.size() > kMostNamed) {
    text += fmt::format("  and {} more\n", dump.excluded.size() - kMostNamed);
  }
  return text;
}

}  // namespace

std::string dump_as_text(const Dump& dump) {
  const LatentSize& size = dump.options.size;
  std::string text = fmt::format(
      "{} head{} of {} frames x {} tokens ({} x {}, {}){}, masses of {}\n", dump.heads.size(),
      dump.heads.size() == 1 ? "" : "s", dump.grid.frames, dump.grid.patches_per_frame, size.height,
      size.width, size.source,
      dump.grid.text_tokens > 0 ? fmt::format(" + {} of text", dump.grid.text_tokens) : "",
      dump.masses_of);
  double recall = 0.0;
  for (const DumpedHead& head : dump.heads) recall += head.kept.recall;
  recall /= static_cast<double>(dump.heads.size());
  text += fmt::format(
      "Pattern {}: interval {}, density {:.4f} of the frame pairs{}\n",
      setting_words(dump.options.setting),
      interval_in_force(dump.options.setting, dump.grid.frames),
      dump.patterns.front().frame_density(),
      dump.patterns.size() > 1 ? fmt::format(" ({} offsets by step)", dump.patterns.size()) : "");
  text += fmt::format("Recall {:.4f} of the attention mass, {:.4f} lost\n", recall, 1.0 - recall);
  return text + class_lines(dump) + table(dump) + differences(dump) + exclusions(dump);
}

nlohmann::ordered_json dump_as_json(const Dump& dump) {
  using nlohmann::ordered_json;
  ordered_json result = {
      {"source", dump.identity},
      {"frames", dump.grid.frames},
      {"patches_per_frame", dump.grid.patches_per_frame},
      {"text_tokens", dump.grid.text_tokens},
      {"latent_size", {dump.options.size.height, dump.options.size.width}},
      {"latent_size_source", dump.options.size.source},
      {"masses_of", dump.masses_of},
      {"setting", setting_words(dump.options.setting)},
      {"interval", interval_in_force(dump.options.setting, dump.grid.frames)},
      {"frame_density", dump.patterns.front().frame_density()},
      {"heads", ordered_json::array()},
      {"excluded", ordered_json::array()},
  };
  for (const DumpedHead& head : dump.heads) {
    const HeadStatistics& s = head.statistics;
    ordered_json entry = {{"source", head.id.source}, {"layer", head.id.layer},
                          {"step", head.id.step},     {"batch", head.id.batch},
                          {"head", head.id.head},     {"class", head_class_name(head.head_class)}};
    if (!head.class_said.empty()) entry["class_in_source"] = head.class_said;
    entry["recall"] = head.kept.recall;
    entry["recall_min"] = head.kept.recall_min;
    entry["lost"] = head.kept.lost_mean;
    entry["own_frame"] = s.own_frame;
    entry["same_place"] = s.same_place;
    entry["first_frame"] = s.first_frame;
    entry["anchor"] = s.anchor;
    entry["anchor_frame"] = s.anchor_frame;
    entry["text"] = s.text;
    entry["distance"] = s.distance;
    entry["entropy"] = s.entropy;
    entry["spread"] = s.spread;
    result["heads"].push_back(std::move(entry));
  }
  for (const ExcludedSample& sample : dump.excluded) {
    result["excluded"].push_back({{"sample", describe(sample.id)}, {"reason", sample.reason}});
  }
  return result;
}

}  // namespace lvsa::analysis
