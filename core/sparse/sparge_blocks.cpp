#include "core/sparse/sparge_blocks.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/sparse/tensor_rows.hpp"

namespace lvsa::sparse {
namespace {

double rounded_mean(DType dtype, double sum, std::int64_t rows, std::string_view rule) {
  if (!std::isfinite(sum)) {
    throw Error(ErrorKind::kValue,
                fmt::format("{}: q or k holds numbers that are not finite", rule));
  }
  const float mean = static_cast<float>(sum) / static_cast<float>(rows);
  return round_to_type(dtype, static_cast<double>(mean));
}

void take_off(DType dtype, const std::vector<double>& centre, std::vector<double>& row) {
  for (std::size_t d = 0; d < centre.size(); ++d) row[d] = round_to_type(dtype, row[d] - centre[d]);
}

}  // namespace

std::vector<double> mean_row(const TensorView& x) {
  const auto dim = static_cast<std::size_t>(x.shape[3]);
  std::vector<double> sum(dim, 0.0);
  std::vector<double> row(dim);
  for (std::int64_t s = 0; s < x.shape[1]; ++s) {
    x.read_row(0, s, 0, row.data());
    for (std::size_t d = 0; d < dim; ++d) sum[d] += row[d];
  }
  for (double& value : sum) value = rounded_mean(x.dtype, value, x.shape[1], "sparge");
  return sum;
}

PooledBlocks pool_blocks(const TensorView& x, const BlockAxis& axis,
                         const std::vector<double>& centre) {
  const auto dim = static_cast<std::size_t>(x.shape[3]);
  PooledBlocks pooled;
  std::vector<double> row(dim);
  for (std::int64_t b = 0; b < axis.blocks(); ++b) {
    std::vector<double> sum(dim, 0.0);
    std::vector<double> directions(dim, 0.0);
    bool has_zero_row = false;
    for (std::int64_t s = axis.begin(b); s < axis.end(b); ++s) {
      x.read_row(0, s, 0, row.data());
      if (!centre.empty()) take_off(x.dtype, centre, row);
      const double length = std::sqrt(dot(row.data(), row.data(), x.shape[3]));
      has_zero_row = has_zero_row || length == 0.0;
      for (std::size_t d = 0; d < dim; ++d) sum[d] += row[d];
      if (has_zero_row) continue;
      for (std::size_t d = 0; d < dim; ++d) directions[d] += row[d] / length;
    }
    const auto rows = static_cast<double>(axis.size(b));
    for (const double value : sum) {
      pooled.means.push_back(rounded_mean(x.dtype, value, axis.size(b), "sparge"));
    }
    const double alike = dot(directions.data(), directions.data(), x.shape[3]) / (rows * rows);
    pooled.likeness.push_back(has_zero_row ? std::numeric_limits<float>::quiet_NaN()
                                           : static_cast<float>(alike));
  }
  return pooled;
}

std::vector<double> pooled_means(const TensorView& x, const BlockAxis& axis,
                                 const Permutation& order, std::string_view rule) {
  const auto dim = static_cast<std::size_t>(x.shape[3]);
  std::vector<double> means;
  std::vector<double> row(dim);
  for (std::int64_t b = 0; b < axis.blocks(); ++b) {
    std::vector<double> sum(dim, 0.0);
    for (std::int64_t place = axis.begin(b); place < axis.end(b); ++place) {
      x.read_row(0, order.token(place), 0, row.data());
      for (std::size_t d = 0; d < dim; ++d) sum[d] += row[d];
    }
    for (const double value : sum) {
      means.push_back(rounded_mean(x.dtype, value, axis.size(b), rule));
    }
  }
  return means;
}

}  // namespace lvsa::sparse
