// report.jsonl and the JSON of `vectors` and `bench` as evidence.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "analysis/gate/evidence_load.hpp"
#include "analysis/gate/json_reader.hpp"
#include "analysis/gate/sealed_lines.hpp"
#include "analysis/report/jsonl_reader.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/speed/analyse.hpp"
#include "core/error.hpp"
#include "core/io/byte_file.hpp"
#include "core/io/strict_json.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;
constexpr SealForm kReportForm{
    "summary", "the run did not end; lvsa-verify kernel --resume goes on with it", false};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::kIo, fmt::format("{}: {}", path, what));
}

// The counts of the summary must be those of the lines: reports without a hash have nothing else.
void require_counts(const std::string& path, const std::string& last,
                    const ConformanceEvidence& evidence) {
  const Json summary = parse_strict_ordered_json(last, path, {8, 1000});
  const JsonReader json(summary, path);
  RunSummary counted;
  evidence.cases.for_each([&](const CaseRecord& record) { count(counted, record.status); });
  const auto require = [&](const char* name, std::int64_t found) {
    const std::int64_t stored = json.required(name).integer(0);
    if (stored == found) return;
    fail(path, fmt::format("was edited or cut: its summary counts {} {}, {} stand there", stored,
                           name, found));
  };
  require("cases", static_cast<std::int64_t>(evidence.cases.size()));
  require("passed", counted.passed);
  require("weak", counted.weak);
  require("failed", counted.failed);
  require("unsupported", counted.unsupported);
}

void require_complete(const std::string& path, const ConformanceEvidence& evidence) {
  const std::int64_t due = shard_size(evidence.plan.shard, evidence.plan.cases);
  const auto found = static_cast<std::int64_t>(evidence.cases.size());
  if (found != due) fail(path, fmt::format("holds {} of the {} cases of its run", found, due));
}

PatternFile read_pattern_file(const JsonReader& json) {
  PatternFile file;
  file.file = std::filesystem::path(json.required("file").text()).filename().string();
  file.passed = json.required("passed").integer(0);
  file.failed = json.required("failed").integer(0);
  return file;
}

void read_mismatch(PatternEvidence& evidence, const JsonReader& json) {
  const std::string name = std::filesystem::path(json.required("file").text()).filename().string();
  for (PatternFile& file : evidence.files) {
    if (file.file != name || !file.first_mismatch.empty()) continue;
    constexpr std::size_t kMost = 400;
    file.first_mismatch =
        fmt::format("{} {}: expected {}, got {}", json.required("where").text(),
                    json.required("function").text(), json.required("expected").text(),
                    json.required("got").text());
    if (file.first_mismatch.size() > kMost)
      file.first_mismatch = file.first_mismatch.substr(0, kMost) + "...";
    std::replace(file.first_mismatch.begin(), file.first_mismatch.end(), '\n', ' ');
  }
}

}  // namespace

ConformanceEvidence load_report(const std::string& path) {
  ConformanceEvidence evidence;
  evidence.source = path;
  std::vector<bool> seen;  // by number
  const auto take = [&](std::string_view line, std::int64_t number) {
    if (number > 1) {
      const CaseResult result = parse_json_line(line);
      if (result.number < 1 || result.number > evidence.plan.cases) {
        throw Error(ErrorKind::kIo, fmt::format("case number {}: the run has the cases 1 to {}",
                                                result.number, evidence.plan.cases));
      }
      const auto at = static_cast<std::size_t>(result.number);
      if (at >= seen.size()) seen.resize(at + 1);
      if (seen[at]) {
        throw Error(ErrorKind::kIo,
                    fmt::format("case number {} stands there twice", result.number));
      }
      seen[at] = true;
      evidence.cases.push_back(case_record(result));
      return;
    }
    const RunLine run = parse_run_line(line);
    if (run.plan.empty()) {
      throw Error(ErrorKind::kIo,
                  "says nothing of what was to be run: written by an older lvsa-verify");
    }
    evidence.plan = parse_plan_json(run.plan);
    evidence.provenance = run.provenance;
  };
  const std::string last = read_sealed_lines(path, kReportForm, take);
  require_counts(path, last, evidence);
  require_complete(path, evidence);
  return evidence;
}

PatternEvidence load_patterns(const std::string& path) {
  PatternEvidence evidence;
  evidence.source = path;
  const Json parsed =
      parse_strict_ordered_json(read_small_file(path, kMostBytes), path, {8, 10'000'000});
  const JsonReader json(parsed, path);
  for (const JsonReader& file : json.required("files").elements()) {
    evidence.files.push_back(read_pattern_file(file));
  }
  for (const JsonReader& mismatch : json.required("mismatches").elements()) {
    read_mismatch(evidence, mismatch);
  }
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  for (const PatternFile& file : evidence.files) {
    passed += file.passed;
    failed += file.failed;
  }
  if (passed != json.required("passed").integer(0) ||
      failed != json.required("failed").integer(0)) {
    fail(path, "was edited: its files do not add up to its totals");
  }
  if (const auto provenance = json.member("provenance")) {
    for (const auto& [name, value] : provenance->members()) {
      evidence.provenance.emplace_back(name, value.text());
    }
  }
  return evidence;
}

// Verdicts follow from the ratios beside them, so they are made again: an edited one shows.
SpeedEvidence load_speed(const std::string& path) {
  const SpeedComparison stored = read_speed_file(path);
  SpeedComparison again = stored;
  analyse_speed(again);
  SpeedEvidence evidence;
  evidence.source = path;
  evidence.provenance = stored.provenance;
  evidence.device = stored.device;
  evidence.kernel_a = stored.a.option;
  evidence.kernel_b = stored.b.option;
  evidence.library_b = stored.b.library;
  for (std::size_t i = 0; i < stored.cases.size(); ++i) {
    const SpeedCase& c = stored.cases[i];
    if (again.cases.at(i).verdict != c.verdict) {
      fail(path, fmt::format("was edited, or written by another version: {} stands at '{}', and "
                             "its ratios give {}",
                             speed_verdict_name(c.verdict), one_line(c.line),
                             speed_verdict_name(again.cases[i].verdict)));
    }
    evidence.rows.push_back(
        {c.line, c.verdict, c.ratio.median, c.ratio.low, c.ratio.high, c.delta, c.reason});
  }
  return evidence;
}

}  // namespace lvsa::analysis
