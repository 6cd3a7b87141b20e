#pragma once
// Worst error over bound by query frame and head: small enough to stand in every report.

#include <cstdint>
#include <vector>

namespace lvsa::analysis {

/// Frames are taken together where more cells than this were checked.
inline constexpr std::size_t kMaxFrameHeadCells = 4096;

/// One cell of the map; cells without a checked row are left out.
struct FrameHeadCell {
  std::int64_t row =
      0;  ///< first query frame / frames_per_row; T / frames_per_row rounded up: text
  std::int64_t head = 0;
  double ratio = 0.0;  ///< of all batch elements, rounded up to three digits
  bool operator==(const FrameHeadCell&) const = default;
};

struct FrameHeadMap {
  std::int64_t frames_per_row = 1;
  std::vector<FrameHeadCell> cells;  ///< by row, then by head
  bool operator==(const FrameHeadMap&) const = default;
};

/// Rows of a map before the one of the text.
inline std::int64_t frame_rows(const FrameHeadMap& map, std::int64_t frames) {
  return (frames + map.frames_per_row - 1) / map.frames_per_row;
}

/// Gathers the checked rows of a case.
class FrameHeadWorst {
 public:
  /// T and H; row T is that of the text.
  FrameHeadWorst(std::int64_t frames, std::int64_t heads);
  void add(std::int64_t frame, std::int64_t head, double ratio);
  FrameHeadMap map() const;

 private:
  std::int64_t frames_;
  std::int64_t heads_;
  std::vector<double> worst_;  // [T + 1, H]; -1: not checked
};

}  // namespace lvsa::analysis
