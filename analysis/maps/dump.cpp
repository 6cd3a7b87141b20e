#include "analysis/maps/dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/maps/gpu_mass.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

void check_room(const SampleSource& source, const FrameGrid& grid, const DumpOptions& options) {
  const auto heads = static_cast<std::int64_t>(source.ids().size());
  const auto places = static_cast<std::int64_t>(options.places.size());
  const auto beyond = [](std::int64_t a, std::int64_t b, std::int64_t most) {
    return b > 0 && a > most / b;
  };
  if (beyond(heads, grid.frames * grid.frames, kMaxDumpedMasses)) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} heads of {} x {} frames are more than {} masses; fewer --layers, "
                            "--steps or --heads are due",
                            heads, grid.frames, grid.frames, kMaxDumpedMasses));
  }
  if (beyond(heads * std::max<std::int64_t>(places, 1), grid.video_tokens(), kMaxDumpedWeights) &&
      places > 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} token maps of {} heads with {} tokens are more than {} weights; "
                            "fewer --rows or --heads are due",
                            places, heads, grid.video_tokens(), kMaxDumpedWeights));
  }
}

// The offset of the pattern at a step.
std::int64_t offset_at(const DumpOptions& options, const FrameGrid& grid, std::int64_t step) {
  const std::int64_t interval = interval_in_force(options.setting, grid.frames);
  if (!options.setting.rotate || interval < 1) return options.setting.offset;
  return std::max<std::int64_t>(step, 0) % interval;
}

FramePattern pattern_at(const DumpOptions& options, const FrameGrid& grid, std::int64_t offset) {
  PatternSpec spec = pattern_specs(options.setting, grid.frames).front();
  spec.offset = offset;
  return build_frame_pattern(spec);
}

void build_patterns(Dump& dump, const SampleSource& source) {
  for (const SampleId& id : source.ids()) {
    dump.offsets.push_back(offset_at(dump.options, dump.grid, id.step));
  }
  std::sort(dump.offsets.begin(), dump.offsets.end());
  dump.offsets.erase(std::unique(dump.offsets.begin(), dump.offsets.end()), dump.offsets.end());
  for (const std::int64_t offset : dump.offsets) {
    dump.patterns.push_back(pattern_at(dump.options, dump.grid, offset));
  }
}

DumpedHead dump_head(const Dump& dump, const SampleSource& source, std::size_t index,
                     std::span<const std::int64_t> rows) {
  const DumpOptions& options = dump.options;
  const Sample sample = source.load(index);
  DumpedHead head;
  head.id = sample.id;
  head.class_said = source.head_class(index);
  HeadMass measured = head_mass(sample, options.size, rows);
  head.statistics = measured.statistics;
  head.head_class = classify(head.statistics, dump.grid, options.size);
  head.mass = options.gpu != nullptr ? options.gpu->measure(sample) : std::move(measured.mass);
  const std::int64_t offset = offset_at(options, dump.grid, head.id.step);
  const auto at = std::lower_bound(dump.offsets.begin(), dump.offsets.end(), offset);
  head.pattern = static_cast<std::size_t>(at - dump.offsets.begin());
  head.kept = apply_pattern(head.mass, dump.patterns[head.pattern]);
  for (const RowPlace& place : options.places) {
    const TokenMap map = map_tokens(sample, options.size, place);
    head.maps.push_back({{map.weights.begin(), map.weights.end()}, map.text});
  }
  return head;
}

}  // namespace

FrameGrid common_grid(const SampleSource& source) {
  if (source.ids().empty()) throw Error(ErrorKind::kValue, "no head to map: at least one is due");
  const FrameGrid first = source.grid(0);
  for (std::size_t i = 1; i < source.ids().size(); ++i) {
    const FrameGrid grid = source.grid(i);
    if (grid.frames == first.frames && grid.patches_per_frame == first.patches_per_frame &&
        grid.text_tokens == first.text_tokens) {
      continue;
    }
    throw Error(ErrorKind::kValue,
                fmt::format("{} has T={} P={} text={}, {} has T={} P={} text={}: maps of one size "
                            "are due; --layers and --steps choose among them",
                            describe(source.ids()[i]), grid.frames, grid.patches_per_frame,
                            grid.text_tokens, describe(source.ids()[0]), first.frames,
                            first.patches_per_frame, first.text_tokens));
  }
  return first;
}

std::vector<std::size_t> differing_classes(const Dump& dump) {
  std::vector<std::size_t> heads;
  for (std::size_t i = 0; i < dump.heads.size(); ++i) {
    const DumpedHead& head = dump.heads[i];
    if (!head.class_said.empty() && head.class_said != head_class_name(head.head_class)) {
      heads.push_back(i);
    }
  }
  return heads;
}

Dump make_dump(const SampleSource& source, const DumpOptions& options,
               const std::function<void(std::size_t)>& done) {
  Dump dump;
  dump.grid = common_grid(source);
  dump.options = options;
  dump.excluded = source.excluded();
  dump.identity = source.identity();
  check_room(source, dump.grid, options);
  const std::int64_t rows = rows_in_frame(dump.grid, options.rows);
  const bool all = rows == dump.grid.patches_per_frame;
  dump.masses_of = all ? "all rows" : fmt::format("{} rows a frame", rows);
  if (options.gpu != nullptr) {
    dump.masses_of = fmt::format("all rows, on {}", options.gpu->device());
  }
  build_patterns(dump, source);
  const std::vector<std::int64_t> tokens = choose_rows(dump.grid, options.rows);
  for (std::size_t i = 0; i < source.ids().size(); ++i) {
    dump.heads.push_back(dump_head(dump, source, i, tokens));
    if (done) done(i + 1);
  }
  return dump;
}

}  // namespace lvsa::analysis
