#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>

#include "analysis/gate/baseline_file.hpp"
#include "analysis/gate/json_reader.hpp"
#include "analysis/gate/sealed_lines.hpp"
#include "core/error.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr JsonLimits kLineLimits{8, 200'000};
constexpr SealForm kForm{"end", "its last line, with the hash, is missing", true};
constexpr std::string_view kBegin = "{\"type\":\"baseline\"";

std::string text_or_empty(const JsonReader& json, std::string_view key) {
  const auto value = json.member(key);
  return value ? value->text() : "";
}

std::int64_t count_or_zero(const JsonReader& json, std::string_view key) {
  const auto value = json.member(key);
  return value ? value->integer(0) : 0;
}

Provenance read_provenance(const JsonReader& json) {
  Provenance provenance;
  for (const auto& [name, value] : json.members()) provenance.emplace_back(name, value.text());
  return provenance;
}

BoundFigure read_figure(const JsonReader& json, std::string_view key) {
  BoundFigure figure;
  const auto value = json.member(key);
  if (!value) return figure;
  figure.checked = value->required("checked").integer(0);
  figure.worst_ratio = value->required("worst_ratio").any_number();
  figure.failed = count_or_zero(*value, "failed");
  figure.unwritten = count_or_zero(*value, "unwritten");
  figure.place = text_or_empty(*value, "place");
  return figure;
}

std::uint64_t read_hash(const JsonReader& json) {
  if (json.is_null()) return 0;
  const std::string digits = json.text();
  std::uint64_t hash = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, hash, 16);
  if (digits.size() != 16 || read.ec != std::errc() || read.ptr != end) {
    json.wrong("16 hexadecimal digits");
  }
  return hash;
}

void read_checks(std::vector<NamedCheck>& checks, const JsonReader& json, std::string_view key,
                 CheckState state) {
  const auto list = json.member(key);
  if (!list) return;
  for (const JsonReader& element : list->elements()) {
    if (state == CheckState::kHolds) {
      checks.push_back({element.text(), state, ""});
      continue;
    }
    const std::vector<JsonReader> pair = element.elements();
    if (pair.size() != 2) element.wrong("[name, message]");
    checks.push_back({pair[0].text(), state, pair[1].text()});
  }
}

CaseRecord read_case(const JsonReader& json) {
  CaseRecord record;
  record.line = json.required("case").text();
  const auto status = parse_status(json.required("status").text());
  if (!status)
    json.required("status").wrong("pass, weak, fail, error, unsupported, crash, timeout");
  record.status = *status;
  record.message = text_or_empty(json, "message");
  record.where = text_or_empty(json, "where");
  record.suspect = text_or_empty(json, "suspect");
  record.command = text_or_empty(json, "command");
  record.replay = text_or_empty(json, "replay");
  const std::vector<JsonReader> hashes = json.required("inputs").elements();
  if (hashes.size() != 3) json.required("inputs").wrong("[q, k, v]");
  record.inputs = {read_hash(hashes[0]), read_hash(hashes[1]), read_hash(hashes[2])};
  record.rows_checked = json.required("rows").integer(0);
  record.output = read_figure(json, "output");
  record.lse = read_figure(json, "lse");
  record.schedule = read_figure(json, "schedule");
  read_checks(record.checks, json, "holds", CheckState::kHolds);
  read_checks(record.checks, json, "fails", CheckState::kFails);
  read_checks(record.checks, json, "not_applicable", CheckState::kNotApplicable);
  return record;
}

PatternFile read_file_line(const JsonReader& json) {
  return {json.required("file").text(), json.required("passed").integer(0),
          json.required("failed").integer(0), text_or_empty(json, "first_mismatch")};
}

SweepRow read_row(const JsonReader& json) {
  SweepRow row;
  row.setting = json.required("setting").text();
  row.sample_class = json.required("class").text();
  row.samples = json.required("samples").integer(0);
  row.token_density = json.required("token_density").any_number();
  const JsonReader metrics = json.required("metrics");
  for (const MetricInfo& metric : metric_infos()) {
    // A metric of a later version: not known in this file.
    const auto value = metrics.member(metric.name);
    row.values[static_cast<std::size_t>(metric.metric)] =
        value ? value->any_number() : std::numeric_limits<double>::quiet_NaN();
  }
  return row;
}

