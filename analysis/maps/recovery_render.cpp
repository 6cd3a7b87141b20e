#include "analysis/maps/recovery_render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::ordered_json;

enum class Panel { kPattern, kRecovered, kDifference };
constexpr Panel kPanels[] = {Panel::kPattern, Panel::kRecovered, Panel::kDifference};

const char* panel_title(Panel panel) {
  switch (panel) {
    case Panel::kPattern:
      return "pattern";
    case Panel::kRecovered:
      return "recovered";
    case Panel::kDifference:
      break;
  }
  return "difference";
}

// What a panel shows of a cell.
CellState shown(Panel panel, CellState state) {
  const bool due = state == CellState::kAttended || state == CellState::kMissing;
  switch (panel) {
    case Panel::kPattern:
      return due ? CellState::kAttended : CellState::kSkipped;
    case Panel::kRecovered:
      if (state == CellState::kMissing) return CellState::kSkipped;
      return state == CellState::kExtra ? CellState::kAttended : state;
    case Panel::kDifference:
      break;
  }
  return state;
}

// Partly attended and repeated frames may be due or not; the pattern decides.
CellState cell_of(const MaskRecovery& recovery, RecoveryPlace place, Panel panel, std::int64_t f,
                  std::int64_t k) {
  if (panel == Panel::kPattern) {
    const auto& row = recovery.due[static_cast<std::size_t>(f)];
    const bool due = std::binary_search(row.begin(), row.end(), static_cast<std::int32_t>(k));
    return due ? CellState::kAttended : CellState::kSkipped;
  }
  return shown(panel, cell_state(recovery, place.batch, place.head, f, k));
}

std::string cells(const MaskRecovery& recovery, RecoveryPlace place, Panel panel, std::int64_t f) {
  std::string line;
  for (std::int64_t k = 0; k < recovery.c.grid.frames; ++k) {
    line += cell_letter(cell_of(recovery, place, panel, f, k));
  }
  return line;
}

ordered_json row_json(const MaskRecovery& recovery, std::int64_t b, std::int64_t h,
                      std::int64_t f) {
  const FrameGrid& grid = recovery.c.grid;
  const RowMask& mask = recovery.mask(b, h, f * grid.patches_per_frame);
  ordered_json row = {{"batch", b}, {"head", h}, {"query", nullptr}, {"proven", mask.proven}};
  if (f < grid.frames) row["query"] = f;  // null: the text
  row["frames"] = ordered_json::array();
  ordered_json counts = ordered_json::object();
  for (std::int64_t k = 0; k < grid.frames; ++k) {
    const std::int64_t keys = mask.frames[static_cast<std::size_t>(k)];
    if (keys == 0) continue;
    row["frames"].push_back(k);
    if (keys == kUnknownCount) {
      counts[std::to_string(k)] = nullptr;
    } else if (keys != grid.patches_per_frame) {
      counts[std::to_string(k)] = keys;
    }
  }
  if (!counts.empty()) row["keys"] = counts;  // of frames that are not attended whole and once
  if (grid.text_tokens > 0) {
    row["text"] = nullptr;
    if (mask.text != kUnknownCount) row["text"] = mask.text;
  }
  return row;
}

}  // namespace

std::string recovery_as_text(const MaskRecovery& recovery, RecoveryPlace place) {
  constexpr std::int64_t kSideBySide = 48;
  const std::int64_t frames = recovery.c.grid.frames;
  const int digits = static_cast<int>(std::to_string(frames - 1).size());
  std::string text = fmt::format(
      "masks of batch element {}, head {}; rows are query frames, columns key frames\n"
      "# attended as due   . not attended   + extra   - missing   % part of the frame   2 more "
      "than once   ? undecided\n",
      place.batch, place.head);
  if (frames <= kSideBySide) {
    text += std::string(static_cast<std::size_t>(digits), ' ');
    for (const Panel panel : kPanels) {
      text += fmt::format("  {:<{}}", panel_title(panel), std::max<std::int64_t>(frames, 10));
    }
    text += '\n';
    for (std::int64_t f = 0; f < frames; ++f) {
      text += fmt::format("{:>{}}", f, digits);
      for (const Panel panel : kPanels) {
        text += fmt::format("  {:<{}}", cells(recovery, place, panel, f),
                            std::max<std::int64_t>(frames, 10));
      }
      text += '\n';
    }
    return text;
  }
  for (const Panel panel : kPanels) {
    text += fmt::format("{}\n", panel_title(panel));
    for (std::int64_t f = 0; f < frames; ++f) {
      text += fmt::format("{:>{}} {}\n", f, digits, cells(recovery, place, panel, f));
    }
  }
  return text;
}

std::string recovery_as_json(const MaskRecovery& recovery) {
  const Case& c = recovery.c;
  ordered_json json = {{"case", to_line(c)},
                       {"kernel", valid_utf8(recovery.kernel)},
                       {"runs", recovery.runs},
                       {"exact", recovery.exact()},
                       {"undecided_rows", recovery.undecided_rows},
                       {"mistake", nullptr},
                       {"differences", ordered_json::array()},
                       {"pattern", recovery.due},
                       {"rows", ordered_json::array()}};
  if (!recovery.mistake.empty()) json["mistake"] = recovery.mistake;
  for (const MaskDifference& difference : recovery.differences) {
    json["differences"].push_back({{"line", difference.line}, {"rows", difference.rows}});
  }
  const std::int64_t groups = c.grid.frames + (c.grid.text_tokens > 0 ? 1 : 0);
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t h = 0; h < c.heads; ++h) {
      for (std::int64_t f = 0; f < groups; ++f) {
        json["rows"].push_back(row_json(recovery, b, h, f));
      }
    }
  }
  return json.dump() + '\n';
}

}  // namespace lvsa::analysis
