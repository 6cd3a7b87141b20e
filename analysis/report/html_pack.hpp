#pragma once
// Data within a page that its script unpacks: long runs would be too large as they are.

#include <string>
#include <string_view>

namespace lvsa::analysis {

/// zlib data of `text` as base64. Throws Error(kIo) where zlib refuses.
std::string packed_text(std::string_view text);
/// Bytes as base64, for data: addresses.
std::string base64_text(std::string_view bytes);

}  // namespace lvsa::analysis
