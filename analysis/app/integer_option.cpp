#include "analysis/app/integer_option.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lvsa::app {

std::optional<std::int64_t> parse_integer(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

void add_integer(CLI::App* command, const char* name, std::optional<std::int64_t>& target,
                 const char* type, const char* help) {
  const auto check = [](const std::string& text) {
    return parse_integer(text) ? "" : fmt::format("'{}' is no 64-bit integer", text);
  };
  command
      ->add_option_function<std::string>(
          name, [&target](const std::string& text) { target = parse_integer(text); }, help)
      ->type_name(type)
      ->check(check);
}

}  // namespace lvsa::app
