#include "tests/block_exchange/script_stand_in.hpp"

#include <cmath>
#include <limits>

namespace lvsa::analysis::script {
namespace {

void mark_entry(const Group& group, std::vector<std::vector<char>>& places, std::int64_t entry,
                std::size_t row, std::size_t column) {
  const auto row_begin = group.integers("row_begin");
  const auto column_begin = group.integers("column_begin");
  const auto entry_mask = group.integers("entry_mask");
  const auto bits = group.integers("mask_bits");
  const std::int64_t mask = entry_mask.empty() ? -1 : entry_mask[static_cast<std::size_t>(entry)];
  const std::int64_t block_rows = group.attribute("block_rows");
  const std::int64_t bytes = (group.attribute("block_columns") + 63) / 64 * 8;
  for (std::int64_t q = row_begin[row]; q < row_begin[row + 1]; ++q) {
    for (std::int64_t k = column_begin[column]; k < column_begin[column + 1]; ++k) {
      const std::int64_t i = k - column_begin[column];
      const std::int64_t at = (mask * block_rows + q - row_begin[row]) * bytes + i / 8;
      const bool seen = mask < 0 || ((bits[static_cast<std::size_t>(at)] >> (i % 8)) & 1) != 0;
      places[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)] = seen ? 1 : 0;
    }
  }
}

}  // namespace

Pairs pairs_of(const Group& group) {
  const auto map_of_head = group.integers("map_of_head");
  const auto map_begin = group.integers("map_begin");
  const auto indptr = group.integers("indptr");
  const auto indices = group.integers("indices");
  const auto orders = group.integers("orders");
  const auto order_of_head = group.integers("order_of_head");
  const std::size_t tokens = static_cast<std::size_t>(group.integers("row_begin").back());
  const std::size_t rows = group.integers("row_begin").size() - 1;
  Pairs pairs;
  for (std::size_t head = 0; head < map_of_head.size(); ++head) {
    const auto map = static_cast<std::size_t>(map_of_head[head]);
    std::vector<std::vector<char>> places(tokens, std::vector<char>(tokens, 0));
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t line = map * (rows + 1) + r;
      for (std::int64_t e = indptr[line]; e < indptr[line + 1]; ++e) {
        const std::int64_t entry = map_begin[map] + e;
        mark_entry(group, places, entry, r,
                   static_cast<std::size_t>(indices[static_cast<std::size_t>(entry)]));
      }
    }
    const auto token = [&](std::size_t place) {
      const std::int64_t order = order_of_head.empty() ? -1 : order_of_head[head];
      return order < 0 ? place
                       : static_cast<std::size_t>(
                             orders[static_cast<std::size_t>(order) * tokens + place]);
    };
    pairs.emplace_back(tokens, std::vector<char>(tokens, 0));
    for (std::size_t q = 0; q < tokens; ++q) {
      for (std::size_t k = 0; k < tokens; ++k) pairs.back()[token(q)][token(k)] = places[q][k];
    }
  }
  return pairs;
}

// The definition, on what the file says.
Filling attend(const Group& group, const Case& c, const Pairs& pairs) {
  const auto q = group.numbers("q");
  const auto k = group.numbers("k");
  const auto v = group.numbers("v");
  const std::int64_t tokens = c.grid.seq_len();
  const auto at = [&](std::int64_t b, std::int64_t s, std::int64_t h, std::int64_t heads) {
    const std::int64_t row =
        c.layout == Layout::kBHSD ? (b * heads + h) * tokens + s : (b * tokens + s) * heads + h;
    return static_cast<std::size_t>(row * c.head_dim);
  };
  Filling filling{std::vector<float>(q.size(), 0.0F),
                  std::vector<float>(static_cast<std::size_t>(c.batch * tokens * c.heads),
                                     -std::numeric_limits<float>::infinity())};
  const auto width = static_cast<std::size_t>(c.head_dim);
  for (std::int64_t row = 0; row < c.batch * tokens * c.heads; ++row) {
    const std::int64_t h = row % c.heads;
    const std::int64_t s = row / c.heads % tokens;
    const std::int64_t b = row / c.heads / tokens;
    const std::size_t mine = at(b, s, h, c.heads);
    std::vector<double> sum(width, 0.0);
    double total = 0.0;
    for (std::int64_t key = 0; key < tokens; ++key) {
      const auto& seen = pairs[static_cast<std::size_t>(b * c.heads + h)];
      if (seen[static_cast<std::size_t>(s)][static_cast<std::size_t>(key)] == 0) continue;
      const std::size_t its = at(b, key, h / (c.heads / c.kv_heads), c.kv_heads);
      double score = 0.0;
      for (std::size_t d = 0; d < width; ++d) score += q[mine + d] * k[its + d];
      const double p = std::exp(score / std::sqrt(static_cast<double>(c.head_dim)));
      total += p;
      for (std::size_t d = 0; d < width; ++d) sum[d] += p * v[its + d];
    }
    if (total == 0.0) continue;
    filling.lse[static_cast<std::size_t>(row)] = static_cast<float>(std::log(total));
    for (std::size_t d = 0; d < width; ++d) {
      filling.out[mine + d] = static_cast<float>(sum[d] / total);
    }
  }
  return filling;
}

}  // namespace lvsa::analysis::script
