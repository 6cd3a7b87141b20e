#pragma once
// A dump as files for programs: HDF5 with dimension scales, and a table.

#include <string>

#include "analysis/maps/dump.hpp"
#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// The form of dump.h5; raised when a reader of the old one would misread the new one.
inline constexpr std::int64_t kDumpForm = 1;

/// Writes dump.h5 (docs/dump.md), whole or not at all. The same dump and provenance give the same
/// bytes. Throws Error(kIo).
void write_dump_file(const Dump& dump, const std::string& path, const Provenance& provenance);

/// One line a head: what it is, what the pattern leaves of its mass, its statistics. CSV with a
/// header.
std::string dump_table(const Dump& dump);

}  // namespace lvsa::analysis
