#pragma once
// Everything that LVSAMetadata.build derives from the pattern, for one rank of a world. Source:
// LVSA 1.2 behaviour, derived index structures; condition_frames are 1.3.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "reference/pattern/frame_set.hpp"
#include "reference/pattern/window.hpp"

namespace lvsa::reference {

/// The arguments of LVSAMetadata.build, by their published names.
struct MetadataArguments {
  std::int64_t total_latent_frames = 1;
  std::int64_t num_patches = 1;                    ///< tokens per latent frame
  std::int64_t window_size = 0;                    ///< half width, latent frames
  std::int64_t n_first_frames = 0;                 ///< latent frames
  std::optional<std::int64_t> key_frame_interval;  ///< latent frames
  std::int64_t rank = 0;
  std::int64_t world = 1;
  bool expand_window = true;
  std::int64_t keyframe_offset = 0;            ///< latent frames
  std::vector<std::int64_t> boundary_guards;   ///< latent frames, all in the video
  std::vector<std::int64_t> condition_frames;  ///< latent frames; those outside are ignored
};

/// A frame of which the rank holds at least one token, with the tokens counted from the rank's
/// first one.
struct LocalFrame {
  std::int64_t frame = 0;
  TokenRange tokens;
  bool operator==(const LocalFrame&) const = default;
};

/// "Copy one frame, num_patches tokens, from `source` to `target`" (token numbers).
struct FrameCopy {
  std::int64_t source = 0;
  std::int64_t target = 0;
  bool operator==(const FrameCopy&) const = default;
};

/// Block rows over blocks of num_patches x num_patches tokens (the recorded fi_* fields).
struct BlockRows {
  std::vector<std::int64_t> indptr;      ///< [MB + 1]
  std::vector<std::int64_t> indices;     ///< [indptr.back()], columns, increasing in each row
  std::int64_t M = 0;                    ///< query tokens, padded to whole blocks
  std::int64_t N = 0;                    ///< tokens of the compact keys and values
  std::int64_t MB = 0;                   ///< rows: ceil(local_seq / num_patches)
  std::int64_t compact_n = 0;            ///< columns: frames that any row attends
  std::vector<FrameCopy> global_copies;  ///< from the gathered global frames, in column order
  std::vector<FrameCopy> local_copies;   ///< from the rank's own tokens, in column order
};

/// The recorded output of LVSAMetadata.build, by its published names.
struct Metadata {
  std::int64_t local_seq = 0;           ///< tokens of this rank
  std::int64_t global_token_start = 0;  ///< number of its first token in the whole sequence
  std::vector<std::int64_t> global_indices;
  std::vector<LocalFrame> local_frames;
  /// For each local frame, the tokens of its window frames that are not global, as far as this
  /// rank holds them.
  std::map<std::int64_t, std::vector<TokenRange>> window_ctx;
  std::vector<std::int64_t> global_frame_mask;  ///< [total_latent_frames], 0 or 1
  std::vector<WindowBounds> window_bounds;      ///< [total_latent_frames]
  /// [local_frames, attended_C]: attended frames of the whole video (not clipped to the rank),
  /// shorter rows padded by repeating their last entry.
  std::vector<std::vector<std::int64_t>> attended_indices;
  std::int64_t attended_C = 0;
  BlockRows block_rows;
};

/// Derives all structures.
///
/// Three facts that a consumer has to know, kept as published: attended_indices is not clipped to
/// the rank while window_ctx and the block rows are; row r of the block rows stands for the r-th
/// local frame although its tokens start at r * num_patches of the rank; the source of a local
/// copy is where the frame would start on the rank, so it is negative, or its end lies behind the
/// rank's last token, for a frame of which the rank holds a part only.
///
/// @throws lvsa::Error ValueError when a size is out of range, the tokens do not divide by the
///         world, the rank is not of the world, or a guard lies outside the video
Metadata build_metadata(const MetadataArguments& arguments);

}  // namespace lvsa::reference
