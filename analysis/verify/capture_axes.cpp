#include "analysis/verify/capture_axes.hpp"

#include <algorithm>

namespace lvsa::analysis {

std::optional<Axes> Axes::parse(std::string_view text) {
  constexpr std::string_view kIgnored = " ,[]()_";
  std::string letters;
  for (const char ch : text) {
    if (kIgnored.find(ch) != std::string_view::npos) continue;
    const char letter = ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch - 'A' + 'a') : ch;
    const bool known = std::string_view("bshd3").find(letter) != std::string_view::npos;
    if (!known || letters.find(letter) != std::string::npos) return std::nullopt;
    letters += letter;
  }
  const Axes axes(letters);
  if (!axes.has('s') || !axes.has('h')) return std::nullopt;
  return axes;
}

std::int64_t Axes::size(const std::vector<std::int64_t>& shape, char letter) const {
  const std::size_t at = letters_.find(letter);
  return at == std::string::npos ? 1 : shape.at(at);
}

std::int64_t Axes::stride(const std::vector<std::int64_t>& shape, char letter) const {
  const std::size_t at = letters_.find(letter);
  if (at == std::string::npos) return 0;
  std::int64_t stride = 1;
  for (std::size_t i = at + 1; i < letters_.size(); ++i) stride *= shape.at(i);
  return stride;
}

Axes Axes::without(char letter) const {
  std::string rest = letters_;
  rest.erase(std::remove(rest.begin(), rest.end(), letter), rest.end());
  return Axes(rest);
}

std::array<std::int64_t, 4> bshd_sizes(const Axes& axes, const std::vector<std::int64_t>& shape) {
  return {axes.size(shape, 'b'), axes.size(shape, 's'), axes.size(shape, 'h'),
          axes.size(shape, 'd')};
}

}  // namespace lvsa::analysis
