// Lines and cases that wait in a file: what comes back, and how little is kept for each.

#include "analysis/run/line_spool.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/run/case_list.hpp"
#include "analysis/run/plan.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"
#include "live_bytes.hpp"

namespace lvsa::analysis {
namespace {

// Lengths from 0 on, bytes of every kind, line breaks among them.
std::string line_of(std::int64_t i) {
  std::string line = std::to_string(i * 7919 % 10007) + '\0' + '\n';
  line.append(static_cast<std::size_t>(i % 91), static_cast<char>(i));
  return i % 50 == 0 ? "" : line;
}

TEST(LineSpool, GivesBackEveryLineInAnyOrderWhileItGrows) {
  LineSpool spool;
  constexpr std::int64_t kLines = 12000;
  for (std::int64_t i = 0; i < kLines; ++i) {
    spool.add(line_of(i));
    ASSERT_EQ(spool.at(i), line_of(i));
    ASSERT_EQ(spool.at(i * 31 % (i + 1)), line_of(i * 31 % (i + 1)));
  }
  EXPECT_EQ(spool.size(), kLines);
  for (std::int64_t i = kLines - 1; i >= 0; --i) ASSERT_EQ(spool.at(i), line_of(i));
}

TEST(LineSpool, HoldsNoMoreThanItsBufferInMemory) {
  LineSpool spool;
  for (std::int64_t i = 0; i < 20000; ++i) {
    spool.add(line_of(i));
    ASSERT_LE(spool.held_bytes(), LineSpool::kMostHeld);
  }
  const std::string longer(3 * LineSpool::kMostHeld, 'x');  // than the buffer
  spool.add(longer);
  spool.add("after");
  EXPECT_EQ(spool.at(20000), longer);
  EXPECT_EQ(spool.at(20001), "after");
  EXPECT_EQ(spool.at(19999), line_of(19999));
}

TEST(LineSpool, MovesWithItsLines) {
  LineSpool from;
  for (std::int64_t i = 0; i < 9000; ++i) from.add(line_of(i));
  LineSpool to(std::move(from));
  EXPECT_EQ(to.at(1), line_of(1));
  EXPECT_EQ(to.at(8999), line_of(8999));
  LineSpool other;
  other.add("one");
  other = std::move(to);
  EXPECT_EQ(other.size(), 9000);
  EXPECT_EQ(other.at(4321), line_of(4321));
}

TEST(LineSpool, WorksWhereTheTemporaryFolderIsNone) {
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/nonexistent", 1);
  LineSpool spool;
  for (std::int64_t i = 0; i < 9000; ++i) spool.add(line_of(i));
  EXPECT_EQ(spool.at(77), line_of(77));
  if (before == nullptr) {
    ::unsetenv("TMPDIR");
  } else {
    ::setenv("TMPDIR", kept.c_str(), 1);
  }
}

TEST(CaseList, KeepsAtMostTwelveBytesOfMemoryACase) {
  Case c = parse_case("T=5 P=7 H=2 Hkv=1 D=16 dtype=f32 ref=3 input=gauss");
  const std::int64_t before = live_bytes();
  CaseList list;
  constexpr std::int64_t kCases = 40000;
  for (std::int64_t i = 1; i <= kCases; ++i) {
    c.seed = static_cast<std::uint64_t>(i);
    list.add(c);
  }
  // The buffer doubles as it fills, to at most twice its limit.
  const auto fixed = static_cast<std::int64_t>(2 * LineSpool::kMostHeld);
  EXPECT_LE(live_bytes() - before, fixed + 12 * kCases);
  EXPECT_EQ(list.at(kCases).seed, static_cast<std::uint64_t>(kCases));
}

TEST(CaseList, GivesBackTheCasesOfASuite) {
  const std::vector<Case> due = small_cases();
  CaseList list;
  for (const Case& c : due) list.add(c);
  ASSERT_EQ(list.size(), static_cast<std::int64_t>(due.size()));
  for (std::size_t i = 0; i < due.size(); ++i) {
    EXPECT_TRUE(list.at(static_cast<std::int64_t>(i) + 1) == due[i]) << to_line(due[i]);
  }
}

TEST(SuiteHash, IsTheHashOfAllLinesAtOnce) {
  CaseList list;
  std::vector<std::string> lines;
  std::string all;
  for (const Case& c : random_cases("random:60:3")) {
    list.add(c);
    lines.push_back(to_line(c));
    all += to_line(c) + "\n";
    ASSERT_EQ(suite_hash(list), byte_hash(all));
    ASSERT_EQ(suite_hash(lines), byte_hash(all));
  }
}

TEST(SuiteHash, OfPartsOfAnySizeIsThatOfTheWhole) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += static_cast<char>(i * 37 + 11);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string whole = text.substr(0, size);
    for (const std::size_t part : {std::size_t{1}, std::size_t{3}, std::size_t{8}, size + 1}) {
      ByteHash hash;
      for (std::size_t at = 0; at < size; at += part) {
        hash.add(std::string_view(whole).substr(at, part));
      }
      ASSERT_EQ(hash.value(), byte_hash(whole)) << size << " by " << part;
    }
  }
}

TEST(Suite, IsTheSameOneByOneAsAllAtOnce) {
  const auto none = [] { return std::string("/nonexistent"); };
  for (const std::string suite : {"random:40:9", "blocks-smoke"}) {
    std::vector<Case> seen;
    for_each_case(suite, none, [&](const Case& c) { seen.push_back(c); });
    EXPECT_TRUE(seen == suite_cases(suite, none)) << suite;
    EXPECT_FALSE(seen.empty());
  }
}

}  // namespace
}  // namespace lvsa::analysis
