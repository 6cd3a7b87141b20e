#pragma once
// Where a result comes from: build, machine, time.

#include <string>
#include <utility>
#include <vector>

namespace lvsa::analysis {

/// Name and value pairs in a fixed order: version, commit, compiler, build type, flags, CPU model,
/// threads, vector extensions, operating system, libraries, GPU, its driver, time (UTC, ISO 8601),
/// command line.
using Provenance = std::vector<std::pair<std::string, std::string>>;

Provenance collect_provenance(const std::string& command_line);

/// Without what is another one each time: time, threads, command line.
Provenance timeless(Provenance provenance);

/// Of a run in several parts: where the values differ, all of them with " | " between them.
Provenance joined(const Provenance& first, const Provenance& second);

}  // namespace lvsa::analysis
