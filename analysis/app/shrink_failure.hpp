#pragma once
// A failing case made small and saved, every trial in a process of its own.

#include <string>

#include "analysis/app/kernel_run.hpp"
#include "analysis/verify/result.hpp"
#include "analysis/verify/shrink.hpp"

namespace lvsa::app {

/// What shrinking came to.
struct Shrunk {
  analysis::Case c;         ///< the smallest failing case
  std::int64_t runs = 0;    ///< of the kernel, values not counted
  std::string file;         ///< the replay; empty: none could be written
  std::string why_no_file;  ///< one line then
};

/// Shrinks the case of a failing result and writes its replay to `path`. The kernel runs as
/// `options` say, by default in worker processes. Throws Error when the kernel cannot be loaded.
Shrunk shrink_failure(const analysis::CaseResult& result, const KernelOptions& options,
                      const std::string& path, const analysis::ShrinkBudget& budget);

/// The same by a process of its own, for a run that goes on whatever happens to it. Returns the
/// path, or nothing when there is no replay: the case is too large or too slow to be tried again,
/// or it does not fail twice.
std::string shrink_in_child(const analysis::CaseResult& result, const KernelOptions& options,
                            const std::string& path);

}  // namespace lvsa::app
