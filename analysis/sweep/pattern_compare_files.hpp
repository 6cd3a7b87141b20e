#pragma once
// The files of a comparison: compare.h5, compare.csv, summary.csv, provenance.json
// (docs/compare.md).

#include <string>

#include "analysis/sweep/pattern_compare_plan.hpp"

namespace lvsa::analysis {

/// Makes the folder and writes all of them, compare.h5 last.
void write_compare_files(const CompareResults& results, const ComparePlan& plan,
                         const std::string& folder);

void write_compare_hdf5(const CompareResults& results, const ComparePlan& plan,
                        const std::string& path);
void write_compare_csv(const CompareResults& results, const std::string& path);
void write_compare_summary(const CompareResults& results, const std::string& path);

struct ReadComparison {
  ComparePlan plan;
  CompareResults results;  ///< without provenance
};
/// Throws Error(kIo) that names path and object.
ReadComparison read_compare_hdf5(const std::string& path);

}  // namespace lvsa::analysis
