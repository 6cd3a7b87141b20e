#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "analysis/report/chart_library.hpp"
#include "analysis/report/html_charts.hpp"
#include "analysis/report/html_sweep.hpp"
#include "analysis/report/html_sweep_data.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// What stands between <script ... id="ID"> and its end, unpacked.
std::string unpacked(const std::string& html, const std::string& id) {
  const std::size_t tag = html.find("id=\"" + id + "\">");
  if (tag == std::string::npos) return "";
  const std::size_t begin = html.find('>', tag) + 1;
  const std::string_view text(html.data() + begin, html.find('<', begin) - begin);
  static const std::string kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string packed;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(kDigits.find(c));
    held += 6;
    if (held < 8) continue;
    held -= 8;
    packed += static_cast<char>(bits >> held & 0xffU);
  }
  std::string raw(std::size_t{1} << 20, '\0');
  uLongf size = raw.size();
  const int status = uncompress(reinterpret_cast<Bytef*>(raw.data()), &size,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  EXPECT_EQ(status, Z_OK);
  raw.resize(size);
  return raw;
}

std::vector<float> unpacked_floats(const std::string& html, const std::string& id) {
  const std::string planes = unpacked(html, id);
  const std::size_t count = planes.size() / 4;
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    char bytes[4];
    for (std::size_t k = 0; k < 4; ++k) bytes[k] = planes[k * count + i];
    std::memcpy(&values[i], bytes, 4);
  }
  return values;
}

// Three windows and two scales; the error falls with the density.
SweepResults sample_sweep() {
  SweepResults results;
  results.grid = {21, 6, 2};
  results.identity = "a <b> & \"c\"</script>";
  results.samples = {{"x", 3, 10, 0, 0}, {"x", 3, 10, 0, 1}, {"x", 7, 10, 0, 0}};
  results.sample_classes = {"spatial", "global", "spatial"};
  const SampleId excluded{"x", 7, 10, 0, 1};
  results.excluded.push_back({excluded, "a NaN <here>"});
  results.provenance = {{"version", "0.1.0"}};
  for (const std::int64_t window : {1, 2, 3}) {
    for (const double scale : {0.5, 1.0}) {
      SweepSetting setting;
      setting.window = window;
      setting.scale = scale;
      results.settings.push_back(setting);
      SettingFigures figures;
      figures.token_density = 0.1 * static_cast<double>(window) * (1.0 + scale);
      figures.expected_speedup = 1.0 / figures.token_density;
      results.figures.push_back(figures);
      for (std::size_t s = 0; s < results.samples.size(); ++s) {
        MetricValues values{};
        const double error = (1.0 - figures.token_density) * (1.0 + 0.1 * static_cast<double>(s));
        values[static_cast<std::size_t>(Metric::kRelativeL2)] = error;
        values[static_cast<std::size_t>(Metric::kRecallMean)] = 1.0 - error / 2.0;
        values[static_cast<std::size_t>(Metric::kPsnr)] = INFINITY;
        values[static_cast<std::size_t>(Metric::kCosineMin)] = s == 1 ? NAN : 0.5;
        results.values.push_back(values);
      }
    }
  }
  return results;
}

nlohmann::json data_of(const std::string& html) {
  return nlohmann::json::parse(unpacked(html, "sweep-data"));
}

TEST(SweepPage, HoldsTheFiguresOfAllSettings) {
  const SweepResults results = sample_sweep();
  const nlohmann::json data = data_of(html_sweep(results));
  EXPECT_EQ(data["words"].size(), 6U);
  EXPECT_EQ(data["words"][1].get<std::string>(), setting_words(results.settings[1]));
  ASSERT_EQ(data["axes"].size(), 2U);  // what does not differ is no axis
  EXPECT_EQ(data["axes"][0]["name"].get<std::string>(), "W");
  EXPECT_EQ(data["axes"][1]["values"].dump(), R"(["0.5","1"])");
  for (const auto& column : data["columns"]) {
    ASSERT_EQ(column["values"].size(), 6U) << column["key"];
    if (column["key"] != "recall") continue;
    EXPECT_NEAR(column["values"][2].get<double>(), pooled(results, 2, Metric::kRecallMean), 1e-6);
  }
  EXPECT_EQ(data["samples"].size(), 3U);
  EXPECT_EQ(data["samples"][1]["class"].get<std::string>(), "global");
}

