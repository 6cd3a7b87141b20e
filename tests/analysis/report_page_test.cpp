// report.html in detail: what a case shows, colours that can be read, long runs that stay small.

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "analysis/report/html_assets.hpp"
#include "analysis/report/html_bound.hpp"
#include "analysis/report/html_cases.hpp"
#include "analysis/report/html_heat.hpp"
#include "analysis/report/html_pack.hpp"
#include "analysis/report/html_recovered.hpp"
#include "analysis/report/html_report.hpp"
#include "report_markup_check.hpp"
#include "report_sample.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using test_support::has;

std::string page_of(const std::vector<CaseResult>& results) {
  return html_report(results, sample_provenance(), summarise(results));
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size())
    ++found;
  return found;
}

// A failed case with all that a case can say.
CaseResult full_result() {
  CaseResult result = sample_result(6);
  result.c.heads = 4;
  result.c.condition_frames = {2};
  result.status = Status::kFail;
  result.message = "message <1>";
  result.where = "only head 3 & \"more\"";
  result.suspect = "remark <2>";
  result.replay = "replays/it's.lvsa";
  result.checks = {{"shift", CheckState::kHolds, ""},
                   {"text", CheckState::kNotApplicable, "no text <3>"},
                   {"permutation", CheckState::kFails, "row 7 <4>"}};
  result.schedule = result.output;
  result.schedule.worst.tolerance = {1e-6, 2e-6, 3e-6, 0.0, 6.1e-6};
  result.frame_heads = {1, {{0, 0, 0.02}, {1, 3, 7.5}, {4, 2, 0.6}}};
  result.recovered = {0, 3, {"##....", "###...", ".##+..", "..-##.", "...2##", "....%#"}};
  return result;
}

TEST(HtmlPage, ShowsAllThatACaseSays) {
  const std::string page = page_of({full_result()});
  EXPECT_EQ(markup_problem(page, true), "");
  for (const char* part :
       {"message &lt;1&gt;", "only head 3 &amp; &quot;more&quot;", "remark &lt;2&gt;",
        "lvsa-verify replay &#39;replays/it&#39;\\&#39;&#39;s.lvsa&#39;", "no text &lt;3&gt;",
        "row 7 &lt;4&gt;", "condition frame", "tier B", "frame 1, head 3: 7.5</title>"}) {
    EXPECT_TRUE(has(page, part)) << part;
  }
}

TEST(HtmlPage, ListsFailedChecksFirst) {
  const std::string page = page_of({full_result()});
  const std::size_t table = page.find("Relations and probes");
  EXPECT_LT(page.find("permutation", table), page.find("shift", table));
  EXPECT_LT(page.find("shift", table), page.find("no text", table));
  EXPECT_TRUE(has(page, "</svg>1 fail</span>"));
}

TEST(HtmlPage, HasAnIconAndAFilterForEveryStatus) {
  std::vector<CaseResult> results;
  for (const Status status : listed_statuses()) {
    results.push_back(sample_result(5));
    results.back().status = status;
  }
  const std::string page = page_of(results);
  for (const Status status : listed_statuses()) {
    const std::string name(status_name(status));
    EXPECT_TRUE(has(page, "<symbol id=\"icon-" + name + "\"")) << name;
    EXPECT_TRUE(has(page, "name=\"status\" value=\"" + name + "\"")) << name;
    EXPECT_TRUE(has(std::string(html_style()), ".s-" + name + " {")) << name;
    EXPECT_TRUE(has(std::string(html_style()), ".badge.s-" + name + " {")) << name;
  }
}

TEST(HtmlPage, IsTheSameForTheSameResults) {
  const std::vector<CaseResult> results(kMostPlainCases + 5, full_result());
  EXPECT_EQ(page_of(results), page_of(results));
}

// --- drawings -----------------------------------------------------------------------------------

TEST(BoundFigure, DrawsBothTiersOnOneScale) {
  CaseResult result = full_result();
  result.output.worst.tolerance = {5e-5, 3e-5, 2e-5, 0.0, 1e-4};
  result.output.worst.ratio = 0.5;
  result.schedule.worst.tolerance = {0.0, 1e-5, 0.0, 0.0, 1e-5};
  result.schedule.worst.ratio = 2.0;
  const std::string figure = bound_figure(result);
  // 400 pixels are 1e-4: 5e-5 are 200, the 1e-5 of tier B are 40.
  EXPECT_TRUE(has(figure, "class=\"term-1\" x=\"56\" y=\"8\" width=\"200\"")) << figure;
  EXPECT_TRUE(has(figure, "class=\"term-2\" x=\"56\" y=\"42\" width=\"40\"")) << figure;
  EXPECT_TRUE(has(figure, "class=\"error-mark within\" d=\"M256 ")) << figure;
  EXPECT_TRUE(has(figure, "class=\"error-mark\" d=\"M136 ")) << figure;
}

