#include "analysis/verify/number_ranges.hpp"

#include <fmt/format.h>

namespace lvsa::analysis {

std::string number_ranges(const std::vector<std::int64_t>& numbers, std::size_t most) {
  std::string text;
  std::size_t parts = 0;
  for (std::size_t i = 0; i < numbers.size();) {
    if (parts == most) return text + fmt::format(" and {} more", numbers.size() - i);
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    if (parts > 0) text += ", ";
    text += end - i == 1 ? std::to_string(numbers[i])
                         : fmt::format("{}-{}", numbers[i], numbers[end - 1]);
    ++parts;
    i = end;
  }
  return text;
}

std::string counted(const std::string& noun, const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}{} {}", noun, numbers.size() == 1 ? "" : "s", number_ranges(numbers));
}

}  // namespace lvsa::analysis
