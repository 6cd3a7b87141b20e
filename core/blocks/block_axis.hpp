#pragma once
// A sequence of tokens cut into consecutive blocks.

#include <cstdint>
#include <vector>

namespace lvsa {

class BlockAxis {
 public:
  BlockAxis() = default;
  /// Blocks of `block` tokens, the last one shorter where it does not divide. Throws Error(kValue)
  /// unless tokens >= 1 and block >= 1.
  static BlockAxis uniform(std::int64_t tokens, std::int64_t block);
  /// Block b holds the tokens begins[b] .. begins[b + 1] - 1. Throws Error(kValue) naming the place
  /// unless there are two entries at least, the first is 0 and they ascend.
  static BlockAxis of_begins(std::vector<std::int64_t> begins);

  std::int64_t tokens() const { return begins_.empty() ? 0 : begins_.back(); }
  std::int64_t blocks() const { return begins_.empty() ? 0 : std::int64_t(begins_.size()) - 1; }
  std::int64_t begin(std::int64_t b) const { return begins_[static_cast<std::size_t>(b)]; }
  std::int64_t end(std::int64_t b) const { return begins_[static_cast<std::size_t>(b) + 1]; }
  std::int64_t size(std::int64_t b) const { return end(b) - begin(b); }
  /// Tokens of the largest block.
  std::int64_t largest() const { return largest_; }
  /// The block that holds a token.
  std::int64_t block_of(std::int64_t token) const;
  /// [blocks() + 1].
  const std::vector<std::int64_t>& begins() const { return begins_; }

  bool operator==(const BlockAxis&) const = default;

 private:
  std::vector<std::int64_t> begins_;
  std::int64_t largest_ = 0;
};

}  // namespace lvsa
