// report.html: self-contained, well-formed, small, and it shows what happened.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/report/html_assets.hpp"
#include "analysis/report/html_figure.hpp"
#include "analysis/report/html_report.hpp"
#include "report_markup_check.hpp"
#include "report_sample.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string page_of(const std::vector<CaseResult>& results) {
  return html_report(results, sample_provenance(), summarise(results));
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size())
    ++found;
  return found;
}

TEST(HtmlReport, IsWellFormed) { EXPECT_EQ(markup_problem(page_of(sample_run()), true), ""); }

TEST(HtmlReport, NeedsNothingFromOutside) {
  const std::string page = page_of(sample_run());
  for (const char* outside : {"http:", "https:", "//cdn", "@import", "url(", "src="}) {
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  }
}

TEST(HtmlReport, SaysTheOutcomeAndHowToRepeatEachCase) {
  const std::string page = page_of(sample_run());
  EXPECT_NE(page.find("27 passed, 2 failed"), std::string::npos);
  EXPECT_EQ(count(page, "<code>lvsa-verify kernel --kernel cpu --case &#39;model="), 30U);
  EXPECT_EQ(count(page, "<tbody id=\"case-"), 30U);
}

TEST(HtmlReport, StaysBelowTwoMegabytes) {
  auto results = sample_run();
  for (std::int64_t i = 0; i < 10; ++i) results.push_back(sample_result(200 + i));
  EXPECT_LT(page_of(results).size(), 2'000'000U);
}

TEST(HtmlReport, DrawsEachPatternOnce) {
  const std::vector<CaseResult> results(3, sample_result());
  const std::string page = page_of(results);
  EXPECT_EQ(count(page, "<symbol id=\"mask-"), 1U);
  EXPECT_EQ(count(page, "href=\"#mask-1\""), 6U);  // row and details of each
}

TEST(HtmlReport, EscapesForeignText) {
  CaseResult result = sample_result();
  result.status = Status::kFail;
  const std::string nasty = "</script><script>x\"'&\x01\xFF\n";
  result.kernel = result.line = result.command = result.message = result.c.model = nasty;
  result.c.file = nasty;
  const std::string page = html_report({result}, {{nasty, nasty}}, summarise({result}));
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_EQ(count(page, "<script>"), 1U);
}

TEST(HtmlReport, ShowsARunWithoutCases) {
  const std::string page = html_report({}, {}, RunSummary{});
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_NE(page.find("This run had no cases."), std::string::npos);
}

TEST(HtmlReport, ShowsNumbersThatAreNone) {
  CaseResult result = sample_result(5);
  result.frame_worst_ratio = {std::nan(""), kInfinity, -1.0, 0.0, 1e300};
  result.output.worst.got = std::nan("");
  result.output.worst_ratio = result.output.worst.ratio = kInfinity;
  result.mean_signal = 0.0;
  const std::string page = page_of({result});
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_NE(page.find("frame 1: Infinity"), std::string::npos);
}

TEST(HtmlReport, LeavesOutMasksThatNobodyCouldSee) {
  CaseResult result = sample_result(5);
  result.c.grid.frames = 5000;
  result.frame_worst_ratio.assign(5000, 0.25);
  result.frame_worst_ratio[4321] = 0.75;
  const std::string page = page_of({result});
  EXPECT_NE(page.find("more than 1024 frames"), std::string::npos);
  EXPECT_NE(page.find(": 0.75</title>"), std::string::npos);
  EXPECT_LT(page.size(), 150'000U);
}

TEST(MaskShapes, CoverExactlyThePattern) {
  // T = 4, W = 1, frame 0 global: windows 0-2, 0-2, 1-3, 1-3.
  PatternSpec spec;
  spec.frames = 4;
  spec.window_frames = 1;
  spec.n_first_frames = 1;
  spec.expand_window = false;
  const std::string shapes = mask_shapes(build_frame_pattern(spec));
  EXPECT_NE(shapes.find("class=\"mask-global\" d=\"M0 0h1v4h-1z\""), std::string::npos) << shapes;
  EXPECT_NE(shapes.find("class=\"mask-window\" transform=\"translate(0 .5)\""
                        " d=\"M1 0h2M1 1h2M1 2h3M1 3h3\""),
            std::string::npos)
      << shapes;
  EXPECT_NE(shapes.find("d=\"M0 0h1M0 1h1\""), std::string::npos) << shapes;
}

TEST(RatioPosition, IsLogarithmicBetweenItsEnds) {
  EXPECT_EQ(ratio_position(0.0), 0.0);
  EXPECT_NEAR(ratio_position(0.1), 0.5, 1e-12);
  EXPECT_NEAR(ratio_position(1.0), 2.0 / 3.0, 1e-12);
  EXPECT_EQ(ratio_position(kInfinity), 1.0);
  EXPECT_EQ(ratio_position(std::nan("")), 1.0);
}

}  // namespace
}  // namespace lvsa::analysis
