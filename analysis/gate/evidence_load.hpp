#pragma once
// Evidence from what the other subcommands write.

#include <string>
#include <vector>

#include "analysis/gate/evidence.hpp"

namespace lvsa::analysis {

/// Each path is a baseline, a report.jsonl of `kernel`, a file of a sweep, the JSON of `bench` or
/// of `vectors --json`, or a folder with some of them under the names report.jsonl, sweep.h5,
/// bench.json and vectors.json. Together they may hold each kind once.
///
/// Throws Error in one line that names the file: none of these, another schema, truncated, edited
/// (the hash does not fit, or verdicts do not follow from the figures beside them), a run that is
/// not finished, a kind twice.
Evidence load_evidence(const std::vector<std::string>& paths);

/// A report.jsonl.
ConformanceEvidence load_report(const std::string& path);
/// What `vectors --json` prints.
PatternEvidence load_patterns(const std::string& path);
SweepEvidence load_sweep(const std::string& path);
SpeedEvidence load_speed(const std::string& path);

}  // namespace lvsa::analysis
