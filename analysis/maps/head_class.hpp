#pragma once
// What kind of head it is, from where its mass goes. docs/dump.md has the rule with its sources.

#include <string>
#include <string_view>

#include "analysis/maps/frame_mass.hpp"

namespace lvsa::analysis {

enum class HeadClass {
  kSpatial,   ///< attends within the query's own frame
  kTemporal,  ///< attends the query's own place in other frames
  kGlobal,    ///< attends one anchor frame or the text, whatever the query (a sink)
  kDiffuse,   ///< attends everything alike
  kMixed,     ///< none of these
};
std::string_view head_class_name(HeadClass head_class);

/// A share counts as what is above that of attention which attends all keys alike, from 0 (as much)
/// to 1 (everything): (share - uniform) / (1 - uniform).
struct HeadShares {
  double spatial = 0.0;
  double temporal = 0.0;
  double global = 0.0;
};
HeadShares head_shares(const HeadStatistics& statistics, const FrameGrid& grid,
                       const LatentSize& size);

/// From this share on a head may be of a class. Heads that follow what moves reach little more: at
/// a distance of some frames it has left the query's place.
inline constexpr double kClassShare = 0.3;
/// From this entropy over ln S on a head without such a share is diffuse.
inline constexpr double kDiffuseSpread = 0.9;

/// The class with the largest of the shares that reach kClassShare (in the order of the
/// enumeration where two are equal); else diffuse or mixed. With one frame there is no other place
/// to attend, and a head is diffuse or mixed.
HeadClass classify(const HeadStatistics& statistics, const FrameGrid& grid, const LatentSize& size);

}  // namespace lvsa::analysis
