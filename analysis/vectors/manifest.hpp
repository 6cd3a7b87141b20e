#pragma once
// The manifest of a folder of recorded vectors: what each file is, where it comes from, and its
// hash.

#include <functional>
#include <string>

#include "analysis/vectors/replay.hpp"

namespace lvsa::analysis {

/// Whether the file is a manifest: a JSON object with "schema": "lvsa-fixtures/1".
bool is_manifest(const std::string& path);

/// Holds every file that the manifest names against its size and CRC-32; each is a case. Throws
/// Error(kJson or kIo) naming the file when the manifest is none.
ReplaySummary check_manifest(const std::string& path,
                             const std::function<void(const Mismatch&)>& report);

/// Whether the manifest beside a folder names it as one without recorded vectors, so that a pattern
/// such as fixtures/* may match it.
bool is_named_folder(const std::string& folder);

}  // namespace lvsa::analysis
