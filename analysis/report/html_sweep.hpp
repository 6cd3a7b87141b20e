#pragma once
// The page of a sweep: any two figures of its settings against each other, their front, what a
// chosen setting loses and where.

#include <cstddef>
#include <string>

#include "analysis/sweep/front.hpp"
#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

/// The page as text, self-contained. At first it draws the request's metric against its cost, and
/// names the best setting under its requirements. Values of single samples go in as long as there
/// are at most kMostPageValues of them (settings x samples x metrics), the weightier metrics first;
/// the page says what is left out.
std::string html_sweep(const SweepResults& results, const FrontRequest& request = {});
inline constexpr std::size_t kMostPageValues = 4'000'000;

/// The same into a file, whole or not at all. Throws Error(kIo) that names the path and the reason.
void write_sweep_page(const SweepResults& results, const std::string& path,
                      const FrontRequest& request = {});

}  // namespace lvsa::analysis
