#pragma once
// `lvsa-verify recover` for a case with block maps.

#include <cstdint>
#include <string>

#include "analysis/app/apart.hpp"
#include "analysis/verify/case.hpp"

namespace lvsa::app {

struct RecoverMapsWords {
  std::string kernel;
  std::string format;  ///< text or json
  std::string output;  ///< a file, beside which the comparison is printed; empty: stdout
  bool all = false;    ///< every line
  std::int64_t max_runs = 20;
  std::int64_t threads = 0;
};

/// The kernel's part and what comes of it. Returns an exit code.
int recover_maps(const RecoverMapsWords& words, const analysis::Case& c, Apart& apart);

}  // namespace lvsa::app
