#pragma once
// A baseline: evidence with its provenance in one file that describes itself. JSON lines, one a
// case, so that version control shows what changed. docs/gate.md has the form.

#include <string>

#include "analysis/gate/evidence.hpp"

namespace lvsa::analysis {

/// Grows when a field changes its meaning or goes away; new fields leave it as it is.
inline constexpr int kBaselineSchema = 1;

/// The whole file as text. `maker` says who stored it (collect_provenance()).
std::string baseline_text(const Evidence& evidence, const Provenance& maker);
/// Throws Error(kIo); the file is there whole or not at all.
void write_baseline(const std::string& path, const Evidence& evidence, const Provenance& maker);

/// Whether the file begins as a baseline does.
bool is_baseline(const std::string& path);
/// Throws Error(kIo or kJson) in one line that names path, line and what is wrong: another schema,
/// truncated, edited (its hash does not fit), a damaged line.
Evidence read_baseline(const std::string& path);

}  // namespace lvsa::analysis
