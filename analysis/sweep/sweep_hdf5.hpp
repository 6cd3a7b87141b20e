#pragma once
// sweep.h5: the results of a sweep for h5py, xarray, pandas and HDFView. Its form is described in
// docs/sweep.md.

#include <string>

#include "analysis/sweep/sweep_results.hpp"

namespace lvsa::analysis {

/// Whole or not at all; the same results give the same bytes. The provenance is not in it. Throws
/// Error(kIo).
void write_sweep_hdf5(const SweepResults& results, const std::string& path);

/// Without provenance. Throws Error(kIo, kValue) that names file and object: no sweep, of a newer
/// version, sizes that contradict each other.
SweepResults read_sweep_hdf5(const std::string& path);

}  // namespace lvsa::analysis
