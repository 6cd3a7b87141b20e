#pragma once
// The JavaScript library that draws the charts of interactive pages: Chart.js, embedded at build
// time (cmake/chart_library.cmake), so that a page works from a disk, without a network.

#include <string>
#include <string_view>

namespace lvsa::analysis {

/// Whether the build found the library. Pages without it keep their tables.
bool has_chart_library();

/// "Chart.js 3.9.1"; empty without the library.
std::string chart_library_version();

/// <script> that defines the global `Chart`, with the library's licence, as that asks for; without
/// the library an empty text. A page that has a Content-Security-Policy must allow inline scripts
/// and styles.
std::string chart_library_script();

/// A <p> for the place of a chart: says that charts were left out at build; empty with the library.
std::string chart_library_note();

}  // namespace lvsa::analysis
