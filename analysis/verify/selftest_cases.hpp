#pragma once
// The cases behind `lvsa-verify selftest`.

#include <cstdint>
#include <string>
#include <vector>

namespace lvsa::analysis {

enum class CasePurpose {
  kBounds,         ///< outputs and log-sum-exp within bounds, all written, inputs unchanged
  kPoison,         ///< NaN in a frame changes no bit of the rows that do not attend it
  kRepeat,         ///< the same call twice gives the same bits
  kSecondPattern,  ///< a call with another pattern on the same buffers leaves nothing behind
};

struct SelftestCase {
  std::string check;  ///< of the output
  CasePurpose purpose = CasePurpose::kBounds;
  std::string line;    ///< the case that is judged
  std::string before;  ///< kSecondPattern: the case whose pattern runs first
};

/// Small cases, and a long one in which a row attends `long_keys` keys.
std::vector<SelftestCase> selftest_cases(std::int64_t long_keys);

}  // namespace lvsa::analysis
