#include "analysis/sweep/published_table.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "core/pattern/frame_pattern.hpp"
#include "core/pattern/keyframe_interval.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kWindow = 4;
constexpr std::int64_t kFirst = 1;

struct Printed {
  std::int64_t frames;
  int of_33;
  int of_21;
};
constexpr Printed kPrinted[] = {{21, 0, 0},   {33, 0, 21},  {41, 0, 44},  {49, 31, 55},
                                {65, 35, 66}, {81, 56, 74}, {121, 72, 82}};

double sparsity(std::int64_t frames, std::int64_t interval) {
  const FramePattern pattern = build_frame_pattern(
      {.frames = frames, .window_frames = kWindow, .n_first_frames = kFirst, .interval = interval});
  return 100.0 * (1.0 - pattern.frame_density());
}

PublishedRow make_row(std::int64_t reference, std::int64_t frames, int published) {
  const IntervalTerms terms = keyframe_interval_terms({.frames = frames,
                                                       .window_frames = kWindow,
                                                       .n_first_frames = kFirst,
                                                       .reference_frames = reference});
  PublishedRow row{reference,
                   frames,
                   published,
                   terms.strict,
                   terms.fallback,
                   terms.interval,
                   sparsity(frames, terms.strict),
                   sparsity(frames, terms.interval)};
  return row;
}

bool rounds_to(double percent, int published) { return std::lround(percent) == published; }

std::string verdict(const PublishedRow& row) {
  if (row.code_agrees()) return "";
  if (!row.guide_agrees()) return "  << neither rule gives the document's value";
  return fmt::format(
      "  << document and code disagree: the document has the guide's interval {}, "
      "the code takes the fallback {}",
      row.strict, row.fallback);
}

}  // namespace

bool PublishedRow::guide_agrees() const { return rounds_to(guide_sparsity, published); }
bool PublishedRow::code_agrees() const { return rounds_to(code_sparsity, published); }

std::vector<PublishedRow> published_table() {
  std::vector<PublishedRow> rows;
  for (const Printed& printed : kPrinted) {
    rows.push_back(make_row(33, printed.frames, printed.of_33));
  }
  for (const Printed& printed : kPrinted) {
    rows.push_back(make_row(21, printed.frames, printed.of_21));
  }
  return rows;
}

std::string published_table_text() {
  const std::vector<PublishedRow> rows = published_table();
  std::string text =
      "Sparsity (frame pairs that are not attended, %) for W = 4, n_first = 1, scale = 1\n"
      "  document  the LVSA tuning guide's table\n"
      "  guide     its rule: the largest interval with enough global frames\n"
      "  code      the published code: the larger of that and its fallback\n\n"
      "ref    T   document   guide interval   code interval\n";
  std::size_t apart = 0;
  std::size_t explained = 0;
  for (const PublishedRow& row : rows) {
    fmt::format_to(std::back_inserter(text), "{:>3} {:>4} {:>10} {:>7.1f} {:>8} {:>6.1f} {:>8}{}\n",
                   row.reference, row.frames, row.published, row.guide_sparsity, row.strict,
                   row.code_sparsity, row.interval, verdict(row));
    apart += row.code_agrees() ? 0 : 1;
    explained += row.guide_agrees() ? 1 : 0;
  }
  fmt::format_to(
      std::back_inserter(text),
      "\n{} of {} rows: document and code disagree. The guide's rule gives {} of {} rows "
      "of the document.\n",
      apart, rows.size(), explained, rows.size());
  return text;
}

}  // namespace lvsa::analysis
