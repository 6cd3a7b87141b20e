#pragma once
// One plain form for the index structures of both implementations, so that they can be compared
// and shown; and the frames behind them.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/pattern/index_structures.hpp"
#include "reference/pattern/metadata.hpp"
#include "tests/property/pattern_case.hpp"

namespace lvsa::property {

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// Every recorded field of LVSAMetadata.build, by its published name.
struct IndexForm {
  std::int64_t local_seq = 0;
  std::int64_t global_token_start = 0;
  std::vector<std::int64_t> global_indices;
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> local_frames;
  std::map<std::int64_t, Pairs> window_ctx;
  std::vector<std::int64_t> global_frame_mask;
  Pairs window_bounds;
  std::vector<std::vector<std::int64_t>> attended_indices;
  std::int64_t attended_C = 0;
  std::vector<std::int64_t> fi_indptr;
  std::vector<std::int64_t> fi_indices;
  std::int64_t fi_M = 0;
  std::int64_t fi_N = 0;
  std::int64_t fi_MB = 0;
  std::int64_t fi_compact_n = 0;
  Pairs fi_global_copies;
  Pairs fi_local_copies;

  /// Frames of the block columns, read back from the copy lists.
  std::vector<std::int64_t> column_frames(std::int64_t patches) const;
  /// Frames of block row r.
  reference::FrameSet row_frames(std::int64_t r, std::int64_t patches) const;
  /// Frames of the window context of a local frame.
  reference::FrameSet context_frames(std::int64_t frame, std::int64_t patches) const;
  /// Frames of row i of the attended table, without the padding's repeats.
  reference::FrameSet table_frames(std::size_t i) const;
};

/// By the fast implementation.
IndexForm core_form(const PatternCase& pattern);
/// By the restatement.
IndexForm reference_form(const PatternCase& pattern);

}  // namespace lvsa::property