TEST(SweepPage, HoldsTheValuesOfSingleSamplesToFourDigits) {
  const SweepResults results = sample_sweep();
  const std::string html = html_sweep(results);
  for (const Metric metric : {Metric::kRelativeL2, Metric::kPsnr, Metric::kCosineMin}) {
    const auto at = static_cast<std::size_t>(metric);
    const std::vector<float> values = unpacked_floats(html, "values-" + std::to_string(at));
    ASSERT_EQ(values.size(), results.values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double due = results.values[i][at];
      if (std::isfinite(due)) {
        EXPECT_NEAR(values[i], due, 2e-5 * std::abs(due));
      } else {
        EXPECT_EQ(std::isnan(values[i]), std::isnan(due));
        EXPECT_EQ(std::isinf(values[i]), std::isinf(due));
      }
    }
  }
}

TEST(SweepPage, LargestFloatsStayFinite) {
  const std::vector<double> values = {3.4028234e38, -3.4028234e38, 1e-45, 0.0, 1e300};
  const std::vector<float> read = unpacked_floats(packed_floats("v", values), "v");
  EXPECT_TRUE(std::isfinite(read[0]) && std::isfinite(read[1]));
  EXPECT_EQ(read[3], 0.0F);
  EXPECT_TRUE(std::isinf(read[4]));  // beyond what a float holds
}

TEST(SweepPage, ReadsWithoutScript) {
  const SweepResults results = sample_sweep();
  FrontRequest request;
  request.requirements = {parse_requirement("recall>=0.6")};
  const std::string html = html_sweep(results, request);
  const Front front = find_front(results, request);
  ASSERT_TRUE(front.best.has_value());
  EXPECT_NE(html.find("Best under recall&gt;=0.6"), std::string::npos);
  const std::string words = setting_words(results.settings[*front.best]);
  EXPECT_NE(html.find("<span class=\"mono\">" + words), std::string::npos);
  for (const std::size_t i : front.settings) {
    EXPECT_NE(html.find("<th scope=\"row\" class=\"mono\">" + setting_words(results.settings[i])),
              std::string::npos);
  }
  EXPECT_NE(html.find("<svg class=\"figure\""), std::string::npos);
}

TEST(SweepPage, TellsWhenNothingMeetsARequirement) {
  FrontRequest request;
  request.requirements = {parse_requirement("recall>=0.999")};
  const std::string html = html_sweep(sample_sweep(), request);
  EXPECT_NE(html.find("No setting meets recall"), std::string::npos);
  EXPECT_TRUE(data_of(html)["best"].is_null());
}

TEST(SweepPage, EscapesForeignTextAndFetchesNothing) {
  const std::string html = html_sweep(sample_sweep());
  EXPECT_EQ(html.find("<b> &"), std::string::npos);
  EXPECT_NE(html.find("a &lt;b&gt; &amp; &quot;c&quot;&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(html.find("a NaN &lt;here&gt;"), std::string::npos);
  EXPECT_EQ(html.find("src=\"http"), std::string::npos);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(SweepPage, HoldsTheLibraryOrSaysThatItIsMissing) {
  const std::string html = html_sweep(sample_sweep());
  EXPECT_EQ(html.find("Charts were left out") == std::string::npos, has_chart_library());
  EXPECT_EQ(html.find("Permission is hereby granted") != std::string::npos, has_chart_library());
}

TEST(SweepPage, LeavesOutSamplesThatAreTooMany) {
  SweepResults results = sample_sweep();
  EXPECT_EQ(page_metrics(results).size(), kMetricCount);
  results.samples.resize(kMostPageValues / results.settings.size() / 2);  // two metrics fit
  const std::vector<Metric> kept = page_metrics(results);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0], Metric::kRelativeL2);
  EXPECT_EQ(kept[1], Metric::kRecallMean);
}

TEST(SweepPage, AnUnwritablePathIsAnError) {
  EXPECT_THROW(write_sweep_page(sample_sweep(), "/no/such/folder/page.html"), Error);
}

}  // namespace
}  // namespace lvsa::analysis
