#pragma once
// What pages with charts share: the script around the chart library, their style, their data.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// From <!DOCTYPE> to the icons within <body>; `title` and `skip_to` (an id) as plain text.
std::string chart_page_head(std::string_view title, std::string_view skip_to,
                            std::string_view skip_text);
/// The library, the shared script and the page's own, then the end of the page.
std::string chart_page_end(std::string_view own_script);

/// Content of <style>, after html_style().
std::string_view html_charts_style();
/// Defines `lvsaPage` for the page's own script: packed data, numbers as text, colours of both
/// themes and of print, scatter charts, tables that sort.
std::string_view html_charts_script();

/// <script type="text/plain" id=...> with zlib data as base64, for lvsaPage.unpackJson().
std::string packed_element(std::string_view id, std::string_view json);
/// The same for floats, for lvsaPage.unpackFloats(): rounded to four and a half digits, and byte by
/// byte apart, since that packs well.
std::string packed_floats(std::string_view id, std::span<const double> values);

/// [1,2.5,null]: seven significant digits, null for NaN, "Infinity" as text.
std::string json_numbers(std::span<const double> values);
/// A string with its quotes; safe within <script>.
std::string json_text(std::string_view text);

}  // namespace lvsa::analysis
