#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "analysis/gate/baseline_file.hpp"
#include "analysis/report/line_hash.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (!std::isfinite(value)) return number_text(value);
  return value;
}

Json provenance_json(const Provenance& provenance) {
  Json json = Json::object();
  for (const auto& [name, value] : provenance) json[name] = valid_utf8(value);
  return json;
}

void put(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

void put(Json& json, const char* name, const BoundFigure& figure) {
  if (figure.checked == 0 && figure.unwritten == 0) return;
  Json made = {{"checked", figure.checked}, {"worst_ratio", number(figure.worst_ratio)}};
  if (figure.failed != 0) made["failed"] = figure.failed;
  if (figure.unwritten != 0) made["unwritten"] = figure.unwritten;
  put(made, "place", figure.place);
  json[name] = std::move(made);
}

Json hash_json(std::uint64_t hash) { return hash == 0 ? Json() : Json(hash_text(hash)); }

// Names of checks that hold; pairs of name and message for the others.
void put_checks(Json& json, const std::vector<NamedCheck>& checks) {
  Json holds = Json::array();
  Json fails = Json::array();
  Json others = Json::array();
  for (const NamedCheck& check : checks) {
    const std::string name = valid_utf8(check.name);
    if (check.state == CheckState::kHolds) {
      holds.push_back(name);
    } else {
      Json& list = check.state == CheckState::kFails ? fails : others;
      list.push_back(Json::array({name, valid_utf8(check.message)}));
    }
  }
  if (!holds.empty()) json["holds"] = std::move(holds);
  if (!fails.empty()) json["fails"] = std::move(fails);
  if (!others.empty()) json["not_applicable"] = std::move(others);
}

Json case_json(const CaseRecord& record) {
  Json json = {
      {"type", "case"}, {"case", record.line}, {"status", std::string(status_name(record.status))}};
  put(json, "message", record.message);
  put(json, "where", record.where);
  put(json, "suspect", record.suspect);
  put(json, "command", record.command);
  put(json, "replay", record.replay);
  json["inputs"] = Json::array(
      {hash_json(record.inputs.q), hash_json(record.inputs.k), hash_json(record.inputs.v)});
  json["rows"] = record.rows_checked;
  put(json, "output", record.output);
  put(json, "lse", record.lse);
  put(json, "schedule", record.schedule);
  put_checks(json, record.checks);
  return json;
}

Json part_json(const char* type, const std::string& source, const Provenance& provenance) {
  return {
      {"type", type}, {"source", valid_utf8(source)}, {"provenance", provenance_json(provenance)}};
}

using Line = std::function<void(const Json&)>;

void write_part(const ConformanceEvidence& part, const Line& line) {
  Json head = part_json("conformance", part.source, part.provenance);
  head["plan"] = Json::parse(plan_json(part.plan));
  line(head);
  part.cases.for_each([&](const CaseRecord& record) { line(case_json(record)); });
}

void write_part(const PatternEvidence& part, const Line& line) {
  line(part_json("patterns", part.source, part.provenance));
  for (const PatternFile& file : part.files) {
    Json json = {{"type", "file"},
                 {"file", valid_utf8(file.file)},
                 {"passed", file.passed},
                 {"failed", file.failed}};
    put(json, "first_mismatch", valid_utf8(file.first_mismatch));
    line(json);
  }
}

void write_part(const SweepEvidence& part, const Line& line) {
  Json head = part_json("sweep", part.source, part.provenance);
  head["identity"] = valid_utf8(part.identity);
  head["grid"] = part.grid;
  head["rows_per_frame"] = part.rows_per_frame;
  head["excluded"] = part.excluded;
  line(head);
  for (const SweepRow& row : part.rows) {
    Json metrics = Json::object();
    for (const MetricInfo& metric : metric_infos()) {
      metrics[std::string(metric.name)] =
          number(row.values[static_cast<std::size_t>(metric.metric)]);
    }
    line({{"type", "row"},
          {"setting", valid_utf8(row.setting)},
          {"class", valid_utf8(row.sample_class)},
          {"samples", row.samples},
          {"token_density", number(row.token_density)},
          {"metrics", std::move(metrics)}});
  }
}

void write_part(const SpeedEvidence& part, const Line& line) {
  Json head = part_json("speed", part.source, part.provenance);
  head["device"] = valid_utf8(part.device);
  head["a"] = valid_utf8(part.kernel_a);
  head["b"] = valid_utf8(part.kernel_b);
  put(head, "library_b", part.library_b);
  line(head);
  for (const SpeedRow& row : part.rows) {
    Json json = {{"type", "pair"},
                 {"case", valid_utf8(row.line)},
                 {"verdict", std::string(speed_verdict_name(row.verdict))},
                 {"ratio", number(row.ratio)},
                 {"low", number(row.low)},
                 {"high", number(row.high)},
                 {"delta", number(row.delta)}};
    put(json, "reason", valid_utf8(row.reason));
    line(json);
  }
}

void write_lines(const Evidence& evidence, const Provenance& maker,
                 const std::function<void(std::string_view)>& write) {
  LineHash hash;
  std::int64_t lines = 0;
  const auto put_line = [&](const Json& json) {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    hash.add(text);
    ++lines;
    write(text);
    write("\n");
  };
  put_line({{"type", "baseline"},
            {"schema", kBaselineSchema},
            {"tool", "lvsa-verify baseline"},
            {"stored_by", provenance_json(maker)}});
  if (evidence.conformance) write_part(*evidence.conformance, put_line);
  if (evidence.patterns) write_part(*evidence.patterns, put_line);
  if (evidence.sweep) write_part(*evidence.sweep, put_line);
  if (evidence.speed) write_part(*evidence.speed, put_line);
  const Json end = {{"type", "end"}, {"lines", lines}, {"hash", hash_text(hash.value())}};
  write(end.dump() + '\n');
}

}  // namespace

std::string baseline_text(const Evidence& evidence, const Provenance& maker) {
  std::string text;
  write_lines(evidence, maker, [&](std::string_view part) { text += part; });
  return text;
}

void write_baseline(const std::string& path, const Evidence& evidence, const Provenance& maker) {
  AtomicFile file(path);
  write_lines(evidence, maker, [&](std::string_view part) { file.write(part); });
  file.commit();
}

}  // namespace lvsa::analysis
