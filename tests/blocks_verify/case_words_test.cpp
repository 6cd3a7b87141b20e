// The words of a case with a pattern.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "analysis/verify/case.hpp"
#include "analysis/verify/suite.hpp"
#include "core/error.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

const std::string kSizes = " T=2 P=12 H=1 Hkv=1 D=64 dtype=bf16 ref=21 step=0";

std::string refusal(const std::string& line) {
  return test_support::refusal_of([&] { parse_case(line); });
}

TEST(BlockCaseWords, StandInOneWordWithColonsForBlanks) {
  const Case c = parse_case("pattern=random:density=0.25:order=1" + kSizes);
  EXPECT_EQ(c.pattern, "random density=0.25 order=1");
  EXPECT_NE(to_line(c).find(" pattern=random:density=0.25:order=1 "), std::string::npos);
}

TEST(BlockCaseWords, LeaveOutWhatIsTheDefaultAndKeepTheListsOrder) {
  const Case c = parse_case("pattern=random:seed=4:density=0.5:block_q=64" + kSizes);
  EXPECT_EQ(c.pattern, "random block_q=64 seed=4");
}

TEST(BlockCaseWords, MayHoldColonsEscaped) {
  const std::string line = "pattern=csr:file=a%3Ab" + kSizes;
  const Case c = parse_case(line);
  EXPECT_EQ(parse_case(to_line(c)).pattern, c.pattern);
  EXPECT_NE(to_line(c).find("%3A"), std::string::npos);
}

TEST(BlockCaseWords, NameTheFrameSizeWhichIsThatOfThePatches) {
  const Case c = parse_case("pattern=dense hw=3x4" + kSizes);
  EXPECT_EQ(c.height, 3);
  EXPECT_EQ(c.width, 4);
  EXPECT_EQ(parse_case(to_line(c)), c);
  EXPECT_NE(refusal("hw=3x5" + kSizes).find("hw=3x5: a product of P=12 is due"), std::string::npos);
  EXPECT_NE(refusal("hw=12" + kSizes).find("HEIGHTxWIDTH"), std::string::npos);
  EXPECT_NE(refusal("hw=-3x-4" + kSizes).find("HEIGHTxWIDTH"), std::string::npos);
}

TEST(BlockCaseWords, RefuseUnknownRulesAndParametersByName) {
  EXPECT_NE(refusal("pattern=sparkle" + kSizes).find("sparkle"), std::string::npos);
  EXPECT_NE(refusal("pattern=random:densty=1" + kSizes).find("densty"), std::string::npos);
  EXPECT_NE(refusal("pattern=random:density=1:density=1" + kSizes).find("density"),
            std::string::npos);
}

TEST(BlockCaseWords, ChangeNoLineOfACaseWithoutAPattern) {
  for (const Case& c : small_cases()) {
    EXPECT_EQ(to_line(c).find("pattern="), std::string::npos);
    EXPECT_EQ(to_line(c).find("hw="), std::string::npos);
  }
}

TEST(BlockSuites, HoldCasesThatAreDifferentAndReadBack) {
  const auto cases = block_cases();
  ASSERT_GT(cases.size(), 100U);
  std::set<std::string> lines;
  for (const Case& c : cases) {
    EXPECT_EQ(parse_case(to_line(c)), c);
    EXPECT_FALSE(c.pattern.empty());
    lines.insert(to_line(c));
  }
  EXPECT_EQ(lines.size(), cases.size());
}

}  // namespace
}  // namespace lvsa::analysis
