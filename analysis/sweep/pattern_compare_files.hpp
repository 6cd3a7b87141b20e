#pragma once
// The files of a comparison: compare.h5, compare.csv, summary.csv, provenance.json
// (docs/compare.md).

#include <string>

#include "analysis/sweep/pattern_compare.hpp"

namespace lvsa::analysis {

/// Throws Error(kValue) for a folder that holds a sweep, or without `overwrite` a comparison.
void check_compare_folder(const std::string& folder, bool overwrite);

/// Makes the folder and writes all of them, compare.h5 last.
void write_compare_files(const CompareResults& results, const std::string& folder);

void write_compare_hdf5(const CompareResults& results, const std::string& path);
void write_compare_csv(const CompareResults& results, const std::string& path);
void write_compare_summary(const CompareResults& results, const std::string& path);

}  // namespace lvsa::analysis
