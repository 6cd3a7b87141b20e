#pragma once
// Makes a failing case small: sizes and settings first, then values. Everything goes through a
// callback that says whether a candidate still fails in the same way, so that each trial can run
// in a process of its own.

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/replay_case.hpp"

namespace lvsa::analysis {

struct ShrinkBudget {
  std::int64_t trials = 300;
  double seconds = 15.0;
  /// No trial costs more than this many multiplications of the kernel, by its sizes.
  double products = 0x1p32;
};

/// Multiplications of a kernel that computes all rows, and of the judge, of a case.
double case_products(const Case& c);

/// The smallest case found that fails; `c` itself when nothing smaller does. The same callback
/// answers give the same result, but for the time that runs out.
Case shrink_case(const Case& c, const std::function<bool(const Case&)>& fails,
                 const ShrinkBudget& budget);

/// How a replay is tried: what is due in rows of it as it is, and what fails.
struct ReplayTrial {
  std::function<void(ReplayCase&, const std::vector<reference::RowId>&)> set_rows;
  std::function<ReplayVerdict(const ReplayCase&)> judge;
};
ReplayTrial trial_of(const lvsa_kernel& kernel);

/// Simpler values of the same sizes (zeros, ones, small integers) that still fail, and only a few
/// failing rows. The replay fails its check already, with the rows that it has.
void shrink_values(ReplayCase& replay, const ReplayTrial& trial, const ShrinkBudget& budget);

/// A replay of a case in which a kernel fails a check, as simple as the values can be made; for
/// crashes the case as it is, without running it. Throws Error(kValue) when nothing fails.
ReplayCase smallest_replay(const Case& c, const lvsa_kernel& kernel, const std::string& check,
                           const ShrinkBudget& budget);
/// The same for a replay whose check is set, of these rows; `replay` has none yet.
ReplayCase smallest_replay(ReplayCase replay, std::vector<reference::RowId> rows,
                           const ReplayTrial& trial, const ShrinkBudget& budget);

}  // namespace lvsa::analysis
