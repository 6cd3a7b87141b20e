#include "reference/attention/blocks/block_panels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "reference/attention/tiled/tensor_rows.hpp"

namespace lvsa::reference {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

bool bit(const std::uint64_t* words, std::int64_t i) {
  return ((words[i / 64] >> (i % 64)) & 1) != 0;
}

// Calls use(i) for each of `count` bits from bit `first` on that is 0, counted from there.
template <typename Use>
void for_missing_bits(const std::uint64_t* words, std::int64_t first, std::int64_t count,
                      const Use& use) {
  for (std::int64_t w = first / 64; w * 64 < first + count; ++w) {
    std::uint64_t missing = ~words[w];
    const std::int64_t begin = w * 64;
    if (begin < first) missing &= ~std::uint64_t{0} << (first - begin);
    const std::int64_t over = begin + 64 - first - count;
    if (over > 0) missing &= ~std::uint64_t{0} >> over;
    for (; missing != 0; missing &= missing - 1) use(begin + std::countr_zero(missing) - first);
  }
}

}  // namespace

BlockPanels::BlockPanels(const BlockPlan& plan, const BlockItem& item, const BlockBuffers& buffers)
    : plan_(plan),
      p_(plan.problem()),
      item_(item),
      b_(buffers),
      order_(plan.order(item.batch, item.head)),
      kv_head_(item.head / (p_.heads / p_.kv_heads)),
      // A factor of 0 times a masked score of -infinity would be NaN: zero queries in its stead.
      factor_(p_.scale == 0.0 ? 1.0F
                              : static_cast<float>(std::fabs(p_.scale) * std::numbers::log2e)) {}

std::int64_t BlockPanels::panel_vectors(std::int64_t first) const {
  return std::min<std::int64_t>(kMaxRowVectors, vectors() - first);
}

// Place of dimension 0 of a row in the query panels (dims = head_dim), the output panels (dims =
// padded_dim) or, with key as dimension, scores; `width` is the step to the next dimension.
std::int64_t BlockPanels::panel_place(std::int64_t row, std::int64_t dims,
                                      std::int64_t& width) const {
  const std::int64_t first = row / plan_.panel_rows() * kMaxRowVectors;
  width = panel_vectors(first) * plan_.ops().lanes;
  return first * plan_.ops().lanes * dims + row % plan_.panel_rows();
}

std::int64_t BlockPanels::query_token(std::int64_t row) const {
  return key_token(p_.row_begin[item_.row_block] + b_.block_row[row]);
}

const std::uint64_t* BlockPanels::mask_row(std::int32_t mask, std::int64_t row) const {
  return p_.mask_bits + (mask * p_.block_rows + b_.block_row[row]) * p_.mask_words;
}

bool BlockPanels::attends(const TileSegment& s, std::int64_t row, std::int64_t key) const {
  return s.mask < 0 || bit(mask_row(s.mask, row), s.first_in_block + key);
}

bool BlockPanels::take_rows() {
  const std::int64_t begin = p_.row_begin[item_.row_block] + item_.first_row;
  rows_ = 0;
  bool any = false;
  for (std::int64_t r = 0; r < item_.row_count; ++r) {
    const bool wanted = plan_.wanted(key_token(begin + r));
    any = any || wanted;
    if (!wanted && !item_.skips) continue;
    b_.block_row[rows_++] = static_cast<std::int32_t>(item_.first_row + r);
  }
  if (!any) return false;
  pack_queries();
  const std::int64_t lanes = vectors() * plan_.ops().lanes;
  std::fill_n(b_.outputs, lanes * plan_.padded_dim(), 0.0F);
  std::fill_n(b_.sums, lanes, 0.0F);
  std::fill_n(b_.maxima, lanes, kMinusInfinity);
  std::fill_n(b_.seen, lanes, kMinusInfinity);
  std::fill_n(b_.has_keys, rows_, 0);
  return true;
}

void BlockPanels::pack_queries() const {
  const std::int64_t dims = p_.head_dim;
  // Lanes without a row compute with zeros; nobody reads them.
  std::fill_n(b_.queries, vectors() * plan_.ops().lanes * dims, 0.0F);
  if (p_.scale == 0.0) return;
  // The loops want a factor >= 0, so that the largest q.k is the largest score.
  const float sign = p_.scale < 0.0 ? -1.0F : 1.0F;
  for (std::int64_t row = 0; row < rows_; ++row) {
    const char* source = row_address(p_.q, p_.dtype, item_.batch, query_token(row), item_.head);
    plan_.ops().load_row(contiguous_row(source, p_.dtype, p_.q.strides[3], dims, b_.gathered),
                         p_.dtype, dims, b_.row);
    std::int64_t width = 0;
    float* place = b_.queries + panel_place(row, dims, width);
    for (std::int64_t d = 0; d < dims; ++d) place[d * width] = sign * b_.row[d];
  }
}

