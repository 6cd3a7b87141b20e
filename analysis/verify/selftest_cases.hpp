#pragma once
// The cases behind `lvsa-verify selftest`.

#include <cstdint>
#include <string>
#include <vector>

namespace lvsa::analysis {

struct SelftestCase {
  std::string check;  ///< name of the check of its output
  std::string line;
  bool is_long = false;
  /// Relations that are checked on it besides the bounds; "all" stands for all.
  std::vector<std::string> relations;
};

/// Small cases in which every row counts, and the same kinds of case with `long_keys` keys a row,
/// in which some rows do. Those with relations stand at the end of their group. Throws
/// Error(kValue) for fewer than 512 keys and for more than 2^20.
std::vector<SelftestCase> selftest_cases(std::int64_t long_keys);

}  // namespace lvsa::analysis
