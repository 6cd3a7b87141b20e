// The tier A bound for one query row, computed by the definition.

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "tests/reference/tiled_case.hpp"

namespace tiled_test {
namespace {

struct Row {
  std::vector<double> score;        // scale * q.k of each attended key
  std::vector<double> score_error;  // eta
  std::vector<double> weight;       // p / L
  std::vector<std::int64_t> key;
  double top = -std::numeric_limits<double>::infinity();
  double sum = 0.0;
};

// What the kernel says of itself.
struct Bounds {
  double p_roundoff = 0.0;
  double p_underflow = 0.0;  // half of the least subnormal of P's type
  double exp_ulps = 0.0;
  double key_tile = 0.0;

  // B + 2 N + 4, in units of the accumulator's roundoff
  double accumulation(const Row& row) const {
    const auto keys = static_cast<double>(row.key.size());
    return (std::min(keys, key_tile) + 2.0 * std::ceil(keys / key_tile) + 4.0) * 0x1p-24;
  }
};

constexpr double kSlack = 1.0 + 0x1p-6;

Row make_row(const Case& c, std::int64_t b, std::int64_t token, std::int64_t head,
             double exp_ulps) {
  Row row;
  const std::int64_t kv_head = head / (c.shape.heads / c.shape.kv_heads);
  c.for_each_key(token, [&](std::int64_t key) {
    double dot = 0.0;
    double magnitude = 0.0;
    for (std::int64_t d = 0; d < c.shape.dim; ++d) {
      const double product = c.q.get(b, token, head, d) * c.k.get(b, key, kv_head, d);
      dot += product;
      magnitude += std::fabs(product);
    }
    row.key.push_back(key);
    row.score.push_back(c.shape.scale * dot);
    row.score_error.push_back(2.0 * static_cast<double>(c.shape.dim) * 0x1p-24 *
                              std::fabs(c.shape.scale) * magnitude);
    row.top = std::max(row.top, row.score.back());
  });
  for (std::size_t j = 0; j < row.key.size(); ++j) {
    row.sum += std::exp(row.score[j] - row.top);
    row.score_error[j] +=
        (std::fabs(row.score[j]) + 2.0 * (row.top - row.score[j]) + exp_ulps) * 0x1p-24;
  }
  for (const double score : row.score) {
    row.weight.push_back(std::exp(score - row.top) / row.sum);
  }
  return row;
}

std::string check_element(double out, double exact, double bound, lvsa_dtype dtype, double* worst) {
  if (worst != nullptr && bound > 0.0) *worst = std::max(*worst, std::fabs(out - exact) / bound);
  const double low = round_to(dtype, exact - bound);
  const double high = round_to(dtype, exact + bound);
  if (out >= low && out <= high) return {};
  std::ostringstream text;
  text.precision(9);
  text << "got " << out << ", expected " << exact << " within " << low << " .. " << high;
  return text.str();
}

std::string check_row(const Case& c, const Row& row, const Bounds& bounds, std::int64_t b,
                      std::int64_t token, std::int64_t head, double* worst) {
  const std::int64_t kv_head = head / (c.shape.heads / c.shape.kv_heads);
  for (std::int64_t d = 0; d < c.shape.dim; ++d) {
    double exact = 0.0;
    double absolute = 0.0;
    double underflow = 0.0;
    for (std::size_t j = 0; j < row.key.size(); ++j) {
      const double value = c.v.get(b, row.key[j], kv_head, d);
      exact += row.weight[j] * value;
      absolute += row.weight[j] * std::fabs(value);
      underflow += bounds.p_underflow * std::fabs(value) / row.sum;
    }
    double bound = bounds.p_roundoff * absolute + underflow +
                   bounds.accumulation(row) * (absolute + std::fabs(exact));
    for (std::size_t j = 0; j < row.key.size(); ++j) {
      const double distance = std::fabs(c.v.get(b, row.key[j], kv_head, d) - exact);
      bound += row.weight[j] * distance * row.score_error[j];
    }
    const std::string wrong = check_element(c.out.get(b, token, head, d), exact, bound * kSlack,
                                            c.shape.out_dtype, worst);
    if (!wrong.empty()) return "dimension " + std::to_string(d) + ": " + wrong;
  }
  return {};
}

std::string check_lse(const Row& row, const Bounds& bounds, double lse) {
  const double exact = row.top + std::log(row.sum);
  double bound = bounds.accumulation(row) + 0x1p-23 * std::fabs(exact);
  for (std::size_t j = 0; j < row.key.size(); ++j) {
    bound += row.weight[j] * row.score_error[j];
  }
  const std::string wrong = check_element(lse, exact, bound * kSlack, LVSA_F32, nullptr);
  return wrong.empty() ? wrong : "log-sum-exp: " + wrong;
}

std::string check_empty_row(const Case& c, std::int64_t b, std::int64_t token, std::int64_t head,
                            double lse) {
  for (std::int64_t d = 0; d < c.shape.dim; ++d) {
    if (c.out.get(b, token, head, d) != 0.0) return "output of a row without keys is not 0";
  }
  return lse == -std::numeric_limits<double>::infinity() ? "" : "lse of a row without keys";
}

Bounds make_bounds(Case& c, const lvsa_kernel& kernel) {
  const lvsa_problem problem = c.problem();
  lvsa_numerics numerics{};
  numerics.struct_size = sizeof(numerics);
  kernel.numerics(&problem, &numerics);
  Bounds bounds;
  if (numerics.p_dtype == LVSA_BF16) bounds.p_roundoff = 0x1p-8;
  if (numerics.p_dtype == LVSA_F16) bounds.p_roundoff = 0x1p-11;
  bounds.p_underflow = numerics.p_dtype == LVSA_F16 ? 0x1p-25 : 0x1p-134;
  bounds.exp_ulps = numerics.exp_ulps;
  bounds.key_tile = static_cast<double>(numerics.key_tile);
  return bounds;
}

}  // namespace

std::string compare(Case& c, const lvsa_kernel& kernel, double* worst) {
  const Bounds bounds = make_bounds(c, kernel);
  // Long problems: a sample of rows, the first and the last among them.
  const std::int64_t step = c.tokens() > 300 ? c.tokens() / 80 : 1;
  for (std::int64_t b = 0; b < c.shape.batch; ++b) {
    for (std::int64_t i = 0; i < c.tokens() + step - 1; i += step) {
      const std::int64_t token = std::min(i, c.tokens() - 1);
      for (std::int64_t head = 0; head < c.shape.heads; ++head) {
        const Row row = make_row(c, b, token, head, bounds.exp_ulps);
        const auto place = (b * c.tokens() + token) * c.shape.heads + head;
        const double lse = static_cast<double>(c.lse[static_cast<std::size_t>(place)]);
        std::string wrong;
        if (row.key.empty()) {
          wrong = check_empty_row(c, b, token, head, lse);
        } else {
          wrong = check_row(c, row, bounds, b, token, head, worst);
          if (wrong.empty()) wrong = check_lse(row, bounds, lse);
        }
        if (!wrong.empty()) {
          return "batch " + std::to_string(b) + " token " + std::to_string(token) + " head " +
                 std::to_string(head) + " " + wrong;
        }
      }
    }
  }
  return {};
}

}  // namespace tiled_test
