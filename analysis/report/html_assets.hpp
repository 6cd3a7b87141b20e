#pragma once
// The fixed parts of report.html: style, script and icons. They stand in the page itself, so that
// the file works from a disk, without a network, years later.

#include <string_view>

namespace lvsa::analysis {

/// Content of <style>. Colours are variables, with a second set for dark screens.
std::string_view html_style();
/// Content of <script>: filters, pages, sorting, disclosure, copy buttons, unpacking of long runs.
/// Short runs read without it.
std::string_view html_script();
/// An invisible <svg> with one <symbol> a status, "icon-pass" and so on, and one a state of a
/// check; shapes differ, so that the colour is not the only sign.
std::string_view html_icons();

}  // namespace lvsa::analysis
