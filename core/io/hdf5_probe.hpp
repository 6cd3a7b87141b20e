#pragma once
// Whether the HDF5 library survives a file. Some damaged files crash the library itself, so a file
// is walked in a child process before it is read in this one.

#include <string>

namespace lvsa {

/// Walks all objects and attributes of the file in a child process, and the datasets too while the
/// file is small. Throws Error(kIo) naming the path when the child crashes or does not come to an
/// end. What the library reports as errors is not judged here.
void probe_hdf5_file(const std::string& path);

}  // namespace lvsa
