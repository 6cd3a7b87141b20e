#include "analysis/report/html_masks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Runs of frames of the window [lo, hi] that are global (or are not), as one stroke each.
std::string window_strokes(const FramePattern& pattern, bool global) {
  std::string path;
  for (std::size_t f = 0; f < pattern.windows.size(); ++f) {
    const FrameRange window = pattern.windows[f];
    for (std::int32_t begin = window.lo; begin <= window.hi;) {
      std::int32_t end = begin;
      while (end <= window.hi &&
             (pattern.is_global[static_cast<std::size_t>(end)] != 0) == global) {
        ++end;
      }
      if (end > begin) path += fmt::format("M{} {}h{}", begin, f, end - begin);
      begin = std::max(end, begin + 1);
    }
  }
  return path;
}

std::string global_columns(const FramePattern& pattern) {
  std::string path;
  const std::vector<std::int32_t>& globals = pattern.globals;
  for (std::size_t i = 0; i < globals.size();) {
    std::size_t j = i + 1;
    while (j < globals.size() && globals[j] == globals[j - 1] + 1) ++j;
    path += fmt::format("M{} 0h{}v{}h-{}z", globals[i], j - i, pattern.frames(), j - i);
    i = j;
  }
  return path;
}

}  // namespace

std::string mask_shapes(const FramePattern& pattern) {
  std::string shapes = fmt::format(
      "<path class=\"mask-skip\" d=\"M0 0h{0}v{0}h-{0}z\"/>"
      "<path class=\"mask-global\" d=\"{1}\"/>",
      pattern.frames(), global_columns(pattern));
  // A stroke of width 1 is centred on its line: half a frame down puts it onto its row.
  for (const bool global : {false, true}) {
    shapes += fmt::format("<path class=\"{}\" transform=\"translate(0 .5)\" d=\"{}\"/>",
                          global ? "mask-both" : "mask-window", window_strokes(pattern, global));
  }
  return shapes;
}

MaskEntry MaskLibrary::add(const Case& c) {
  MaskEntry entry;
  if (c.grid.frames > kMaxDrawnFrames) {
    entry.note = fmt::format("Mask not drawn: more than {} frames.", kMaxDrawnFrames);
    return entry;
  }
  try {
    const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
    const std::string symbol =
        fmt::format("viewBox=\"0 0 {0} {0}\">{1}", pattern.frames(), mask_shapes(pattern));
    const std::string fresh_id = fmt::format("mask-{}", id_of_symbol_.size() + 1);
    const auto [found, is_new] = id_of_symbol_.try_emplace(symbol, fresh_id);
    entry.symbol_id = found->second;
    if (is_new) {
      symbols_.push_back({fresh_id, fmt::format("<symbol id=\"{}\" preserveAspectRatio=\"none\" "
                                                "{}</symbol>\n",
                                                fresh_id, symbol)});
    }
    entry.globals = pattern.globals.size();
  } catch (const Error& error) {
    entry.note = fmt::format("Mask not drawn: {}", error.what());
  }
  return entry;
}

}  // namespace lvsa::analysis
