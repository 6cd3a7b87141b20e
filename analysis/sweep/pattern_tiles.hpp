#pragma once
// The keys of a sequence in tiles of at most 64, one bit a key: what a query attends under any
// pattern is a word a tile. No tile crosses a latent frame, or the text.

#include <cstdint>
#include <span>
#include <vector>

#include "core/blocks/head_pattern.hpp"
#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {

struct KeyTile {
  std::int64_t begin = 0;  ///< first token
  std::int64_t size = 0;   ///< 1 .. 64
  std::int64_t cell = 0;   ///< latent frame; behind them the text
  std::uint64_t all() const {
    return size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
  }
};

class KeyTiles {
 public:
  explicit KeyTiles(const FrameGrid& grid);

  std::size_t count() const { return tiles_.size(); }
  const KeyTile& operator[](std::size_t i) const { return tiles_[i]; }
  std::int64_t cells() const { return cells_; }
  std::int64_t tokens() const { return static_cast<std::int64_t>(tile_of_.size()); }

  /// Sets the bits of tokens first .. last - 1.
  void mark(std::int64_t first, std::int64_t last, std::span<std::uint64_t> words) const;
  void mark(std::int64_t token, std::span<std::uint64_t> words) const;

 private:
  std::vector<KeyTile> tiles_;
  std::vector<std::int32_t> tile_of_;  // [tokens]
  std::int64_t cells_ = 0;
};

/// words[count()], cleared before: the tokens that a query token attends, which are those of
/// visible_tokens().
void mark_visible(const HeadPattern& pattern, std::int64_t query_token, const KeyTiles& tiles,
                  std::span<std::uint64_t> words);

}  // namespace lvsa::analysis
