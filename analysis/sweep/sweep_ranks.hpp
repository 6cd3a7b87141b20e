#pragma once
// Units over several processes: rank 0 gives them out one by one, computes some itself, and takes
// the values; who computed a unit leaves no trace in them.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/sweep/rank_link.hpp"
#include "analysis/sweep/sweep_units.hpp"

namespace lvsa::analysis {

using ComputeUnit = std::function<UnitResult(std::int64_t unit)>;

struct RankRoot {
  std::vector<std::int64_t> units;              ///< to be done
  ComputeUnit compute;                          ///< called from a thread of its own
  std::function<void(const UnitResult&)> take;  ///< called from the caller's thread, as they come
  std::function<bool()> stopped;                ///< no more units are given out
};

/// Rank 0's part. `plan` must be that of the other ranks, word by word. False when it was stopped;
/// the units in hand are taken first. Throws the first error of any rank; the others are told to
/// end.
bool serve_ranks(RankLink& link, const std::string& plan, RankRoot root);

/// The other ranks' part: ends when rank 0 says so. Throws Error(kIo) when rank 0's plan is another
/// one.
void compute_for_root(RankLink& link, const std::string& plan, const ComputeUnit& compute);

/// Rank 0's part when it has no units to give out, since it failed before: tells the others to end.
void dismiss_ranks(RankLink& link);

/// Tells rank 0 that this rank cannot take part, and why.
void report_failure(RankLink& link, const std::string& message);

}  // namespace lvsa::analysis
