#pragma once
// All pictures of a dump, with their names.

#include <functional>
#include <string>
#include <vector>

#include "analysis/maps/dump.hpp"
#include "analysis/maps/map_painter.hpp"

namespace lvsa::analysis {

enum class Pictures {
  kNone,
  kSheets,  ///< one a layer and step (and batch element), with all its heads
  kHeads,   ///< one a head besides
};

struct PictureOptions {
  Pictures pictures = Pictures::kSheets;
  ColourScale scale;
};

/// More files than this are refused.
inline constexpr std::size_t kMaxPictures = 4000;

/// Throws Error(kValue) for more than kMaxPictures and for frames beyond kMaxSheetFrames: to be
/// asked before masses are computed.
void check_pictures(const std::vector<SampleId>& heads, const FrameGrid& grid,
                    std::size_t token_maps, const PictureOptions& options);

/// Takes the bytes of a file; names have no folder, and sort as layer, step, head and row do.
using TakeFile = std::function<void(const std::string& name, const std::string& bytes)>;

/// maps_layer003_step010.png and .svg, and with several steps steps_layer003.png, which moves
/// through them; head_layer003_step010_head05.png and .svg; row_..._f10y15x26.png and .svg for
/// token maps. What is not known of layer and step is left out of the names. Throws Error(kValue)
/// for more than kMaxPictures, and as the drawings do.
void draw_pictures(const Dump& dump, const PictureOptions& options, const TakeFile& take);

}  // namespace lvsa::analysis
