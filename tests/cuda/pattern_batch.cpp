#include "tests/cuda/pattern_batch.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include "core/pattern/keyframe_interval.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

rc::Gen<std::int32_t> range(std::int32_t first, std::int32_t end) {
  return rc::gen::inRange<std::int32_t>(first, end);
}

std::int64_t floor_modulo(std::int64_t a, std::int64_t b) { return (a % b + b) % b; }

// The offset that core is to use: what the device works out by itself.
std::int64_t core_offset(const PatternSettings& s, std::int64_t interval) {
  if (s.offset_is_step == 0) return s.offset;
  return interval > 0 ? floor_modulo(s.offset, interval) : 0;
}

PatternSpec core_spec(const Configuration& c) {
  const PatternSettings& s = c.settings;
  std::int64_t interval = s.interval;
  if (interval == kAutoInterval) {
    interval = keyframe_interval({.frames = s.frames,
                                  .window_frames = s.window_frames,
                                  .n_first_frames = s.n_first_frames,
                                  .reference_frames = s.reference_frames,
                                  .sparsity_scale = s.sparsity_scale});
  }
  PatternSpec spec;
  spec.frames = s.frames;
  spec.window_frames = s.window_frames;
  spec.n_first_frames = s.n_first_frames;
  spec.interval = interval;
  spec.offset = core_offset(s, interval);
  spec.expand_window = s.expand_window != 0;
  spec.extra_globals.assign(c.extra.begin(), c.extra.end());
  return spec;
}

// Settings with all extra frames in one array, on the device.
struct DeviceBatch {
  explicit DeviceBatch(const std::vector<Configuration>& batch)
      : settings(batch.size()), extra(gather(batch)) {
    std::vector<PatternSettings> own;
    std::int32_t begin = 0;
    for (const Configuration& c : batch) {
      own.push_back(c.settings);
      own.back().extra_begin = begin;
      begin += static_cast<std::int32_t>(c.extra.size());
      own.back().extra_end = begin;
      capacity = std::max(capacity, c.settings.frames);
    }
    capacity = std::min(capacity, kMaxPatternFrames);
    settings.set(own);
  }
  static std::vector<std::int32_t> gather(const std::vector<Configuration>& batch) {
    std::vector<std::int32_t> all;
    for (const Configuration& c : batch) all.insert(all.end(), c.extra.begin(), c.extra.end());
    return all;
  }
  PatternBatch view() const {
    return {settings.get(), static_cast<std::int64_t>(settings.size()), extra.get(),
            static_cast<std::int32_t>(extra.size()), capacity};
  }

  DeviceArray<PatternSettings> settings;
  DeviceArray<std::int32_t> extra;
  std::int32_t capacity = 1;
};

template <typename T>
std::vector<T> part(const std::vector<T>& all, std::size_t first, std::int64_t size) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  return std::vector<T>(begin, begin + static_cast<std::ptrdiff_t>(size));
}

std::vector<std::int64_t> pairs(const std::vector<Copy>& copies) {
  std::vector<std::int64_t> flat;
  for (const Copy& copy : copies) flat.insert(flat.end(), {copy.source, copy.target});
  return flat;
}

std::vector<std::int32_t> flat_windows(const std::vector<Window>& windows) {
  std::vector<std::int32_t> flat;
  for (const Window& w : windows) flat.insert(flat.end(), {w.lo, w.hi});
  return flat;
}

std::vector<std::int64_t> pairs(const std::vector<BlockCopy>& copies) {
  std::vector<std::int64_t> flat;
  for (const BlockCopy& copy : copies) flat.insert(flat.end(), {copy.source, copy.target});
  return flat;
}

template <typename T>
std::string differs(const char* name, const T& due, const T& got) {
  if (due == got) return "";
  std::ostringstream out;
  out << name << ": core gives " << rc::toString(due) << ", the device " << rc::toString(got);
  return out.str();
}

}  // namespace

std::string text(const Configuration& c) {
  const PatternSettings& s = c.settings;
  std::ostringstream out;
  out << "T=" << s.frames << " W=" << s.window_frames << " n_first=" << s.n_first_frames
      << " interval=";
  if (s.interval == kAutoInterval) {
    out << "auto reference=" << s.reference_frames << " scale=" << s.sparsity_scale;
  } else {
    out << s.interval;
  }
  out << (s.offset_is_step != 0 ? " step=" : " offset=") << s.offset
      << (s.expand_window != 0 ? " expanded" : " adaptive") << " extra=" << rc::toString(c.extra);
  return out.str();
}

void showValue(const Configuration& c, std::ostream& stream) { stream << text(c); }

