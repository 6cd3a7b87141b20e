#include "analysis/report/chart_library.hpp"

#include <gtest/gtest.h>

namespace lvsa::analysis {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(ChartLibrary, IsOneScriptThatNothingInItEnds) {
  if (!has_chart_library()) GTEST_SKIP() << "built without Chart.js";
  const std::string script = chart_library_script();
  EXPECT_EQ(script.rfind("<script>", 0), 0U);
  EXPECT_EQ(count(script, "</"), 1U);
  EXPECT_EQ(script.substr(script.size() - 10), "</script>\n");
  EXPECT_GT(script.size(), 100'000U);  // whole, not cut
}

TEST(ChartLibrary, CarriesItsLicenceAndItsVersion) {
  if (!has_chart_library()) GTEST_SKIP() << "built without Chart.js";
  const std::string script = chart_library_script();
  EXPECT_NE(script.find("Permission is hereby granted"), std::string::npos);
  EXPECT_NE(script.find("Chart.js Contributors"), std::string::npos);
  EXPECT_EQ(chart_library_version().rfind("Chart.js ", 0), 0U);
  EXPECT_NE(chart_library_version().find('.', 9), std::string::npos);
}

TEST(ChartLibrary, TellsWhenItIsMissingAndOnlyThen) {
  EXPECT_EQ(has_chart_library(), chart_library_note().empty());
  EXPECT_EQ(has_chart_library(), !chart_library_script().empty());
  EXPECT_EQ(has_chart_library(), !chart_library_version().empty());
}

}  // namespace
}  // namespace lvsa::analysis
