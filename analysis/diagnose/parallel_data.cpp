#include "analysis/diagnose/parallel_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {
namespace {

using reference::HeadTensor;

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Bell-shaped with standard deviation 1: twelve uniform numbers, so that no function of libm has a
// say in the values.
HeadTensor random_tensor(std::int64_t tokens, std::int64_t heads, std::int64_t dim,
                         std::uint64_t seed) {
  HeadTensor tensor(tokens, heads, dim);
  std::uint64_t counter = mix(seed);
  for (double& value : tensor.data) {
    double sum = -6.0;
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t bits = mix(counter++);
      for (int part = 0; part < 4; ++part) {
        sum += (static_cast<double>((bits >> (16 * part)) & 0xffff) + 0.5) / 65536.0;
      }
    }
    value = sum;
  }
  return tensor;
}

TensorView view(const HeadTensor& tensor) {
  const std::int64_t width = tensor.heads * tensor.dim;
  return {tensor.data.data(),
          LVSA_F64,
          {1, tensor.tokens, tensor.heads, tensor.dim},
          {tensor.tokens * width, width, tensor.dim, 1}};
}

void check_sizes(const ParallelShape& shape) {
  const std::int64_t tokens =
      make_frame_grid(shape.grid.frames, shape.grid.patches_per_frame, shape.grid.text_tokens)
          .seq_len();
  const std::int64_t width =
      checked_product(shape.heads.query, shape.head_dim, "heads x head size of a parallel check");
  const std::int64_t elements = checked_product(tokens, width, "elements of a parallel check");
  constexpr std::int64_t kMost = std::int64_t{1} << 26;  // four such tensors of doubles
  if (elements > kMost) {
    throw Error(ErrorKind::kValue,
                fmt::format("parallel check of {} tokens x {} heads x {}: at most {} elements are "
                            "computed; fewer patches, heads or a smaller head size are due",
                            tokens, shape.heads.query, shape.head_dim, kMost));
  }
}

std::vector<std::uint8_t> choose_rows(const ParallelShape& shape) {
  const std::int64_t tokens = shape.grid.seq_len();
  if (shape.rows == 0 || shape.rows >= tokens) {
    return std::vector<std::uint8_t>(static_cast<std::size_t>(tokens), 1);
  }
  std::vector<std::uint8_t> wanted(static_cast<std::size_t>(tokens), 0);
  const std::int64_t video = shape.grid.video_tokens();
  for (std::int64_t i = 0; i < shape.rows; ++i) {  // evenly, not in step with frames
    const auto place = static_cast<double>(i) / static_cast<double>(shape.rows);
    wanted[static_cast<std::size_t>(place * static_cast<double>(video))] = 1;
  }
  for (std::int64_t r = 0; r < shape.world; ++r) {
    const auto own = reference::chunk_of(video, shape.world, r);
    if (own.begin == own.end) continue;
    wanted[static_cast<std::size_t>(own.begin)] = 1;
    wanted[static_cast<std::size_t>(own.end - 1)] = 1;
  }
  const std::int64_t text = std::min<std::int64_t>(shape.grid.text_tokens, 8);
  for (std::int64_t i = 0; i < text; ++i) wanted[static_cast<std::size_t>(video + i)] = 1;
  return wanted;
}

}  // namespace

void attend_single_rank(const ParallelData& data,
                        const std::vector<std::vector<std::int32_t>>& lists, std::int64_t begin,
                        std::int64_t end, HeadTensor& out, HeadTensor& lse) {
  const reference::AttentionProblem problem{view(data.q),    view(data.k), view(data.v),
                                            data.shape.grid, data.scale,   lists};
  std::vector<reference::RowId> rows;
  for (std::int64_t t = begin; t < end; ++t) {
    if (data.wanted[static_cast<std::size_t>(t)] == 0) continue;
    for (std::int64_t h = 0; h < data.q.heads; ++h) rows.push_back({0, t, h});
  }
  const auto results = reference::attend_rows(problem, rows, {});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy(results[i].out.begin(), results[i].out.end(), out.row(rows[i].token, rows[i].head));
    *lse.row(rows[i].token, rows[i].head) = results[i].lse;
  }
}

ParallelData make_parallel_data(const ParallelShape& shape) {
  check_sizes(shape);
  ParallelData data;
  data.shape = shape;
  data.shape.pattern.frames = shape.grid.frames;
  data.pattern = build_frame_pattern(data.shape.pattern);
  for (std::int64_t f = 0; f < shape.grid.frames; ++f) {
    const auto row = data.pattern.row(f);
    data.lists.emplace_back(row.begin(), row.end());
  }
  const std::int64_t tokens = shape.grid.seq_len();
  data.q = random_tensor(tokens, shape.heads.query, shape.head_dim, 3 * shape.seed);
  data.k = random_tensor(tokens, shape.heads.key_value, shape.head_dim, 3 * shape.seed + 1);
  data.v = random_tensor(tokens, shape.heads.key_value, shape.head_dim, 3 * shape.seed + 2);
  data.scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  data.wanted = choose_rows(shape);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  data.out = HeadTensor(tokens, shape.heads.query, shape.head_dim, nan);
  data.lse = HeadTensor(tokens, shape.heads.query, 1, nan);
  attend_single_rank(data, data.lists, 0, tokens, data.out, data.lse);
  return data;
}

}  // namespace lvsa::analysis
