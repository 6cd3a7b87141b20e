#pragma once
// The page of a sweep: any two figures of its settings against each other, their front, what a
// chosen setting loses and where.

#include <cstddef>
#include <optional>
#include <string>

#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

struct SweepPageOptions {
  Metric metric = Metric::kRelativeL2;  ///< drawn against the token density at first
  std::string requirement;              ///< "recall>=0.95": words for people; empty: none was asked
  std::optional<std::size_t> best;      ///< the setting that meets it best; unset: none does
};

/// The page as text, self-contained. Values of single samples go in as long as there are at most
/// kMostPageValues of them (settings x samples x metrics), the weightier metrics first; the page
/// says what is left out.
std::string html_sweep(const SweepResults& results, const SweepPageOptions& options = {});
inline constexpr std::size_t kMostPageValues = 4'000'000;

/// The same into a file, whole or not at all. Throws Error(kIo) that names the path and the reason.
void write_sweep_page(const SweepResults& results, const std::string& path,
                      const SweepPageOptions& options = {});

}  // namespace lvsa::analysis
