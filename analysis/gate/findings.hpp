#pragma once
// What a gate found.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/sorted_lines.hpp"

namespace lvsa::analysis {

enum class Area { kConformance, kPatterns, kSweep, kSpeed, kWaivers };
/// "conformance", "patterns", "sweep", "speed", "waivers".
std::string_view area_name(Area area);

/// What a finding means for the outcome, worst first.
enum class Weight {
  kFailure,       ///< of correctness or quality
  kSpeedFailure,  ///< slower
  kUndecided,     ///< no verdict on speed
  kNote,          ///< reported only: new cases, improvements, what failed before
};
/// "failure", "slower", "undecided", "note".
std::string_view weight_name(Weight weight);

struct GateFinding {
  Weight weight = Weight::kFailure;
  Area area = Area::kConformance;
  std::string subject;     ///< case line, file, or setting and class; empty: the run as a whole
  std::string check;       ///< what a waiver's `check` is held against: "output", "missing", ...
  std::string what;        ///< one line
  std::string where;       ///< one line: batch, frame, tile, head; may be empty
  std::string command;     ///< repeats it; may be empty
  bool crash = false;      ///< the kernel ended its process or hung
  bool must_pass = false;  ///< no waiver covers it
  std::string waived;      ///< why it does not count: reason, owner and expiry; empty: it counts
  std::string group;       ///< setting of a sweep, whose findings are shown together; else empty
  double excess = 0.0;  ///< in a group: how bad, as a multiple of what is allowed; may be infinite
  bool operator==(const GateFinding&) const = default;
};

/// What was compared, or is missing.
struct Subject {
  Area area = Area::kConformance;
  std::string name;
};

enum class GateVerdict { kPass, kFailed, kSlower, kUndecided };

struct GateResult {
  std::vector<GateFinding> findings;              ///< sorted: by weight, area, subject, check
  std::vector<Subject> subjects;                  ///< of the candidate, all areas but the next
  std::shared_ptr<const SortedLines> case_lines;  ///< of its cases; null: none
  std::int64_t compared = 0;                      ///< that stand in both
  std::string baseline;                           ///< name and provenance in a line
  std::string candidate;
  std::vector<std::string> remarks;  ///< what differs and does not matter: commit, machine

  /// Cases of the candidate: suites, files, settings, pairs.
  std::int64_t cases() const {
    return static_cast<std::int64_t>(subjects.size()) + (case_lines ? case_lines->size() : 0);
  }
  /// Findings that count, of a weight.
  std::int64_t count(Weight weight) const;
  std::int64_t waived() const;
  /// Correctness outranks speed, speed outranks what is undecided.
  GateVerdict verdict() const;
};

/// 0 pass, 1 failed, 3 slower, 4 undecided (0 unless `strict`).
int exit_code(GateVerdict verdict, bool strict);

void sort_findings(std::vector<GateFinding>& findings);

}  // namespace lvsa::analysis
