#include "analysis/report/chart_library.hpp"

#include <fmt/format.h>

namespace lvsa::analysis {

// The text of the library, in a file that the build makes.
extern const std::string_view kChartLibraryText;

namespace {

// The licence asks to stand in all copies; the library's file has only a line that names it.
constexpr std::string_view kLicence =
    R"(Copyright (c) 2014-2022 Chart.js Contributors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.)";

// Within <script>, "</script" would end it wherever it stands.
std::string without_end_tags(std::string_view script) {
  std::string safe;
  safe.reserve(script.size());
  for (std::size_t i = 0; i < script.size(); ++i) {
    safe += script[i];
    if (script[i] == '<' && i + 1 < script.size() && script[i + 1] == '/') safe += '\\';
  }
  return safe;
}

}  // namespace

bool has_chart_library() { return !kChartLibraryText.empty(); }

std::string chart_library_version() {
  constexpr std::string_view kMark = "Chart.js v";
  const std::size_t at = kChartLibraryText.find(kMark);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = kChartLibraryText.substr(at + kMark.size(), 32);
  return fmt::format("Chart.js {}", rest.substr(0, rest.find_first_not_of("0123456789.")));
}

std::string chart_library_script() {
  if (!has_chart_library()) return "";
  return fmt::format("<script>\n/* {}, MIT licence\n\n{}\n*/\n{}\n</script>\n",
                     chart_library_version(), kLicence, without_end_tags(kChartLibraryText));
}

std::string chart_library_note() {
  if (has_chart_library()) return "";
  return "<p class=\"panel soft\">Charts were left out when this program was built (no Chart.js, "
         "package libjs-chart.js, on that machine); the tables have all figures.</p>\n";
}

}  // namespace lvsa::analysis
