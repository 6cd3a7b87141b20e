#include "analysis/run/wire.hpp"

#include <algorithm>
#include <charconv>

#include "core/error.hpp"

namespace lvsa::analysis {

std::string one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return line;
}

std::string wire_line(std::string_view word, std::string_view text) {
  return std::string(word) + ' ' + one_line(text) + '\n';
}

std::optional<std::string> take_line(std::string& buffer) {
  const std::size_t end = buffer.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer.substr(0, end);
  buffer.erase(0, end + 1);
  return line;
}

Message parse_message(const std::string& line) {
  Message message;
  const std::size_t word = std::min(line.find(' '), line.size());
  message.word = line.substr(0, word);
  const std::size_t start = std::min(word + 1, line.size());
  const std::size_t first = std::min(line.find(' ', start), line.size());
  message.first = line.substr(start, first - start);
  message.rest = line.substr(std::min(first + 1, line.size()));
  return message;
}

void throw_refusal(const Message& message) {
  int kind = 0;
  std::from_chars(message.first.data(), message.first.data() + message.first.size(), kind);
  const bool known = kind >= 0 && kind <= static_cast<int>(ErrorKind::kKernel);
  throw Error(known ? static_cast<ErrorKind>(kind) : ErrorKind::kKernel, message.rest);
}

}  // namespace lvsa::analysis
