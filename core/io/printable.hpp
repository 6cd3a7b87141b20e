#pragma once
// Text out of a file, fit for a message of one line.

#include <string>
#include <string_view>

namespace lvsa {

/// `text` with control characters and bytes beyond ASCII as \xNN, cut to `most` bytes of it with
/// "..." behind.
std::string printable(std::string_view text, std::size_t most = 120);

}  // namespace lvsa
