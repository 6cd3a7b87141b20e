#include "analysis/report/jsonl_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/report/line_hash.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no NaN and no infinity; the library would write null, which reads as "not there".
Json number(double value) {
  if (!std::isfinite(value)) return number_text(value);
  return value;
}

Json tolerance_json(const Tolerance& tolerance) {
  return {{"p_rounding", number(tolerance.p_rounding)},
          {"scores", number(tolerance.scores)},
          {"accumulation", number(tolerance.accumulation)},
          {"underflow", number(tolerance.underflow)},
          {"total", number(tolerance.total)}};
}

Json element_json(const ElementReport& element, bool has_column) {
  Json json = {{"batch", element.batch},
               {"token", element.token},
               {"frame", element.frame >= 0 ? Json(element.frame) : Json()},
               {"row_in_frame", element.row_in_frame},
               {"head", element.head}};
  if (has_column) json["column"] = element.column;
  json["expected"] = number(element.expected);
  json["got"] = number(element.got);
  const Tolerance& t = element.tolerance;
  const bool has_terms =
      t.p_rounding != 0.0 || t.scores != 0.0 || t.accumulation != 0.0 || t.underflow != 0.0;
  json["tolerance"] =
      has_column || has_terms ? tolerance_json(t) : Json{{"total", number(t.total)}};
  json["ratio"] = number(element.ratio);
  return json;
}

Json check_json(const OutputCheck& check, bool has_column) {
  // A kernel without log-sum-exp, or a case that never ran.
  if (check.checked == 0 && check.unwritten == 0) return nullptr;
  Json json = {{"checked", check.checked},
               {"failed", check.failed},
               {"unwritten", check.unwritten},
               {"worst_ratio", nullptr},
               {"worst", nullptr}};
  if (check.checked > 0) {
    json["worst_ratio"] = number(check.worst_ratio);
    json["worst"] = element_json(check.worst, has_column);
  }
  return json;
}

Json sizes_json(const Case& c) {
  return {{"frames", c.grid.frames},
          {"patches_per_frame", c.grid.patches_per_frame},
          {"text_tokens", c.grid.text_tokens},
          {"batch", c.batch},
          {"heads", c.heads},
          {"kv_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"dtype", dtype_name(c.dtype)}};
}

Json pattern_json(const CaseResult& result) {
  return {{"step", result.c.step},
          {"interval", result.interval > 0 ? Json(result.interval) : Json()},
          {"offset", result.offset},
          {"frames_attended_min", result.frames_attended_min},
          {"frames_attended_max", result.frames_attended_max},
          {"density", number(result.density)}};
}

Json timings_json(const Timings& timings) {
  return {{"inputs_s", number(timings.inputs_s)},
          {"kernel_s", number(timings.kernel_s)},
          {"oracle_s", number(timings.oracle_s)}};
}

Json checks_json(const std::vector<NamedCheck>& checks) {
  Json list = Json::array();
  for (const NamedCheck& check : checks) {
    list.push_back({{"name", valid_utf8(check.name)},
                    {"state", check_state_name(check.state)},
                    {"message", valid_utf8(check.message)}});
  }
  return list;
}

Json hash_json(std::uint64_t hash) {
  return hash == 0 ? Json() : Json(fmt::format("{:016x}", hash));
}

Json inputs_json(const InputHashes& inputs) {
  return {{"q", hash_json(inputs.q)}, {"k", hash_json(inputs.k)}, {"v", hash_json(inputs.v)}};
}

Json frame_ratios_json(const std::vector<double>& ratios) {
  Json list = Json::array();
  for (const double ratio : ratios) list.push_back(ratio < 0 ? Json() : number(ratio));
  return list;
}

// Triples, since most cases check few of the cells.
Json frame_heads_json(const FrameHeadMap& map) {
  Json cells = Json::array();
  for (const FrameHeadCell& cell : map.cells) {
    cells.push_back(Json::array({cell.row, cell.head, number(cell.ratio)}));
  }
  return {{"frames_per_row", map.frames_per_row}, {"cells", std::move(cells)}};
}

Json recovered_json(const RecoveredMask& mask) {
  if (mask.rows.empty()) return nullptr;
  return {{"batch", mask.batch}, {"head", mask.head}, {"rows", mask.rows}};
}

// Texts have gone through valid_utf8(), which replaces byte by byte; what is left is replaced here
// instead of an exception.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string run_json_line(const Provenance& provenance, const std::string& plan) {
  Json json = {{"type", "run"}, {"schema", kReportSchema}, {"tool", "lvsa-verify kernel"}};
  Json& values = json["provenance"] = Json::object();
  for (const auto& [name, value] : provenance) values[name] = valid_utf8(value);
  if (!plan.empty()) json["plan"] = Json::parse(plan);
  return dump(json);
}

std::string to_json_line(const CaseResult& result) {
  return dump({{"type", "case"},
               {"number", result.number},
               {"case", valid_utf8(result.line)},
               {"kernel", valid_utf8(result.kernel)},
               {"status", status_name(result.status)},
               {"message", valid_utf8(result.message)},
               {"where", valid_utf8(result.where)},
               {"suspect", valid_utf8(result.suspect)},
               {"command", valid_utf8(result.command)},
               {"replay", valid_utf8(result.replay)},
               {"model", valid_utf8(result.c.model)},
               {"sizes", sizes_json(result.c)},
               {"input", input_name(result.c.input)},
               {"input_hashes", inputs_json(result.inputs)},
               {"pattern", pattern_json(result)},
               {"rows_checked", result.rows_checked},
               {"weak_rows", result.weak_rows},
               {"output", check_json(result.output, true)},
               {"lse", check_json(result.lse, false)},
               {"schedule", check_json(result.schedule, true)},
               {"checks", checks_json(result.checks)},
               {"mean_signal", number(result.mean_signal)},
               {"mean_tolerance", number(result.mean_tolerance)},
               {"frame_worst_ratio", frame_ratios_json(result.frame_worst_ratio)},
               {"frame_heads", frame_heads_json(result.frame_heads)},
               {"recovered_mask", recovered_json(result.recovered)},
               {"timings", timings_json(result.timings)},
               {"useful_gflops", number(result.useful_gflops)}});
}

std::string summary_json_line(const RunSummary& summary, const Timings& total, std::uint64_t hash) {
  Json json = {{"type", "summary"},
               {"cases", summary.passed + summary.failed + summary.unsupported},
               {"passed", summary.passed},
               {"weak", summary.weak},
               {"failed", summary.failed},
               {"unsupported", summary.unsupported},
               {"timings", timings_json(total)}};
  if (hash != 0) json["hash"] = hash_json(hash);
  return dump(json);
}

std::string jsonl_report(const std::vector<CaseResult>& results, const Provenance& provenance,
                         const RunSummary& summary) {
  std::string text;
  LineHash hash;
  const auto add = [&](const std::string& line) {
    hash.add(line);
    text += line + '\n';
  };
  add(run_json_line(provenance));
  for (const CaseResult& result : results) add(to_json_line(result));
  text += summary_json_line(summary, total_timings(results), hash.value()) + '\n';
  return text;
}

}  // namespace lvsa::analysis
