#pragma once
// Many captured calls as one page that needs nothing but itself: how many of each verdict, the
// calls that occur most, why, and what mends them. In the style of a log's page (html_log.hpp).

#include <string>

#include "analysis/diagnose/batch.hpp"
#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// `question` is that of the batch: model, settings and degrees of every call; `path` is its file.
std::string html_batch(const BatchSummary& summary, const Question& question,
                       const std::string& path, const Provenance& provenance);

}  // namespace lvsa::analysis