TEST(BoundFigure, SaysHowFarAnErrorLiesBeyondIt) {
  CaseResult result = full_result();
  result.output.worst.ratio = 1000.0;
  EXPECT_TRUE(has(bound_figure(result), ">1e+03 times</text>"));
  result.output.worst.tolerance = {};
  result.schedule = {};
  EXPECT_EQ(bound_figure(result), "");
}

TEST(HeatMap, HasLevelsThatEndAtTheBound) {
  EXPECT_EQ(heat_level(0.0), 1);
  EXPECT_EQ(heat_level(1.0), 4);
  EXPECT_EQ(heat_level(1.01), 5);
  EXPECT_EQ(heat_level(10.5), 6);
  EXPECT_EQ(heat_level(std::nan("")), 6);
}

TEST(HeatMap, TellsTheWorstCell) {
  const FrameHeadMap map{2, {{0, 0, 0.5}, {2, 1, 3.0}, {3, 0, 1.5}}};
  EXPECT_EQ(
      heat_label(6, map),
      "Worst error over bound by frame and head: 2 of 3 checked cells above 1, the worst 3 at "
      "frames 4 to 5, head 1.");
}

TEST(RecoveredSection, ListsWhatDiffers) {
  const std::string section = recovered_section(full_result());
  EXPECT_TRUE(has(section, "query frame 2 attends too much: frame 3<")) << section;
  EXPECT_TRUE(has(section, "query frame 3 misses frame 2<")) << section;
  EXPECT_TRUE(has(section, "query frame 4 attends more than once frame 3<")) << section;
  EXPECT_TRUE(has(section, "query frame 5 attends a part of frame 4<")) << section;
  EXPECT_EQ(count(section, "<li>query frame"), 4U);
}

// --- colours ------------------------------------------------------------------------------------

using Colours = std::map<std::string, std::string>;

// The variables of the block that follows `start`.
Colours colours_after(const std::string& css, std::size_t start) {
  Colours colours;
  const std::size_t end = css.find('}', start);
  for (std::size_t at = start; (at = css.find("--", at)) < end; ++at) {
    const std::size_t colon = css.find(": ", at);
    colours[css.substr(at + 2, colon - at - 2)] = css.substr(colon + 2, 7);
  }
  return colours;
}

// Relative luminance of WCAG 2.1.
double luminance(const std::string& colour) {
  double sum = 0.0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto c =
        static_cast<double>(std::strtol(colour.substr(1 + 2 * i, 2).c_str(), nullptr, 16)) / 255.0;
    sum += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}

double contrast(const std::string& a, const std::string& b) {
  const double x = luminance(a);
  const double y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(PageColours, CanBeReadInBothThemes) {
  const std::string css(html_style());
  const std::size_t light = css.find(":root");
  for (const std::size_t start : {light, css.find(":root", light + 1)}) {
    Colours c = colours_after(css, start);
    for (const Status status : listed_statuses()) {
      const std::string name(status_name(status));
      for (const std::string& ground : {name + "-bg", std::string("panel"), std::string("page")}) {
        EXPECT_GE(contrast(c.at(name), c.at(ground)), 4.5) << name << " on " << ground;
      }
      EXPECT_GE(contrast(c.at("ink"), c.at(name + "-bg")), 4.5) << name;
    }
    for (const char* text : {"ink", "soft", "accent", "fail"}) {
      for (const char* ground : {"page", "panel", "stripe"}) {
        EXPECT_GE(contrast(c.at(text), c.at(ground)), 4.5) << text << " on " << ground;
      }
    }
    EXPECT_GE(contrast(c.at("soft"), c.at("code")), 4.5);
  }
}

// --- long runs ----------------------------------------------------------------------------------

std::string unpacked(const std::string& text, std::size_t room) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int there = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    there += 6;
    if (there < 8) continue;
    there -= 8;
    bytes += static_cast<char>(bits >> there & 255U);
  }
  std::string out(room, '\0');
  uLongf size = room;
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                 reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != Z_OK) {
    return "not zlib data";
  }
  return out.substr(0, size);
}

TEST(PackedText, UnpacksToWhatItWas) {
  for (std::size_t length = 0; length < 40; ++length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(i * 37 % 256);
    EXPECT_EQ(unpacked(packed_text(text), 100), text) << length;
  }
}

TEST(HtmlPage, PacksLongRuns) {
  std::vector<CaseResult> results(400, full_result());
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i].number = static_cast<std::int64_t>(i) + 1;
    results[i].c.n_first_frames = static_cast<std::int64_t>(i % 4);
  }
  const std::string page = page_of(results);
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_LT(page.size(), 1'500'000U);
  EXPECT_EQ(count(page, "<tbody id="), 0U);
  EXPECT_EQ(count(page, "id=\"details-"), 13U);  // 400 / 32, rounded up
  const std::string start = "id=\"details-12\">";
  const std::size_t at = page.find(start) + start.size();
  const std::string last = unpacked(page.substr(at, page.find('<', at) - at), 4'000'000);
  EXPECT_TRUE(has(last, "<h3>Case 400</h3>"));
  EXPECT_FALSE(has(last, "<h3>Case 384</h3>"));
}

}  // namespace
}  // namespace lvsa::analysis
