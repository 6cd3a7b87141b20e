#pragma once
// The page that holds video quality against what attention lost.

#include <string>

#include "analysis/quality/quality_join.hpp"
#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// Where a page's data come from: the sweep's source and the files of scores.
struct QualitySources {
  std::string sweep;
  std::vector<std::string> files;
};

/// Self-contained. `provenance` is that of the join, not of the sweep.
std::string html_quality(const QualityReport& report, const QualitySources& sources,
                         const Provenance& provenance);
/// Of the page's own script.
std::string_view html_quality_script();

}  // namespace lvsa::analysis
