#include "tests/sparse_dynamic/head_sample.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace lvsa::sparse_test {
namespace {

// Near enough to a normal distribution, the same with every standard library.
double normal(std::mt19937_64& random) {
  double sum = 0.0;
  for (int i = 0; i < 4; ++i) sum += std::ldexp(static_cast<double>(random() >> 11), -53) - 0.5;
  return sum * 1.7;
}

std::vector<double> noise(std::mt19937_64& random, std::int64_t dim) {
  std::vector<double> row(static_cast<std::size_t>(dim));
  for (double& x : row) x = normal(random);
  return row;
}

Tensor to_tensor(const Rows& rows, DType dtype) {
  Tensor tensor(dtype,
                {1, static_cast<std::int64_t>(rows.size()), 1,
                 static_cast<std::int64_t>(rows.front().size())},
                Layout::kBSHD);
  std::byte* to = tensor.bytes();
  for (const auto& row : rows) {
    for (const double x : row) {
      encode(dtype, x, to);
      to += dtype_bytes(dtype);
    }
  }
  return tensor;
}

}  // namespace

Rows make_rows(std::int64_t tokens, std::int64_t dim, DType dtype, Fill fill, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Rows anchors;
  for (int i = 0; i < 3; ++i) anchors.push_back(noise(random, dim));
  Rows rows;
  std::size_t anchor = 0;
  for (std::int64_t s = 0; s < tokens; ++s) {
    std::vector<double> row = anchors[0];
    if (fill == Fill::kNoise) row = noise(random, dim);
    if (fill == Fill::kFew) row = anchors[random() % 3];
    if (fill == Fill::kBlobs) {
      if (random() % 7 == 0) anchor = random() % 3;
      const std::vector<double> grain = noise(random, dim);
      for (std::size_t d = 0; d < row.size(); ++d)
        row[d] = 2.0 * anchors[anchor][d] + 0.3 * grain[d];
    }
    for (double& x : row) x = round_to_dtype(dtype, x);
    rows.push_back(std::move(row));
  }
  return rows;
}

HeadSample::HeadSample(VideoGrid video_, std::int64_t dim, DType dtype_, Fill q_fill, Fill k_fill,
                       std::uint64_t seed)
    : video(video_),
      dtype(dtype_),
      q(make_rows(video.grid.seq_len(), dim, dtype, q_fill, seed)),
      k(make_rows(video.grid.seq_len(), dim, dtype, k_fill, seed + 1)),
      v(make_rows(video.grid.seq_len(), dim, dtype, Fill::kNoise, seed + 2)),
      q_tensor(to_tensor(q, dtype)),
      k_tensor(to_tensor(k, dtype)),
      v_tensor(to_tensor(v, dtype)) {}

reference::VideoHead HeadSample::video_head() const {
  return {video.grid.frames, video.height, video.width, video.grid.text_tokens, dtype, q, k, {}};
}

VideoGrid video_of(std::int64_t frames, std::int64_t height, std::int64_t width,
                   std::int64_t text) {
  return {make_frame_grid(frames, height * width, text), height, width};
}

rc::Gen<Fill> any_fill() {
  return rc::gen::weightedElement<Fill>(
      {{2, Fill::kNoise}, {4, Fill::kBlobs}, {1, Fill::kConstant}, {2, Fill::kFew}});
}

rc::Gen<double> any_share() {
  return rc::gen::weightedOneOf<double>(
      {{1, rc::gen::element(0.0, 1.0)},
       {4, rc::gen::map(rc::gen::inRange(0, 1001), [](int n) { return n / 1000.0; })}});
}

void assert_restated(const HeadPattern& pattern, const reference::TokenPattern& due,
                     const HeadSample& sample) {
  check_head_pattern(pattern, "pattern");
  RC_ASSERT(pattern.choice == due.choice);
  const auto tokens = static_cast<std::int64_t>(sample.q.size());
  const Permutation order = pattern.order.value_or(Permutation::identity(tokens));
  RC_ASSERT(
      std::equal(order.tokens().begin(), order.tokens().end(), due.order.begin(), due.order.end()));
  const Permutation back = order.inverse();
  Rows there(sample.q.size());
  Rows returned(sample.q.size());
  for (std::int64_t i = 0; i < tokens; ++i) {
    there[std::size_t(i)] = sample.q[std::size_t(order.token(i))];
  }
  for (std::int64_t i = 0; i < tokens; ++i) {
    returned[std::size_t(i)] = there[std::size_t(back.token(i))];
  }
  RC_ASSERT(returned == sample.q);
  RC_ASSERT(attended(pattern) == due.attends);
}

PatternInput HeadSample::input(std::int64_t head) const {
  PatternInput input;
  input.video = video;
  input.q = q_tensor.view();
  input.k = k_tensor.view();
  input.scale = 1.0 / std::sqrt(static_cast<double>(q.front().size()));
  input.head = head;
  input.heads = std::max<std::int64_t>(head + 1, 1);
  return input;
}

std::vector<std::vector<bool>> attended(const HeadPattern& pattern) {
  const auto tokens = static_cast<std::size_t>(pattern.map.rows.tokens());
  std::vector<std::vector<bool>> pairs(tokens, std::vector<bool>(tokens, false));
  for (std::size_t i = 0; i < tokens; ++i) {
    for (const KeyRange& keys : visible_tokens(pattern, static_cast<std::int64_t>(i))) {
      for (std::int64_t j = keys.first; j < keys.second; ++j) {
        pairs[i][static_cast<std::size_t>(j)] = true;
      }
    }
  }
  return pairs;
}

std::vector<std::vector<bool>> blocks_of(const BlockMap& map) {
  std::vector<std::vector<bool>> blocks;
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    blocks.emplace_back(static_cast<std::size_t>(map.columns.blocks()), false);
    for (const std::int32_t c : map.row(r)) blocks.back()[static_cast<std::size_t>(c)] = true;
  }
  return blocks;
}

}  // namespace lvsa::sparse_test
