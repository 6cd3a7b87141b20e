#include "tests/sparse_static/sparse_case.hpp"

#include <fmt/format.h>

namespace lvsa::sparse_test {

PatternInput input_of(const reference::SparseVideo& video) {
  PatternInput input;
  input.video.grid = make_frame_grid(video.frames, video.frame_tokens(), video.text);
  input.video.height = video.height;
  input.video.width = video.width;
  return input;
}

HeadPattern pattern_of(const std::string& words, const reference::SparseVideo& video,
                       std::int64_t step) {
  PatternInput input = input_of(video);
  input.step = step;
  HeadPattern pattern = make_rule(words)->make(input);
  check_head_pattern(pattern, words);
  return pattern;
}

reference::TokenMask token_mask(const HeadPattern& pattern) {
  const auto rows = static_cast<std::size_t>(pattern.map.rows.tokens());
  const auto columns = static_cast<std::size_t>(pattern.map.columns.tokens());
  reference::TokenMask mask(rows, std::vector<std::uint8_t>(columns, 0));
  for (std::size_t token = 0; token < rows; ++token) {
    for (const KeyRange& range : visible_tokens(pattern, static_cast<std::int64_t>(token))) {
      for (std::int64_t key = range.first; key < range.second; ++key) {
        mask[token][static_cast<std::size_t>(key)] = 1;
      }
    }
  }
  return mask;
}

rc::Gen<reference::SparseVideo> any_video(std::int64_t most_frames, std::int64_t most_side) {
  return rc::gen::exec([most_frames, most_side] {
    reference::SparseVideo video;
    video.frames = *rc::gen::inRange<std::int64_t>(1, most_frames + 1);
    video.height = *rc::gen::inRange<std::int64_t>(1, most_side + 1);
    video.width = *rc::gen::inRange<std::int64_t>(1, most_side + 1);
    video.text = *rc::gen::weightedOneOf<std::int64_t>(
        {{3, rc::gen::just<std::int64_t>(0)},
         {3, rc::gen::inRange<std::int64_t>(1, 40)},
         {1, rc::gen::element<std::int64_t>(64, 128, 226, 512)}});
    return video;
  });
}

std::string describe(const reference::SparseVideo& video) {
  return fmt::format("T={} h={} w={} text={}", video.frames, video.height, video.width, video.text);
}

}  // namespace lvsa::sparse_test
