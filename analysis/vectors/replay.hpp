#pragma once
// Replays recorded cases against this library: the pattern functions against core, the attention
// outputs against the fp64 oracle.

#include <cstdint>
#include <functional>
#include <string>

namespace lvsa::analysis {

/// A case that differs.
struct Mismatch {
  std::string file;
  std::string where;  ///< "line 12", or "case0/out_step1_bf16"
  std::string function;
  std::string arguments;
  std::string expected;
  std::string got;
};

struct ReplaySummary {
  std::int64_t passed = 0;
  std::int64_t failed = 0;
};

/// Replays one file, told apart by its content: HDF5 holds attention outputs, a manifest the hashes
/// of its neighbours, anything else is NDJSON of function calls, plain or gzip. Each mismatch goes
/// to `report`. Throws Error(kIo or kJson) naming file and line for a file that is damaged, cut
/// off, empty or of another kind.
ReplaySummary replay_file(const std::string& path,
                          const std::function<void(const Mismatch&)>& report);

}  // namespace lvsa::analysis
