// report.md: what a reader of a pull request must find in it, and that no text of a user breaks it.

#include "analysis/report/markdown_report.hpp"

#include <gtest/gtest.h>

#include "report_sample.hpp"

namespace lvsa::analysis {
namespace {

std::string report(const std::vector<CaseResult>& results) {
  return markdown_report(ResultList(results), sample_provenance());
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(MarkdownReport, TellsWhatFailedWhereAndHowToRepeatIt) {
  auto results = sample_run();
  results[7].where = "all in frames 14 to 20";
  results[7].checks = {{"repeat", CheckState::kFails, "3 elements differ"},
                       {"poison", CheckState::kHolds, ""}};
  results[7].replay = "replays/case-8.json";
  const std::string text = report(results);
  EXPECT_EQ(text.rfind("# LVSA conformance: kernel cpu: 27 passed, 2 failed\n", 0), 0U) << text;
  EXPECT_NE(text.find("- where: all in frames 14 to 20\n"), std::string::npos);
  EXPECT_NE(text.find("- check repeat: 3 elements differ\n"), std::string::npos);
  EXPECT_EQ(text.find("poison"), std::string::npos);
  EXPECT_NE(text.find("- replay file: `replays/case-8.json`\n"), std::string::npos);
  EXPECT_NE(text.find("```sh\n" + results[7].command + "\n```\n"), std::string::npos);
  EXPECT_NE(text.find("1472 of 8192"), std::string::npos);
  EXPECT_NE(text.find("## Not run (1)\n\n- 1: the kernel serves no text tokens\n"),
            std::string::npos);
  EXPECT_NE(text.find("| commit | `0123456789ab` |\n"), std::string::npos);
}

TEST(MarkdownReport, EscapesForeignText) {
  CaseResult result = sample_result();
  result.status = Status::kFail;
  result.kernel = "a|b*c_<script>";
  result.message = "# no heading `code` [link](x)\nsecond line";
  result.line = "model=`tick` T=1";
  const std::string text = report({result});
  EXPECT_EQ(text.find("<script>"), std::string::npos);
  EXPECT_NE(text.find("a\\|b\\*c\\_\\<script\\>"), std::string::npos) << text;
  EXPECT_NE(text.find("\\# no heading \\`code\\` \\[link\\](x) second line\n"), std::string::npos);
  EXPECT_NE(text.find("`` model=`tick` T=1 ``"), std::string::npos) << text;
}

TEST(MarkdownReport, StaysShortWhenEverythingFails) {
  CaseResult result = sample_result(3);
  result.status = Status::kFail;
  const std::vector<CaseResult> results(kMostListed + 5, result);
  const std::string text = report(results);
  EXPECT_EQ(count(text, "### Case"), static_cast<std::size_t>(kMostListed));
  EXPECT_NE(text.find("\n5 more in report.jsonl.\n"), std::string::npos);
}

TEST(MarkdownReport, SaysWhenNothingRan) {
  EXPECT_EQ(report({}).rfind("# LVSA conformance: no kernel ran: 0 passed, 0 failed\n", 0), 0U);
}

}  // namespace
}  // namespace lvsa::analysis
