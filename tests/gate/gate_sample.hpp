#pragma once
// Evidence for tests: small, made up, and at random.

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "analysis/gate/evidence.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {

using test_support::refusal_of;

inline CaseRecord sample_case(int number) {
  CaseRecord record;
  record.line = "T=13 P=5 H=2 D=64 dtype=bf16 seed=" + std::to_string(number);
  record.inputs = {1, 2, static_cast<std::uint64_t>(number) + 3};
  record.rows_checked = 64;
  record.output = {4096, 0, 0, 0.05, "batch 0, token 7 (frame 1, row 2 of it), head 1, column 3"};
  record.lse = {64, 0, 0, 0.01, ""};
  record.checks = {{"own-strides", CheckState::kHolds, ""},
                   {"alignment", CheckState::kHolds, ""},
                   {"far", CheckState::kNotApplicable, "too small"}};
  return record;
}

inline ConformanceEvidence sample_conformance(int cases) {
  ConformanceEvidence evidence;
  evidence.source = "report.jsonl";
  evidence.provenance = {{"version", "0.1.0"}, {"commit", "abc"}, {"cpu", "Some CPU"}};
  evidence.plan.tool = "0.1.0 (abc)";
  evidence.plan.kernel = "cpu";
  evidence.plan.suite = "smoke";
  evidence.plan.cases = cases;
  evidence.plan.suite_hash = 99;
  evidence.plan.options = {{"--relations", "auto"}};
  for (int i = 0; i < cases; ++i) evidence.cases.push_back(sample_case(i));
  return evidence;
}

inline PatternEvidence sample_patterns() {
  PatternEvidence evidence;
  evidence.source = "vectors.json";
  evidence.provenance = {{"version", "0.1.0"}};
  evidence.files = {{"pattern_vectors.ndjson.gz", 100, 0, ""}, {"attention.h5", 7, 0, ""}};
  return evidence;
}

inline SweepEvidence sample_sweep() {
  SweepEvidence evidence;
  evidence.source = "sweep.h5";
  evidence.provenance = {{"version", "0.1.0"}};
  evidence.identity = "synthetic words";
  evidence.grid = "T=13 P=5 text=0";
  evidence.rows_per_frame = 8;
  for (const char* name : {"all", "spatial", "temporal"}) {
    for (const char* setting : {"W=3 scale=1", "W=4 scale=1"}) {
      SweepRow row{setting, name, 12, 0.25, {}};
      row.values.fill(0.5);
      evidence.rows.push_back(row);
    }
  }
  return evidence;
}

inline SpeedEvidence sample_speed() {
  SpeedEvidence evidence;
  evidence.source = "bench.json";
  evidence.provenance = {{"version", "0.1.0"}};
  evidence.device = "Some CPU, 2 threads";
  evidence.kernel_a = "cpu";
  evidence.kernel_b = "./libmine.so";
  evidence.library_b = "0123456789abcdef";
  evidence.rows = {{"T=21 P=64 D=64", SpeedVerdict::kSame, 1.0, 0.99, 1.01, 0.03, ""},
                   {"T=33 P=64 D=64", SpeedVerdict::kSame, 1.0, 0.98, 1.02, 0.03, ""}};
  return evidence;
}

inline Evidence sample_evidence(int cases = 4) {
  Evidence evidence;
  evidence.name = "sample";
  evidence.conformance = sample_conformance(cases);
  evidence.patterns = sample_patterns();
  evidence.sweep = sample_sweep();
  evidence.speed = sample_speed();
  return evidence;
}

inline std::string any_word() {
  return *rc::gen::elementOf(std::vector<std::string>{"", "plain", "two words", "\"quoted\" \\ *?",
                                                      "gr\xC3\xBC\xC3\x9F", "a,b:c%d", "<&>"});
}

inline double any_ratio() {
  return *rc::gen::elementOf(std::vector<double>{0.0, 1e-9, 0.02, 0.1, 0.7, 1.0, 1.5, 1e30});
}

inline BoundFigure any_figure() {
  BoundFigure figure;
  if (*rc::gen::inRange(0, 3) == 0) return figure;
  figure.checked = *rc::gen::inRange<std::int64_t>(1, 1000);
  figure.failed = *rc::gen::inRange(0, 4) == 0 ? *rc::gen::inRange<std::int64_t>(1, 5) : 0;
  figure.unwritten = *rc::gen::inRange(0, 8) == 0 ? 3 : 0;
  figure.worst_ratio = any_ratio();
  figure.place = any_word();
  return figure;
}

inline CaseRecord any_case(int number) {
  CaseRecord record = sample_case(number);
  record.status = *rc::gen::elementOf(
      std::vector<Status>{Status::kPass, Status::kPass, Status::kPass, Status::kWeak, Status::kFail,
                          Status::kError, Status::kUnsupported, Status::kCrash, Status::kTimeout});
  record.message = any_word();
  record.where = any_word();
  record.suspect = any_word();
  record.command = any_word();
  record.replay = any_word();
  record.output = any_figure();
  record.lse = any_figure();
  record.schedule = any_figure();
  record.checks.clear();
  for (const char* name : {"own-strides", "alignment", "far"}) {
    const auto state = *rc::gen::elementOf(std::vector<CheckState>{
        CheckState::kHolds, CheckState::kFails, CheckState::kNotApplicable});
    record.checks.push_back({name, state, state == CheckState::kHolds ? "" : any_word()});
  }
  return record;
}

/// Any parts, any verdicts; at least the conformance part.
inline Evidence any_evidence() {
  Evidence evidence;
  evidence.name = "any";
  evidence.conformance = sample_conformance(0);
  const int cases = *rc::gen::inRange(1, 8);
  // Some lines stand twice.
  for (int i = 0; i < cases; ++i) evidence.conformance->cases.push_back(any_case(i / 2 * 2));
  evidence.conformance->plan.cases = cases;
  if (*rc::gen::arbitrary<bool>()) {
    evidence.patterns = sample_patterns();
    evidence.patterns->files[0].failed = *rc::gen::inRange<std::int64_t>(0, 3);
    evidence.patterns->files[0].first_mismatch = any_word();
  }
  if (*rc::gen::arbitrary<bool>()) {
    evidence.sweep = sample_sweep();
    for (SweepRow& row : evidence.sweep->rows) {
      for (double& value : row.values) value = any_ratio();
    }
  }
  if (*rc::gen::arbitrary<bool>()) {
    evidence.speed = sample_speed();
    for (SpeedRow& row : evidence.speed->rows) {
      row.verdict = *rc::gen::elementOf(std::vector<SpeedVerdict>{
          SpeedVerdict::kFaster, SpeedVerdict::kSame, SpeedVerdict::kUndecided});
      row.reason = any_word();
    }
  }
  return evidence;
}

}  // namespace lvsa::analysis
