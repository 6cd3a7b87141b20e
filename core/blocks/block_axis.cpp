#include "core/blocks/block_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace lvsa {

BlockAxis BlockAxis::uniform(std::int64_t tokens, std::int64_t block) {
  if (tokens < 1)
    throw Error(ErrorKind::kValue, fmt::format("tokens={}: at least 1 is due", tokens));
  if (block < 1) throw Error(ErrorKind::kValue, fmt::format("block={}: at least 1 is due", block));
  BlockAxis axis;
  for (std::int64_t begin = 0; begin < tokens; begin += std::min(block, tokens - begin)) {
    axis.begins_.push_back(begin);
  }
  axis.begins_.push_back(tokens);
  axis.largest_ = std::min(block, tokens);
  return axis;
}

BlockAxis BlockAxis::of_begins(std::vector<std::int64_t> begins) {
  if (begins.size() < 2 || begins.front() != 0) {
    throw Error(ErrorKind::kValue, "block begins: two entries at least are due, the first one 0");
  }
  BlockAxis axis;
  for (std::size_t b = 1; b < begins.size(); ++b) {
    if (begins[b] <= begins[b - 1]) {
      throw Error(ErrorKind::kValue,
                  fmt::format("block begins: entry {} is {} after {}, they must ascend", b,
                              begins[b], begins[b - 1]));
    }
    axis.largest_ = std::max(axis.largest_, begins[b] - begins[b - 1]);
  }
  axis.begins_ = std::move(begins);
  return axis;
}

std::int64_t BlockAxis::block_of(std::int64_t token) const {
  const auto after = std::upper_bound(begins_.begin(), begins_.end(), token);
  return after - begins_.begin() - 1;
}

}  // namespace lvsa
