#include "tests/maps/maps_support.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "analysis/verify/inputs.hpp"

namespace lvsa::analysis::test {

AnySample make_sample(const FrameGrid& grid, const LatentSize& size, std::int64_t head_dim,
                      std::uint64_t seed, double sharpness) {
  struct Storage {
    Tensor q;
    Tensor k;
  };
  const auto storage = std::make_shared<Storage>();
  for (const int which : {0, 1}) {
    Tensor tensor(LVSA_F32, {1, grid.seq_len(), 1, head_dim}, Layout::kBSHD);
    auto* const data = reinterpret_cast<float*>(tensor.bytes());
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      data[i] =
          bell(random_bits(seed, static_cast<std::uint64_t>(which), static_cast<std::uint64_t>(i)));
    }
    (which == 0 ? storage->q : storage->k) = std::move(tensor);
  }
  AnySample any{{}, size};
  any.sample.grid = grid;
  any.sample.scale = sharpness / std::sqrt(static_cast<double>(head_dim));
  any.sample.q = storage->q.view();
  any.sample.k = storage->k.view();
  any.sample.v = storage->k.view();
  any.sample.storage = storage;
  return any;
}

AnySample any_sample() {
  const std::int64_t height = *rc::gen::inRange<std::int64_t>(1, 5);
  const std::int64_t width = *rc::gen::inRange<std::int64_t>(1, 6);
  const FrameGrid grid{*rc::gen::inRange<std::int64_t>(1, 7), height * width,
                       *rc::gen::element<std::int64_t>(0, 0, 1, 19)};
  const std::int64_t head_dim = *rc::gen::element<std::int64_t>(1, 3, 16, 20);
  const double sharpness = *rc::gen::element(0.0, 1.0, 4.0, 300.0);
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1U << 20);
  return make_sample(grid, {height, width, "test"}, head_dim, seed, sharpness);
}

std::vector<double> naive_weights(const Sample& sample, std::int64_t token) {
  const std::int64_t dim = sample.q.shape[3];
  std::vector<double> q(static_cast<std::size_t>(dim));
  std::vector<double> k(static_cast<std::size_t>(dim));
  sample.q.read_row(0, token, 0, q.data());
  std::vector<long double> scores;
  for (std::int64_t j = 0; j < sample.grid.seq_len(); ++j) {
    sample.k.read_row(0, j, 0, k.data());
    long double sum = 0.0L;
    for (std::size_t i = 0; i < q.size(); ++i) {
      sum += static_cast<long double>(q[i]) * static_cast<long double>(k[i]);
    }
    scores.push_back(sum * static_cast<long double>(sample.scale));
  }
  const long double most = *std::max_element(scores.begin(), scores.end());
  long double sum = 0.0L;
  for (long double& score : scores) {
    score = std::exp(score - most);
    sum += score;
  }
  std::vector<double> weights;
  for (const long double weight : scores) weights.push_back(static_cast<double>(weight / sum));
  return weights;
}

}  // namespace lvsa::analysis::test
