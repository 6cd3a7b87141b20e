#include "analysis/report/jsonl_reader.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/report/jsonl_report.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void wrong(const char* field, const char* due) {
  throw Error(ErrorKind::kJson, fmt::format("report line: field '{}': {} is due", field, due));
}

const Json& member(const Json& object, const char* field) {
  if (!object.is_object()) wrong(field, "an object around it");
  const auto found = object.find(field);
  if (found == object.end()) wrong(field, "a value");
  return *found;
}

std::string text(const Json& object, const char* field) {
  const Json& value = member(object, field);
  if (!value.is_string()) wrong(field, "a string");
  return value.get<std::string>();
}

std::int64_t as_integer(const Json& value, const char* field) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > kMost) {
    wrong(field, "an integer of 64 bits");
  }
  if (!value.is_number_integer()) wrong(field, "an integer");
  return value.get<std::int64_t>();
}

std::int64_t integer(const Json& object, const char* field) {
  return as_integer(member(object, field), field);
}

// An integer that stands as null where it is `absent`.
std::int64_t integer_or(const Json& object, const char* field, std::int64_t absent) {
  const Json& value = member(object, field);
  return value.is_null() ? absent : as_integer(value, field);
}

double as_number(const Json& value, const char* field) {
  if (value.is_number()) return value.get<double>();
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  wrong(field, "a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

double number(const Json& object, const char* field) {
  return as_number(member(object, field), field);
}

std::uint64_t hash(const Json& object, const char* field) {
  const Json& value = member(object, field);
  if (value.is_null()) return 0;
  const std::string digits = value.is_string() ? value.get<std::string>() : "";
  std::uint64_t parsed = 0;
  const char* end = digits.data() + digits.size();
  if (digits.size() != 16 || std::from_chars(digits.data(), end, parsed, 16).ptr != end) {
    wrong(field, "16 hexadecimal digits");
  }
  return parsed;
}

Tolerance read_tolerance(const Json& object) {
  Tolerance tolerance;
  if (object.is_object() && object.size() > 1) {
    tolerance.p_rounding = number(object, "p_rounding");
    tolerance.scores = number(object, "scores");
    tolerance.accumulation = number(object, "accumulation");
    tolerance.underflow = number(object, "underflow");
  }
  tolerance.total = number(object, "total");
  return tolerance;
}

ElementReport read_element(const Json& object) {
  ElementReport element;
  element.batch = integer(object, "batch");
  element.token = integer(object, "token");
  element.frame = integer_or(object, "frame", -1);
  element.row_in_frame = integer(object, "row_in_frame");
  element.head = integer(object, "head");
  if (object.contains("column")) element.column = integer(object, "column");
  element.expected = number(object, "expected");
  element.got = number(object, "got");
  element.tolerance = read_tolerance(member(object, "tolerance"));
  element.ratio = number(object, "ratio");
  return element;
}

OutputCheck read_check(const Json& json, const char* field) {
  OutputCheck check;
  const Json& object = member(json, field);
  if (object.is_null()) return check;
  check.checked = integer(object, "checked");
  check.failed = integer(object, "failed");
  check.unwritten = integer(object, "unwritten");
  if (member(object, "worst").is_null()) return check;
  check.worst_ratio = number(object, "worst_ratio");
  check.worst = read_element(member(object, "worst"));
  return check;
}

std::vector<NamedCheck> read_named_checks(const Json& json) {
  const Json& list = member(json, "checks");
  if (!list.is_array()) wrong("checks", "an array");
  std::vector<NamedCheck> checks;
  for (const Json& entry : list) {
    const auto state = parse_check_state(text(entry, "state"));
    if (!state) wrong("state", "holds, fails or not applicable");
    checks.push_back({text(entry, "name"), *state, text(entry, "message")});
  }
  return checks;
}

std::vector<double> read_ratios(const Json& json) {
  const Json& list = member(json, "frame_worst_ratio");
  if (!list.is_array()) wrong("frame_worst_ratio", "an array");
  std::vector<double> ratios;
  for (const Json& ratio : list) {
    ratios.push_back(ratio.is_null() ? -1.0 : as_number(ratio, "frame_worst_ratio"));
  }
  return ratios;
}

FrameHeadMap read_frame_heads(const Json& json) {
  FrameHeadMap map;
  const Json& object = member(json, "frame_heads");
  map.frames_per_row = integer(object, "frames_per_row");
  if (map.frames_per_row < 1) wrong("frames_per_row", "an integer from 1");
  const Json& list = member(object, "cells");
  if (!list.is_array()) wrong("cells", "an array");
  for (const Json& cell : list) {
    if (!cell.is_array() || cell.size() != 3) wrong("cells", "[row, head, ratio]");
    map.cells.push_back(
        {as_integer(cell[0], "cells"), as_integer(cell[1], "cells"), as_number(cell[2], "cells")});
  }
  return map;
}

RecoveredMask read_recovered(const Json& json) {
  RecoveredMask mask;
  const Json& object = member(json, "recovered_mask");
  if (object.is_null()) return mask;
  mask.batch = integer(object, "batch");
  mask.head = integer(object, "head");
  const Json& rows = member(object, "rows");
  if (!rows.is_array() || rows.empty()) wrong("rows", "an array of strings");
  for (const Json& row : rows) {
    if (!row.is_string()) wrong("rows", "an array of strings");
    mask.rows.push_back(row.get<std::string>());
  }
  return mask;
}

void read_texts(CaseResult& result, const Json& json) {
  result.line = text(json, "case");
  result.c = parse_case(result.line);
  result.kernel = text(json, "kernel");
  const auto status = parse_status(text(json, "status"));
  if (!status) wrong("status", "pass, weak, fail, error, unsupported, crash or timeout");
  result.status = *status;
  result.message = text(json, "message");
  result.where = text(json, "where");
  result.suspect = text(json, "suspect");
  result.command = text(json, "command");
  result.replay = text(json, "replay");
}

void read_pattern(CaseResult& result, const Json& pattern) {
  result.interval = integer_or(pattern, "interval", 0);
  result.offset = integer(pattern, "offset");
  result.frames_attended_min = integer(pattern, "frames_attended_min");
  result.frames_attended_max = integer(pattern, "frames_attended_max");
  result.density = number(pattern, "density");
}

CaseResult read_result(const Json& json) {
  CaseResult result;
  if (text(json, "type") != "case") wrong("type", "\"case\"");
  result.number = integer(json, "number");
  read_texts(result, json);
  read_pattern(result, member(json, "pattern"));
  const Json& hashes = member(json, "input_hashes");
  result.inputs = {hash(hashes, "q"), hash(hashes, "k"), hash(hashes, "v")};
  result.rows_checked = integer(json, "rows_checked");
  result.weak_rows = integer(json, "weak_rows");
  result.output = read_check(json, "output");
  result.lse = read_check(json, "lse");
  result.schedule = read_check(json, "schedule");
  result.checks = read_named_checks(json);
  result.mean_signal = number(json, "mean_signal");
  result.mean_tolerance = number(json, "mean_tolerance");
  result.frame_worst_ratio = read_ratios(json);
  result.frame_heads = read_frame_heads(json);
  result.recovered = read_recovered(json);
  const Json& timings = member(json, "timings");
  result.timings = {number(timings, "inputs_s"), number(timings, "kernel_s"),
                    number(timings, "oracle_s")};
  result.useful_gflops = number(json, "useful_gflops");
  return result;
}

Json parse(std::string_view line) {
  try {
    return Json::parse(line);
  } catch (const nlohmann::json::exception&) {
    throw Error(ErrorKind::kJson, "no JSON; a line of report.jsonl is due");
  }
}

}  // namespace

CaseResult parse_json_line(std::string_view line) {
  try {
    return read_result(parse(line));
  } catch (const Error& error) {  // a case line that cannot be read is damage, too
    throw Error(ErrorKind::kJson, error.what());
  }
}

RunLine parse_run_line(std::string_view line) {
  const Json json = parse(line);
  if (text(json, "type") != "run") wrong("type", "\"run\"");
  if (integer(json, "schema") != kReportSchema) wrong("schema", "1");
  RunLine run;
  const Json& provenance = member(json, "provenance");
  if (!provenance.is_object()) wrong("provenance", "an object");
  for (const auto& [name, value] : provenance.items()) {
    run.provenance.emplace_back(name, text(provenance, name.c_str()));
  }
  if (const auto plan = json.find("plan"); plan != json.end()) run.plan = plan->dump();
  return run;
}

}  // namespace lvsa::analysis
