#include "tests/sweep/partials_support.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "analysis/verify/inputs.hpp"

namespace lvsa::analysis::testing {
namespace {

struct Tensors {
  std::vector<double> q;
  std::vector<double> k;
  std::vector<double> v;
};

}  // namespace

Sample make_sample(const SampleWish& wish) {
  Sample made;
  made.id.source = "test";
  made.grid = make_frame_grid(wish.frames, wish.patches, wish.text);
  made.scale = 0.25;
  const auto count = static_cast<std::size_t>(made.grid.seq_len() * wish.dim);
  auto tensors = std::make_shared<Tensors>();
  const auto fill = [&](std::vector<double>& to, std::uint64_t stream, double factor) {
    to.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = factor * (static_cast<double>(random_bits(wish.seed, stream, i) % 129) - 64.0) / 16.0;
    }
  };
  fill(tensors->q, 0, wish.loudness);
  fill(tensors->k, 1, 1.0);
  fill(tensors->v, 2, 1.0);
  const auto view = [&](const std::vector<double>& data) {
    return TensorView{data.data(),
                      LVSA_F64,
                      {1, made.grid.seq_len(), 1, wish.dim},
                      {made.grid.seq_len() * wish.dim, wish.dim, wish.dim, 1}};
  };
  made.q = view(tensors->q);
  made.k = view(tensors->k);
  made.v = view(tensors->v);
  made.storage = tensors;
  return made;
}

double& element(Sample& sample, char tensor, std::int64_t token, std::int64_t column) {
  const TensorView& view = tensor == 'q' ? sample.q : tensor == 'k' ? sample.k : sample.v;
  // The samples of make_sample() own what they look at.
  return const_cast<double*>(
      static_cast<const double*>(view.data))[token * view.strides[1] + column];
}

NaiveRow attend_naively(const Sample& sample, std::int64_t token,
                        std::span<const std::int32_t> cells) {
  const auto dim = static_cast<std::size_t>(sample.q.shape[3]);
  std::vector<double> q(dim);
  std::vector<double> row(dim);
  sample.q.read_row(0, token, 0, q.data());
  std::vector<std::int64_t> keys;
  std::vector<std::size_t> ends;  // of the cells among the keys
  for (const std::int64_t cell : cells) {
    const bool text = cell == sample.grid.frames;
    const std::int64_t begin = cell * sample.grid.patches_per_frame;
    const std::int64_t end = text ? sample.grid.seq_len() : begin + sample.grid.patches_per_frame;
    for (std::int64_t j = begin; j < end; ++j) keys.push_back(j);
    ends.push_back(keys.size());
  }
  std::vector<long double> scores;
  long double top = -std::numeric_limits<long double>::infinity();
  for (const std::int64_t j : keys) {
    sample.k.read_row(0, j, 0, row.data());
    long double dot = 0.0L;
    for (std::size_t i = 0; i < dim; ++i) dot += static_cast<long double>(q[i]) * row[i];
    scores.push_back(dot * sample.scale);
    top = std::max(top, scores.back());
  }
  std::vector<long double> out(dim, 0.0L);
  long double sum = 0.0L;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const long double p = std::exp(scores[i] - top);
    sum += p;
    sample.v.read_row(0, keys[i], 0, row.data());
    for (std::size_t c = 0; c < dim; ++c) out[c] += p * row[c];
  }
  NaiveRow made;
  for (const long double x : out) made.out.push_back(static_cast<double>(x / sum));
  made.lse = top + std::log(sum);
  std::size_t i = 0;
  for (const std::size_t end : ends) {
    long double share = 0.0L;
    for (; i < end; ++i) share += std::exp(scores[i] - top) / sum;
    if (share > 0.0L) made.entropy -= share * std::log(share);
  }
  return made;
}

}  // namespace lvsa::analysis::testing
