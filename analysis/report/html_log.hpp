#pragma once
// The diagnosis of a log as one page that needs nothing but itself, in the style of report.html: no
// network, no script, light and dark, readable without its pictures.

#include <string>
#include <vector>

#include "analysis/diagnose/log_verdict.hpp"
#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// `settings` decide where a mask is drawn from the header line alone.
std::string html_log(const LogFacts& facts, const LogVerdict& verdict, const std::string& path,
                     const Environment& settings, const Provenance& provenance);

}  // namespace lvsa::analysis
