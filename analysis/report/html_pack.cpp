#include "analysis/report/html_pack.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::vector<std::uint8_t> deflated(std::string_view text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::vector<std::uint8_t> bytes(size);
  const int status = compress2(bytes.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
                               static_cast<uLong>(text.size()), 6);
  if (status != Z_OK) {
    throw Error(ErrorKind::kIo,
                fmt::format("report.html: {} bytes cannot be packed: zlib status {}; report.jsonl "
                            "has the results",
                            text.size(), status));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string base64_text(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(bytes.size() / 3 * 4 + 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t there = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < there ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= there ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

std::string packed_text(std::string_view text) {
  const std::vector<std::uint8_t> bytes = deflated(text);
  return base64_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace lvsa::analysis