const char* BlockPanels::key_row(const lvsa_tensor& tensor, std::int64_t place) const {
  return row_address(tensor, p_.dtype, item_.batch, key_token(place), kv_head_);
}

void BlockPanels::pack_keys(const BlockTile& tile) const {
  const std::int64_t dims = p_.head_dim;
  for (const TileSegment& s : tile.segments) {
    for (std::int64_t i = 0; i < s.count; ++i) {
      plan_.ops().load_row(
          contiguous_row(key_row(p_.k, s.place + i), p_.dtype, p_.k.strides[3], dims, b_.gathered),
          p_.dtype, dims, b_.keys + (s.at + i) * plan_.key_stride());
    }
  }
  // Scores are computed in blocks of dim_block keys: see attend_item.cpp.
  for (std::int64_t i = tile.keys; i % plan_.ops().dim_block != 0; ++i) {
    std::fill_n(b_.keys + i * plan_.key_stride(), dims, 0.0F);
  }
}

void BlockPanels::pack_values(const BlockTile& tile) {
  for (const TileSegment& s : tile.segments) {
    for (std::int64_t i = 0; i < s.count; ++i) {
      plan_.ops().pack_values(contiguous_row(key_row(p_.v, s.place + i), p_.dtype, p_.v.strides[3],
                                             p_.head_dim, b_.gathered),
                              p_.dtype, p_.head_dim, s.at + i, b_.values);
    }
  }
  bad_values_.clear();
  if (tile.masked) take_out_bad_values(tile);
}

// A masked pair has weight 0, and 0 times an infinite value or NaN would be NaN: rows that do not
// attend such a key must not see it.
void BlockPanels::take_out_bad_values(const BlockTile& tile) {
  const std::int64_t step = plan_.ops().dim_block;
  for (std::int32_t key = 0; key < tile.keys; ++key) {
    bool bad = false;
    for (std::int64_t block = 0; block < plan_.padded_dim() / step; ++block) {
      const float* v = b_.values + (block * kKeyTile + key) * step;
      for (std::int64_t i = 0; i < step; ++i) bad = bad || !(v[i] * 0.0F == 0.0F);
    }
    if (!bad) continue;
    bad_values_.push_back(key);
    for (std::int64_t block = 0; block < plan_.padded_dim() / step; ++block) {
      std::fill_n(b_.values + (block * kKeyTile + key) * step, step, 0.0F);
    }
  }
}

TileArgs BlockPanels::args(const BlockTile& tile, std::int64_t first_vector, float* scores) const {
  const std::int64_t row = first_vector * plan_.ops().lanes;
  TileArgs a{};
  a.keys = b_.keys;
  a.values = b_.values;
  a.scores = scores;
  a.key_stride = plan_.key_stride();
  a.head_dim = p_.head_dim;
  a.key_count = tile.keys;
  a.p_dtype = p_.p_dtype;
  a.score_factor = factor_;
  a.row_vectors = static_cast<int>(panel_vectors(first_vector));
  a.queries = b_.queries + row * p_.head_dim;
  a.outputs = b_.outputs + row * plan_.padded_dim();
  a.maxima = b_.maxima + row;
  a.sums = b_.sums + row;
  return a;
}

void BlockPanels::attend(const BlockTile& tile) {
  for (std::int64_t first = 0; first < vectors(); first += kMaxRowVectors) {
    if (tile.masked) {
      score_panel(tile, first, b_.scores);
      finish_panel(tile, first, b_.scores);
    } else {
      const TileArgs a = args(tile, first, b_.scores);
      plan_.ops().attend_tile(&a);
    }
  }
  mark_keys(tile);
}

void BlockPanels::make_scores(const BlockTile& tile, float* scores) const {
  for (std::int64_t first = 0; first < vectors(); first += kMaxRowVectors) {
    score_panel(tile, first, scores + first * plan_.ops().lanes * kKeyTile);
  }
}

void BlockPanels::finish(const BlockTile& tile, float* scores) {
  for (std::int64_t first = 0; first < vectors(); first += kMaxRowVectors) {
    finish_panel(tile, first, scores + first * plan_.ops().lanes * kKeyTile);
  }
  mark_keys(tile);
}

