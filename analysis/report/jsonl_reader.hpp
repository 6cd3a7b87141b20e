#pragma once
// Reads back the case lines of report.jsonl.

#include <string>
#include <string_view>

#include "analysis/report/provenance.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// The result that to_json_line() wrote: to_json_line(parse_json_line(line)) is the line again, and
/// every field is as it was (texts without the bytes that are no UTF-8). Fields that follow from
/// the case line (model, sizes, input) are not read, unknown ones are left aside. Throws
/// Error(kJson) with one line that names the field: no JSON, another type of line, a missing field,
/// one of the wrong kind, a case line that cannot be read.
CaseResult parse_json_line(std::string_view line);

/// The first line of report.jsonl.
struct RunLine {
  Provenance provenance;
  std::string plan;  ///< JSON text; empty: it has none
};
/// Throws Error(kJson): no JSON, another type of line, a schema that this program does not know.
RunLine parse_run_line(std::string_view line);

}  // namespace lvsa::analysis
