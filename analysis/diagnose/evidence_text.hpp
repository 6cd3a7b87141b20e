#pragma once
// Readings and verdicts in words.

#include <string>
#include <vector>

#include "analysis/diagnose/judge.hpp"

namespace lvsa::analysis {

/// A reading with its models, size and evidence, `share` left at 0.
Reading told_reading(const ReadingFinder& finder, const BareReading& bare, std::int64_t seq_len,
                     const ReadingFinder::Frames& frames);

/// "T=21 x P=2040 (544x960), no text".
std::string brief(const Reading& reading);

/// Why the verdict is what it is, a line each.
std::vector<std::string> verdict_reasons(const Ruling& ruling, const PluginOutcome& plugin,
                                         const std::vector<Reading>& readings,
                                         const std::vector<Contradiction>& contradictions);

}  // namespace lvsa::analysis
