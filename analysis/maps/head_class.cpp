#include "analysis/maps/head_class.hpp"

#include <algorithm>

namespace lvsa::analysis {
namespace {

double excess(double share, double uniform) {
  if (!(uniform < 1.0)) return 0.0;
  return std::max(0.0, (share - uniform) / (1.0 - uniform));
}

// Tokens at most kNearTokens away from a place, mean over the places of a frame.
double near_tokens(const LatentSize& size) {
  const auto side = [](std::int64_t length) {
    std::int64_t sum = 0;
    for (std::int64_t at = 0; at < length; ++at) {
      sum +=
          std::min(length - 1, at + kNearTokens) - std::max<std::int64_t>(0, at - kNearTokens) + 1;
    }
    return static_cast<double>(sum) / static_cast<double>(length);
  };
  return side(size.height) * side(size.width);
}

}  // namespace

std::string_view head_class_name(HeadClass head_class) {
  switch (head_class) {
    case HeadClass::kSpatial:
      return "spatial";
    case HeadClass::kTemporal:
      return "temporal";
    case HeadClass::kGlobal:
      return "global";
    case HeadClass::kDiffuse:
      return "diffuse";
    case HeadClass::kMixed:
      break;
  }
  return "mixed";
}

HeadShares head_shares(const HeadStatistics& statistics, const FrameGrid& grid,
                       const LatentSize& size) {
  const auto keys = static_cast<double>(grid.seq_len());
  const double frame = static_cast<double>(grid.patches_per_frame) / keys;
  const double places = static_cast<double>(grid.frames - 1) * near_tokens(size) / keys;
  if (grid.frames == 1) return {};
  HeadShares shares;
  shares.spatial = excess(statistics.own_frame, frame);
  shares.temporal = excess(statistics.same_place, places);
  shares.global = std::max(excess(statistics.anchor, frame),
                           excess(statistics.text, static_cast<double>(grid.text_tokens) / keys));
  return shares;
}

HeadClass classify(const HeadStatistics& statistics, const FrameGrid& grid,
                   const LatentSize& size) {
  const HeadShares shares = head_shares(statistics, grid, size);
  HeadClass best = HeadClass::kMixed;
  double most = 0.0;
  const auto offer = [&](HeadClass head_class, double share) {
    if (share < kClassShare || share <= most) return;
    best = head_class;
    most = share;
  };
  offer(HeadClass::kSpatial, shares.spatial);
  offer(HeadClass::kTemporal, shares.temporal);
  offer(HeadClass::kGlobal, shares.global);
  if (best == HeadClass::kMixed && statistics.spread >= kDiffuseSpread) return HeadClass::kDiffuse;
  return best;
}

}  // namespace lvsa::analysis
