#include "core/io/printable.hpp"

#include <fmt/format.h>

namespace lvsa {

std::string printable(std::string_view text, std::size_t most) {
  std::string result;
  for (const char ch : text.substr(0, most)) {
    const auto code = static_cast<unsigned char>(ch);
    if (code >= 0x20 && code < 0x7f) {
      result += ch;
    } else {
      result += fmt::format("\\x{:02x}", code);
    }
  }
  return text.size() > most ? result + "..." : result;
}

}  // namespace lvsa
