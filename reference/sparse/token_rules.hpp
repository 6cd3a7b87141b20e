#pragma once
// Static patterns said token by token, straight from their publications: for tests, slow, whole
// masks in memory.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace lvsa::reference {

/// mask[query][key]: whether the pair is attended. Tokens are those of the sequence: frame, then
/// row, then column, text behind.
using TokenMask = std::vector<std::vector<std::uint8_t>>;

/// A video of T frames of h x w tokens, and text.
struct SparseVideo {
  std::int64_t frames = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t text = 0;
  std::int64_t frame_tokens() const { return height * width; }
  std::int64_t video_tokens() const { return frames * height * width; }
  std::int64_t tokens() const { return video_tokens() + text; }
};

/// LVSA in latent frames; without an interval the automatic one, 0: no keyframes.
struct LvsaWords {
  double scale = 1.0;
  std::int64_t window = 3;
  std::int64_t n_first = 1;
  std::int64_t reference = 21;
  std::optional<std::int64_t> interval;
  bool expand = true;
  bool rotate = false;
  std::int64_t offset = 0;
  std::int64_t step = 0;
  std::vector<std::int64_t> condition;
};
TokenMask lvsa_token_mask(const SparseVideo& video, const LvsaWords& words);

/// Radial attention. `sink`: key frame 0 is attended by all (Wan).
struct RadialWords {
  double decay = 1.0;
  bool sink = true;
};
TokenMask radial_token_mask(const SparseVideo& video, const RadialWords& words);
/// The same as the published code makes it: blocks of 128 that are kept, [query block][key block]
/// over ceil(tokens / 128) blocks. Each pair of frames has its token mask cut into blocks on its
/// own and rated; a block is kept that any pair of frames keeps.
TokenMask radial_block_mask(const SparseVideo& video, const RadialWords& words);
/// As the publication says it: the mask of all video tokens cut into blocks at once.
TokenMask radial_whole_block_mask(const SparseVideo& video, const RadialWords& words);

/// Sliding tile attention: tiles of `tile` tokens and windows of `window` tiles, both for time,
/// height, width; tiles at the far ends may be smaller. `exact_even`: windows of an even number of
/// tiles reach one tile less to the right, as in later code; else window / 2 to both sides.
struct TileWords {
  std::array<std::int64_t, 3> tile{6, 8, 8};
  std::array<std::int64_t, 3> window{3, 3, 3};
  bool exact_even = false;
};
TokenMask sliding_tile_mask(const SparseVideo& video, const TileWords& words);
/// The tokens in tile-major order, text behind.
std::vector<std::int64_t> tile_major_order(const SparseVideo& video, const TileWords& words);

}  // namespace lvsa::reference