rc::Gen<Configuration> any_configuration(std::int32_t most_frames) {
  return rc::gen::exec([most_frames] {
    Configuration c;
    PatternSettings& s = c.settings;
    s.frames = *rc::gen::weightedOneOf<std::int32_t>(
        {{6, range(1, 41)}, {3, range(1, 131)}, {1, range(1, most_frames + 1)}});
    s.window_frames = *rc::gen::weightedOneOf<std::int32_t>(
        {{6, range(0, 6)}, {2, range(0, 40)}, {1, range(0, 2500)}});
    s.n_first_frames = *rc::gen::weightedOneOf<std::int32_t>(
        {{6, range(0, 5)}, {2, range(0, 50)}, {1, range(0, 2500)}});
    s.interval = *rc::gen::weightedOneOf<std::int32_t>({{3, rc::gen::just(kAutoInterval)},
                                                        {1, range(0, 1)},
                                                        {6, range(1, 25)},
                                                        {1, range(1, 2500)}});
    s.reference_frames = *rc::gen::weightedOneOf<std::int32_t>(
        {{3, rc::gen::element<std::int32_t>(13, 21, 31, 33, 48)}, {1, range(-3, 500)}});
    s.sparsity_scale = *rc::gen::weightedOneOf<double>(
        {{2, rc::gen::element(0.25, 0.5, 0.7, 1.0, 1.5, 2.0, 1.0 / 3.0, 1e30, -1.0, 0.0)},
         {3, rc::gen::map(rc::gen::inRange(0, 4001), [](int i) { return i / 1000.0; })}});
    s.expand_window = *range(0, 2);
    s.offset_is_step = *range(0, 2);
    s.offset =
        *rc::gen::weightedOneOf<std::int64_t>({{3, rc::gen::inRange<std::int64_t>(0, 40)},
                                               {1, rc::gen::inRange<std::int64_t>(-99, 4000)}});
    if (*range(0, 3) == 0) {
      c.extra = *rc::gen::container<std::vector<std::int32_t>>(range(-3, s.frames + 4));
    }
    return c;
  });
}

Answer core_answer(const Configuration& c, std::int64_t patches_per_frame) {
  const PatternSpec spec = core_spec(c);
  const FramePattern pattern = build_frame_pattern(spec);
  const RankIndex index = build_rank_index(pattern, patches_per_frame, 0, 1);
  Answer a;
  a.globals = pattern.globals;
  a.is_global = pattern.is_global;
  a.offsets = pattern.offsets;
  a.list = pattern.list;
  a.indptr = index.blocks.indptr;
  a.indices = index.blocks.indices;
  a.global_copies = pairs(index.blocks.global_copies);
  a.local_copies = pairs(index.blocks.local_copies);
  a.summary.interval = static_cast<std::int32_t>(*spec.interval);
  a.summary.offset =
      *spec.interval > 0 ? static_cast<std::int32_t>(floor_modulo(spec.offset, spec.frames)) : 0;
  a.summary.globals = static_cast<std::int32_t>(pattern.globals.size());
  a.summary.columns = static_cast<std::int32_t>(index.blocks.compact_frames);
  a.summary.pairs = pattern.frame_pairs();
  a.summary.least_row = static_cast<std::int32_t>(spec.frames);
  std::vector<std::uint8_t> attended(static_cast<std::size_t>(spec.frames), 0);
  for (std::int64_t f = 0; f < spec.frames; ++f) {
    const FrameRange window = pattern.windows[static_cast<std::size_t>(f)];
    a.windows.insert(a.windows.end(), {window.lo, window.hi});
    const auto row = pattern.row(f);
    const auto size = static_cast<std::int32_t>(row.size());
    a.summary.least_row = std::min(a.summary.least_row, size);
    a.summary.most_row = std::max(a.summary.most_row, size);
    for (const std::int32_t key : row) attended[static_cast<std::size_t>(key)] = 1;
    for (std::int32_t key = 0; key < spec.frames; ++key) {
      const bool global = pattern.is_global[static_cast<std::size_t>(key)] != 0;
      const bool inside = key >= window.lo && key <= window.hi;
      a.mask.push_back(
          static_cast<std::uint8_t>((global ? kMaskGlobal : 0) | (inside ? kMaskWindow : 0)));
    }
  }
  for (std::int32_t f = 0; f < spec.frames; ++f) {
    if (attended[static_cast<std::size_t>(f)] != 0) a.column_frames.push_back(f);
  }
  return a;
}

