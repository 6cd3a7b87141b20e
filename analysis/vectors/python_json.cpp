#include "analysis/vectors/python_json.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// Puts quotes around the bare words; what stands inside a string is left alone.
std::string quote_words(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      out += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    bool matched = false;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (in_string || text.substr(i, word.size()) != word) continue;
      out += fmt::format("\"{}\"", word);
      i += word.size();
      matched = true;
      break;
    }
    if (!matched) out += text[i++];
  }
  return out;
}

}  // namespace

nlohmann::json parse_python_json(std::string_view text) {
  auto parsed = nlohmann::json::parse(text, nullptr, false);
  if (!parsed.is_discarded()) return parsed;
  try {
    return nlohmann::json::parse(quote_words(text));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kJson, fmt::format("no valid JSON: {}", error.what()));
  }
}

}  // namespace lvsa::analysis