void BlockPanels::score_panel(const BlockTile& tile, std::int64_t first, float* scores) const {
  const TileArgs a = args(tile, first, scores);
  plan_.ops().make_scores(&a);
  if (tile.masked) apply_masks(tile, first, scores);
}

void BlockPanels::finish_panel(const BlockTile& tile, std::int64_t first, float* scores) const {
  const TileArgs a = args(tile, first, scores);
  plan_.ops().finish_tile(&a);
  if (!bad_values_.empty()) add_bad_values(tile, first, scores);
}

void BlockPanels::apply_masks(const BlockTile& tile, std::int64_t first, float* scores) const {
  const std::int64_t begin = first * plan_.ops().lanes;
  const std::int64_t width = panel_vectors(first) * plan_.ops().lanes;
  for (const TileSegment& s : tile.segments) {
    if (s.mask < 0) continue;
    for (std::int64_t row = begin; row < std::min(begin + width, rows_); ++row) {
      float* place = scores + s.at * width + row - begin;
      for_missing_bits(mask_row(s.mask, row), s.first_in_block, s.count,
                       [&](std::int64_t i) { place[i * width] = kMinusInfinity; });
    }
  }
}

void BlockPanels::add_bad_values(const BlockTile& tile, std::int64_t first,
                                 const float* scores) const {
  const std::int64_t begin = first * plan_.ops().lanes;
  const std::int64_t width = panel_vectors(first) * plan_.ops().lanes;
  for (const TileSegment& s : tile.segments) {
    for (const std::int32_t key : bad_values_) {
      if (key < s.at || key >= s.at + s.count) continue;
      const void* value = contiguous_row(key_row(p_.v, s.place + key - s.at), p_.dtype,
                                         p_.v.strides[3], p_.head_dim, b_.gathered);
      plan_.ops().load_row(value, p_.dtype, p_.head_dim, b_.row);
      for (std::int64_t row = begin; row < std::min(begin + width, rows_); ++row) {
        if (!attends(s, row, key - s.at)) continue;
        const float weight = scores[key * width + row - begin];
        float* out = b_.outputs + begin * plan_.padded_dim() + row - begin;
        for (std::int64_t d = 0; d < p_.head_dim; ++d) out[d * width] += weight * b_.row[d];
      }
    }
  }
}

void BlockPanels::join_maxima(const BlockTile& tile, const float* scores, float* top) const {
  for (std::int64_t first = 0; first < vectors(); first += kMaxRowVectors) {
    const std::int64_t begin = first * plan_.ops().lanes;
    const std::int64_t width = panel_vectors(first) * plan_.ops().lanes;
    const std::int64_t count = std::min(width, rows_ - begin);
    const float* place = scores + begin * kKeyTile;
    for (std::int64_t key = 0; key < tile.keys; ++key, place += width) {
      for (std::int64_t r = 0; r < count; ++r) {
        top[begin + r] = std::max(top[begin + r], place[r] * factor_);  // a NaN is passed over
      }
    }
  }
}

void BlockPanels::mark_keys(const BlockTile& tile) const {
  for (const TileSegment& s : tile.segments) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t i = 0; i < s.count && b_.has_keys[row] == 0; ++i) {
        b_.has_keys[row] = attends(s, row, i) ? 1 : 0;
      }
    }
  }
}

void BlockPanels::write() const {
  for (std::int64_t row = 0; row < rows_; ++row) {
    const std::int64_t token = query_token(row);
    if (!plan_.wanted(token)) continue;
    std::int64_t width = 0;
    const float* place = b_.outputs + panel_place(row, plan_.padded_dim(), width);
    const float sum = b_.sums[row];
    for (std::int64_t d = 0; d < p_.head_dim; ++d) {
      b_.row[d] = b_.has_keys[row] != 0 ? place[d * width] / sum : 0.0F;
    }
    write_row_elements(b_.row, p_.head_dim, p_.out_dtype, p_.out.strides[3],
                       row_address(p_.out, p_.out_dtype, item_.batch, token, item_.head));
    if (p_.lse == nullptr) continue;
    const std::int64_t* strides = p_.lse_strides;
    // Without keys the maximum is -infinity and the sum 0: -infinity all the same.
    p_.lse[item_.batch * strides[0] + token * strides[1] + item_.head * strides[2]] =
        static_cast<float>(static_cast<double>(b_.maxima[row]) * std::numbers::ln2 +
                           std::log(static_cast<double>(sum)));
  }
}

}  // namespace lvsa::reference
