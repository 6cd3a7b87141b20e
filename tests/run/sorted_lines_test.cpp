// Lines that are sorted in parts, through a file.

#include "analysis/run/sorted_lines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "live_bytes.hpp"

namespace lvsa::analysis {
namespace {

std::string line_of(std::uint64_t i) {
  const std::uint64_t mixed = i * 0x9e3779b97f4a7c15ULL >> 40;
  return std::to_string(mixed % 50000) + std::string(90, static_cast<char>('a' + mixed % 26));
}

std::vector<std::string> sorted_by(const SortedLines& lines) {
  std::vector<std::string> seen;
  lines.for_each([&](std::string_view line) { seen.emplace_back(line); });
  return seen;
}

TEST(SortedLines, AreThoseThatWereAddedWithRepeatedOnes) {
  SortedLines lines;
  std::vector<std::string> due;
  EXPECT_TRUE(sorted_by(lines).empty());
  // Below one part, and several parts with an open one behind.
  for (const std::uint64_t count : {100U, 75000U}) {
    for (std::uint64_t i = due.size(); i < count; ++i) {
      due.push_back(line_of(i));
      lines.add(due.back());
    }
    std::vector<std::string> sorted = due;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_TRUE(sorted_by(lines) == sorted) << count;
    EXPECT_EQ(lines.size(), static_cast<std::int64_t>(count));
  }
}

TEST(SortedLines, KeepAtMostTwelveBytesOfMemoryALineBesideAFixedPart) {
  const std::int64_t before = live_bytes();
  SortedLines lines;
  constexpr std::int64_t kLines = 200'000;  // some 25 MB
  for (std::int64_t i = 0; i < kLines; ++i) lines.add(line_of(static_cast<std::uint64_t>(i)));
  const auto fixed = static_cast<std::int64_t>(2 * SortedLines::kMostHeld);
  EXPECT_LE(live_bytes() - before, fixed + 12 * kLines);
}

}  // namespace
}  // namespace lvsa::analysis
