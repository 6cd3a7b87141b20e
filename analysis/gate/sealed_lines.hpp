#pragma once
// Files of JSON lines whose last line holds a hash over those before it.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace lvsa::analysis {

/// Where the end of such a file stands, and what is missing when it is not there.
struct SealForm {
  std::string_view last_type;  ///< "end", "summary"
  std::string_view unsealed;   ///< said of a file without its last line
  bool hash_required = true;   ///< older files have none
};

/// Reads the file twice: first its hash, then each line but the last one for `visit` (text, number
/// from 1). Throws Error(kIo) naming path and reason: cannot be read, truncated, edited, a line
/// behind the last one. Errors of `visit` get "path:line: " in front.
/// Returns the last line.
std::string read_sealed_lines(const std::string& path, const SealForm& form,
                              const std::function<void(std::string_view, std::int64_t)>& visit);

}  // namespace lvsa::analysis