SpeedRow read_pair(const JsonReader& json) {
  SpeedRow row;
  row.line = json.required("case").text();
  const auto verdict = parse_speed_verdict(json.required("verdict").text());
  if (!verdict) json.required("verdict").wrong("FASTER, SAME, SLOWER or UNDECIDED");
  row.verdict = *verdict;
  row.ratio = json.required("ratio").any_number();
  row.low = json.required("low").any_number();
  row.high = json.required("high").any_number();
  row.delta = json.required("delta").any_number();
  row.reason = text_or_empty(json, "reason");
  return row;
}

// Before the hash: another version may hash in another way.
void require_schema(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  if (!file || !std::getline(file, line)) {
    throw Error(ErrorKind::kIo, fmt::format("{}: cannot be read as a baseline", path));
  }
  const Json header = parse_strict_ordered_json(line, path + ":1", kLineLimits);
  const JsonReader json(header, path + ":1");
  if (json.required("type").text() != "baseline") json.required("type").wrong("\"baseline\"");
  const std::int64_t schema = json.required("schema").integer(0);
  if (schema == kBaselineSchema) return;
  throw Error(ErrorKind::kIo,
              fmt::format("{}: is a baseline of schema {}, this lvsa-verify reads {}; store it "
                          "anew with this one",
                          path, schema, kBaselineSchema));
}

// Takes the lines one by one.
class Reader {
 public:
  explicit Reader(Evidence& evidence) : evidence_(evidence) {}

  void take(std::string_view line, std::int64_t number) {
    const Json parsed = parse_strict_ordered_json(line, "JSON line", kLineLimits);
    const JsonReader json(parsed, "");
    const std::string type = json.required("type").text();
    if (number == 1) return;  // looked at before the hash
    if (type == "case" || type == "file" || type == "row" || type == "pair") {
      take_entry(json, type);
    } else {
      take_part(json, type);
    }
  }

 private:
  template <typename Part>
  Part& new_part(std::optional<Part>& part, const JsonReader& json) {
    if (part) json.required("type").fail("stands there twice");
    part.emplace();
    part->source = json.required("source").text();
    part->provenance = read_provenance(json.required("provenance"));
    return *part;
  }

  void take_part(const JsonReader& json, const std::string& type) {
    part_ = type;
    if (type == "conformance") {
      ConformanceEvidence& part = new_part(evidence_.conformance, json);
      part.plan = parse_plan_json(json.required("plan").dumped());
    } else if (type == "patterns") {
      new_part(evidence_.patterns, json);
    } else if (type == "sweep") {
      SweepEvidence& sweep = new_part(evidence_.sweep, json);
      sweep.identity = json.required("identity").text();
      sweep.grid = json.required("grid").text();
      sweep.rows_per_frame = json.required("rows_per_frame").integer(0);
      sweep.excluded = json.required("excluded").integer(0);
    } else if (type == "speed") {
      SpeedEvidence& speed = new_part(evidence_.speed, json);
      speed.device = json.required("device").text();
      speed.kernel_a = json.required("a").text();
      speed.kernel_b = json.required("b").text();
      speed.library_b = text_or_empty(json, "library_b");
    } else {
      json.required("type").wrong("conformance, patterns, sweep, speed, case, file, row or pair");
    }
  }

  void take_entry(const JsonReader& json, const std::string& type) {
    if (type == "case" && part_ == "conformance") {
      evidence_.conformance->cases.push_back(read_case(json));
    } else if (type == "file" && part_ == "patterns") {
      evidence_.patterns->files.push_back(read_file_line(json));
    } else if (type == "row" && part_ == "sweep") {
      evidence_.sweep->rows.push_back(read_row(json));
    } else if (type == "pair" && part_ == "speed") {
      evidence_.speed->rows.push_back(read_pair(json));
    } else {
      json.required("type").fail(fmt::format("a line '{}' belongs into another part", type));
    }
  }

  Evidence& evidence_;
  std::string part_;
};

}  // namespace

bool is_baseline(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(kBegin.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return file.gcount() == static_cast<std::streamsize>(begin.size()) && begin == kBegin;
}

Evidence read_baseline(const std::string& path) {
  require_schema(path);
  Evidence evidence;
  evidence.name = path;
  Reader reader(evidence);
  read_sealed_lines(path, kForm,
                    [&](std::string_view line, std::int64_t number) { reader.take(line, number); });
  const bool any = evidence.conformance || evidence.patterns || evidence.sweep || evidence.speed;
  if (!any) throw Error(ErrorKind::kIo, fmt::format("{}: holds no results", path));
  return evidence;
}

}  // namespace lvsa::analysis
