#pragma once
// The page of a dump: maps of the heads with the mass of each pair of frames, what the pattern
// loses of it, and the token maps.

#include <cstddef>
#include <string>
#include <string_view>

#include "analysis/maps/dump.hpp"
#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// A page of more masses, or of more weights of token maps, is refused: browsers would be slow.
inline constexpr std::size_t kMostPageMasses = 6'000'000;
inline constexpr std::size_t kMostPageWeights = 24'000'000;

/// Throws Error(kValue) where a dump of so many heads, frames and tokens in maps is too large for a
/// page; to be asked before it is computed.
void check_page_size(std::size_t heads, const DumpOptions& options, const FrameGrid& grid);

/// Self-contained, for light and dark screens and for paper.
std::string html_dump(const Dump& dump, const Provenance& provenance);

/// The same into a file, whole or not at all. Throws Error(kIo) that names the path and the reason.
void write_dump_page(const Dump& dump, const std::string& path, const Provenance& provenance);

/// The page's own parts of <style> and <script>; the controls are the end of the script.
std::string_view html_dump_style();
std::string_view html_dump_script();
std::string_view html_dump_controls();
/// The data that the script unpacks.
std::string html_dump_data(const Dump& dump);

}  // namespace lvsa::analysis
