#include "analysis/verify/output_check.hpp"

#include <fmt/format.h>

#include <limits>

namespace lvsa::analysis {

ElementReport locate(const Case& c, const reference::RowId& row, std::int64_t column) {
  ElementReport element;
  element.batch = row.batch;
  element.token = row.token;
  element.head = row.head;
  element.column = column;
  const bool text = row.token >= c.grid.video_tokens();
  element.frame = text ? -1 : row.token / c.grid.patches_per_frame;
  element.row_in_frame =
      text ? row.token - c.grid.video_tokens() : row.token % c.grid.patches_per_frame;
  return element;
}

void compare(ElementReport& element, double expected, double got, DType dtype) {
  element.expected = expected;
  element.got = got;
  const double error = unrounded_error(expected, got, dtype);
  const double tolerance = element.tolerance.total;
  element.ratio = error == 0.0      ? 0.0
                  : tolerance > 0.0 ? error / tolerance
                                    : std::numeric_limits<double>::infinity();
}

void record(OutputCheck& check, const ElementReport& element, DType dtype) {
  const bool failed =
      !accept_interval(element.expected, element.tolerance.total, dtype).contains(element.got);
  ++check.checked;
  check.failed += failed ? 1 : 0;
  const bool first_failure = failed && check.failed == 1;
  const bool comparable = failed || check.failed == 0;
  if (check.checked == 1 || first_failure || (comparable && element.ratio > check.worst_ratio)) {
    check.worst = element;
    check.worst_ratio = element.ratio;
  }
}

std::string failure_text(const std::string& what, const OutputCheck& check) {
  const ElementReport& e = check.worst;
  const std::string place = e.frame < 0 ? fmt::format("text row {}", e.row_in_frame)
                                        : fmt::format("frame {} row {}", e.frame, e.row_in_frame);
  return fmt::format(
      "{}: {} of {} checked elements outside their bounds; worst at batch {}, {}, head "
      "{}, column {}: got {:.9g}, expected {:.9g} +- {:.3g}",
      what, check.failed, check.checked, e.batch, place, e.head, e.column, e.got, e.expected,
      e.tolerance.total);
}

}  // namespace lvsa::analysis