std::vector<Answer> device_answers(const std::vector<Configuration>& batch,
                                   std::int64_t patches_per_frame) {
  const DeviceBatch device(batch);
  const std::size_t count = batch.size();
  const auto frames = static_cast<std::size_t>(device.capacity);
  const DeviceArray<PatternSummary> summary(count);
  const DeviceArray<std::int32_t> globals(count * frames), list(count * frames * frames),
      indptr(count * (frames + 1)), indices(count * frames * frames), columns(count * frames);
  const DeviceArray<std::uint8_t> is_global(count * frames), mask(count * frames * frames);
  const DeviceArray<Window> windows(count * frames);
  const DeviceArray<std::int64_t> offsets(count * (frames + 1));
  const DeviceArray<Copy> global_copies(count * frames), local_copies(count * frames);
  build_patterns(device.view(),
                 {.summary = summary.get(),
                  .globals = globals.get(),
                  .is_global = is_global.get(),
                  .windows = windows.get(),
                  .offsets = offsets.get(),
                  .list = list.get(),
                  .mask = mask.get(),
                  .indptr = indptr.get(),
                  .indices = indices.get(),
                  .column_frames = columns.get(),
                  .global_copies = global_copies.get(),
                  .local_copies = local_copies.get(),
                  .patches_per_frame = patches_per_frame,
                  .list_capacity = static_cast<std::int64_t>(frames * frames)},
                 nullptr);

  const auto all_summaries = summary.read();
  const auto all_globals = globals.read(), all_lists = list.read(), all_indptr = indptr.read(),
             all_indices = indices.read(), all_columns = columns.read();
  const auto all_flags = is_global.read(), all_masks = mask.read();
  const auto all_windows = windows.read();
  const auto all_offsets = offsets.read();
  const auto all_global_copies = global_copies.read(), all_local_copies = local_copies.read();
  std::vector<Answer> answers(count);
  for (std::size_t i = 0; i < count; ++i) {
    Answer& a = answers[i];
    a.summary = all_summaries[i];
    if (a.summary.status != PatternStatus::kOk) continue;
    const std::int64_t own = batch[i].settings.frames;
    const std::int64_t pairs_here = a.summary.pairs;
    if (pairs_here < 0 || pairs_here > own * own || a.summary.globals < 0 ||
        a.summary.globals > own || a.summary.columns < a.summary.globals ||
        a.summary.columns > own) {
      continue;  // the summary alone shows the difference
    }
    a.globals = part(all_globals, i * frames, a.summary.globals);
    a.is_global = part(all_flags, i * frames, own);
    a.windows = flat_windows(part(all_windows, i * frames, own));
    a.offsets = part(all_offsets, i * (frames + 1), own + 1);
    a.list = part(all_lists, i * frames * frames, pairs_here);
    a.mask = part(all_masks, i * frames * frames, own * own);
    a.indptr = part(all_indptr, i * (frames + 1), own + 1);
    a.indices = part(all_indices, i * frames * frames, pairs_here);
    a.column_frames = part(all_columns, i * frames, a.summary.columns);
    a.global_copies = pairs(part(all_global_copies, i * frames, a.summary.globals));
    a.local_copies =
        pairs(part(all_local_copies, i * frames, a.summary.columns - a.summary.globals));
  }
  return answers;
}

std::vector<PatternSummary> device_summaries(const std::vector<Configuration>& batch) {
  const DeviceBatch device(batch);
  const DeviceArray<PatternSummary> summary(batch.size());
  summarise_patterns(device.view(), summary.get(), nullptr);
  return summary.read();
}

std::string difference(const PatternSummary& due, const PatternSummary& got) {
  const auto flat = [](const PatternSummary& s) {
    return std::vector<std::int64_t>{static_cast<std::int64_t>(s.status),
                                     s.interval,
                                     s.offset,
                                     s.globals,
                                     s.columns,
                                     s.least_row,
                                     s.most_row,
                                     s.reserved,
                                     s.pairs};
  };
  return differs("summary (status, interval, offset, globals, columns, least, most, 0, pairs)",
                 flat(due), flat(got));
}

std::string difference(const Answer& due, const Answer& got) {
  for (const std::string& found :
       {difference(due.summary, got.summary), differs("globals", due.globals, got.globals),
        differs("is_global", due.is_global, got.is_global),
        differs("windows", due.windows, got.windows), differs("offsets", due.offsets, got.offsets),
        differs("list", due.list, got.list), differs("mask", due.mask, got.mask),
        differs("indptr", due.indptr, got.indptr), differs("indices", due.indices, got.indices),
        differs("column_frames", due.column_frames, got.column_frames),
        differs("global_copies", due.global_copies, got.global_copies),
        differs("local_copies", due.local_copies, got.local_copies)}) {
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace lvsa::cuda::test
