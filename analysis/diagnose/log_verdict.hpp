#pragma once
// What a log means: whether each request engaged, what contradicts itself, how memory and step
// times go, and the verdict and mend of diagnose() for what the log says of the run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/diagnose/diagnosis.hpp"
#include "analysis/diagnose/log_timeline.hpp"

namespace lvsa::analysis {

/// What is known besides the log.
struct LogContext {
  Environment environment;           ///< LVSA_* variables of the run
  std::optional<Version> version;    ///< unset: as the log's texts have it, else 1.3
  std::optional<ModelPreset> model;  ///< unset: found out from hooks and blocks
  ParallelDegrees degrees;
  std::vector<std::string> notes;  ///< on how these came about; become remarks
};

struct LogFinding {
  bool bad = true;  ///< false: a remark
  std::string kind;
  std::string message;    ///< one line
  std::string mend;       ///< what would help; may be empty
  std::int64_t line = 0;  ///< 0: of the log as a whole
  std::string source;
};

/// Memory over the steps of one rank. Growth counts when it is beyond 2 % and 0.1 GB, lasts, and
/// the last quarter lies above the first one.
struct MemoryTrend {
  std::string source;
  std::int64_t samples = 0;
  double first_gb =
      0.0;  ///< medians of the first and the last quarter, the first two samples apart
  double last_gb = 0.0;
  double peak_gb = 0.0;
  double mb_per_step = 0.0;  ///< slope of the least-squares line
  bool grows = false;
};

/// Step times of one request: medians of the first and the last quarter, the first step apart.
struct TimeTrend {
  std::string source;
  std::size_t source_index = 0;
  std::size_t request = 0;  ///< index among the source's requests
  std::int64_t number = 0;  ///< from 1, without warm-ups
  std::int64_t steps = 0;
  double first_s = 0.0;
  double last_s = 0.0;
  double median_s = 0.0;
  std::int64_t jump_step = -1;  ///< where they rise at once, if they do
  bool grows = false;           ///< by more than 15 %
};

struct RequestVerdict {
  std::size_t source = 0;
  std::size_t request = 0;
  std::int64_t number = 0;  ///< from 1, without warm-ups
  Verdict verdict = Verdict::kUnknown;
  std::string reason;  ///< one line
};

struct LogVerdict {
  Verdict verdict = Verdict::kUnknown;  ///< of the worst request
  std::string headline;
  std::vector<RequestVerdict> requests;  ///< without warm-ups
  std::vector<LogFinding> findings;      ///< the bad ones first
  std::vector<MemoryTrend> memory;
  std::vector<TimeTrend> times;
  std::string model;  ///< preset that is assumed; empty: none
  std::string model_reason;
  Version version = Version::k1_3;
  /// Of the worst request, where the log says enough and diagnose() speaks of the same.
  std::optional<Diagnosis> diagnosis;
};

MemoryTrend memory_trend(const LogSource& source);
TimeTrend time_trend(const LogSource& source, std::size_t request);

/// Throws what diagnose() throws for settings that are none; what a log says never throws.
LogVerdict judge_log(const LogFacts& facts, const LogContext& context);

/// "FILE: no line of LVSA in N lines ..." for a log without one. Throws Error(kValue) with that.
void require_known_lines(const LogFacts& facts, const std::string& path);

}  // namespace lvsa::analysis
