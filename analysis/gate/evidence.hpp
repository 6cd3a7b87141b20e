#pragma once
// What a gate compares: the verdicts and figures of a run, without what a comparison does not need.
// Comes from the files that `kernel`, `vectors`, `sweep` and `bench` write (evidence_load.hpp) or
// from a baseline (baseline_file.hpp), which holds the same.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/gate/case_records.hpp"
#include "analysis/report/provenance.hpp"
#include "analysis/run/plan.hpp"
#include "analysis/speed/speed_result.hpp"
#include "analysis/sweep/metrics.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

struct ConformanceEvidence {
  std::string source;  ///< file that it was read from
  Provenance provenance;
  RunPlan plan;
  CaseRecords cases;
};

/// Recorded calls of pattern functions, replayed by `vectors`.
struct PatternFile {
  std::string file;  ///< without its folders
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::string first_mismatch;  ///< "where: function: got .., due .."; empty: none
};
struct PatternEvidence {
  std::string source;
  Provenance provenance;
  std::vector<PatternFile> files;
};

/// A sweep's metrics pooled over the samples of a class; "all" stands for all of them.
struct SweepRow {
  std::string setting;  ///< setting_words()
  std::string sample_class;
  std::int64_t samples = 0;
  double token_density = 1.0;
  MetricValues values{};
};
struct SweepEvidence {
  std::string source;
  Provenance provenance;
  std::string identity;  ///< of the tensors
  std::string grid;      ///< "T=13 P=65 text=0"
  std::int64_t rows_per_frame = 0;
  std::int64_t excluded = 0;  ///< samples that could not be used
  std::vector<SweepRow> rows;
};

/// One case of a paired comparison of two kernels, B over A.
struct SpeedRow {
  std::string line;
  SpeedVerdict verdict = SpeedVerdict::kUndecided;
  double ratio = 1.0;  ///< time of B over that of A
  double low = 1.0;    ///< its interval
  double high = 1.0;
  double delta = 0.0;  ///< what counts as a difference
  std::string reason;  ///< why it is undecided; may be empty
};
struct SpeedEvidence {
  std::string source;
  Provenance provenance;
  std::string device;
  std::string kernel_a;
  std::string kernel_b;
  std::string library_b;  ///< hash of its file, 16 hexadecimal digits; empty: built in
  std::vector<SpeedRow> rows;
};

/// What is known of one run, or of several that belong together. At least one part is there.
struct Evidence {
  std::string name;  ///< of the file or folder, for messages
  std::optional<ConformanceEvidence> conformance;
  std::optional<PatternEvidence> patterns;
  std::optional<SweepEvidence> sweep;
  std::optional<SpeedEvidence> speed;
};

/// The record of a case. Commands and places of passing cases are left out where a gate has no use
/// for them.
CaseRecord case_record(const CaseResult& result);

/// The value of a name in a provenance; empty where it has none.
std::string provenance_value(const Provenance& provenance, std::string_view name);
/// Processor and GPUs of a run, each once: what the `device` of a waiver is held against.
std::vector<std::string> devices(const Evidence& evidence);

}  // namespace lvsa::analysis
