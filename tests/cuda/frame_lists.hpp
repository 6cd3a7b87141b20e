#pragma once
// What cases of different kernels have in common: members frames, patches, text, and list(f), the
// frames that frame f attends, ascending.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lvsa::cuda::test {

/// Frames that a frame attends where a case has no lists of its own: one on each side.
inline std::vector<std::int32_t> window_of_one(std::int64_t frames, std::int64_t frame) {
  std::vector<std::int32_t> window;
  for (std::int64_t f = std::max<std::int64_t>(0, frame - 1); f <= std::min(frames - 1, frame + 1);
       ++f) {
    window.push_back(static_cast<std::int32_t>(f));
  }
  return window;
}

/// The lists of a case as offsets and entries.
template <typename Case>
void flatten(const Case& c, std::vector<std::int64_t>& offsets, std::vector<std::int32_t>& list) {
  offsets = {0};
  list.clear();
  for (std::int64_t f = 0; f < c.frames; ++f) {
    for (const std::int32_t key : c.list(f)) list.push_back(key);
    offsets.push_back(static_cast<std::int64_t>(list.size()));
  }
  list.reserve(1);  // a list without entries still has an address
}

/// Tokens that a token attends: text attends all, and all attend the text.
template <typename Case>
std::vector<std::int64_t> keys_of(const Case& c, std::int64_t token) {
  std::vector<std::int64_t> keys;
  const std::int64_t video = c.frames * c.patches;
  if (token >= video) {
    for (std::int64_t s = 0; s < video; ++s) keys.push_back(s);
  } else {
    for (const std::int32_t f : c.list(token / c.patches)) {
      for (std::int64_t i = 0; i < c.patches; ++i) keys.push_back(f * c.patches + i);
    }
  }
  for (std::int64_t s = video; s < video + c.text; ++s) keys.push_back(s);
  return keys;
}

}  // namespace lvsa::cuda::test
