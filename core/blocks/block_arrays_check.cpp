#include "core/blocks/block_arrays_check.hpp"

#include <cinttypes>
#include <cmath>
#include <vector>

namespace lvsa {
namespace {

lvsa_status check_axis(const char* name, const std::int64_t* begin, std::int64_t blocks,
                       std::int64_t largest, std::int64_t tokens, Message message) {
  if (begin == nullptr) {
    return refuse(message, LVSA_INVALID, "%s = null: must hold %" PRId64 " entries", name,
                  blocks + 1);
  }
  if (blocks > tokens) {
    return refuse(message, LVSA_INVALID, "%s: %" PRId64 " blocks for %" PRId64 " tokens", name,
                  blocks, tokens);
  }
  if (begin[0] != 0) {
    return refuse(message, LVSA_INVALID, "%s[0] = %" PRId64 ": must be 0", name, begin[0]);
  }
  for (std::int64_t b = 0; b < blocks; ++b) {
    if (begin[b + 1] <= begin[b] || begin[b + 1] - begin[b] > largest) {
      return refuse(message, LVSA_INVALID,
                    "%s[%" PRId64 "] = %" PRId64 ": must be in %" PRId64 " .. %" PRId64
                    ", 1 to the nominal %" PRId64 " after the one before it",
                    name, b + 1, begin[b + 1], begin[b] + 1, begin[b] + largest, largest);
    }
  }
  if (begin[blocks] != tokens) {
    return refuse(message, LVSA_INVALID,
                  "%s[%" PRId64 "] = %" PRId64 ": must be %" PRId64 ", the number of tokens", name,
                  blocks, begin[blocks], tokens);
  }
  return LVSA_OK;
}

lvsa_status check_map_row(const lvsa_block_problem& p, std::int64_t m, std::int64_t row,
                          Message message) {
  const lvsa_block_map& map = p.maps[m];
  const std::int64_t begin = map.indptr[row];
  const std::int64_t end = map.indptr[row + 1];
  // Columns are unique, so no row is longer; held before any entry is read.
  if (end < begin || end - begin > p.column_blocks) {
    return refuse(message, LVSA_INVALID,
                  "maps[%" PRId64 "].indptr[%" PRId64 "] = %" PRId64 ": must be in %" PRId64
                  " .. %" PRId64 ", the entry of row %" PRId64 " and at most column_blocks more",
                  m, row + 1, end, begin, begin + p.column_blocks, row);
  }
  if (end > begin && map.indices == nullptr) {
    return refuse(message, LVSA_INVALID, "maps[%" PRId64 "].indices = null: must hold %d columns",
                  m, static_cast<int>(map.indptr[p.row_blocks]));
  }
  for (std::int64_t e = begin; e < end; ++e) {
    const int column = map.indices[e];
    if (column < 0 || column >= p.column_blocks) {
      return refuse(message, LVSA_INVALID,
                    "maps[%" PRId64 "]: row %" PRId64
                    ": column %d is out of range, must be in "
                    "0 .. %" PRId64,
                    m, row, column, p.column_blocks - 1);
    }
    if (e > begin && column <= map.indices[e - 1]) {
      return refuse(message, LVSA_INVALID,
                    "maps[%" PRId64 "]: row %" PRId64
                    ": column %d after %d: columns must ascend "
                    "and be unique",
                    m, row, column, static_cast<int>(map.indices[e - 1]));
    }
  }
  return LVSA_OK;
}

// Whether a mask has a bit past the end of its block.
bool overhangs(const lvsa_block_problem& p, std::int64_t mask, std::int64_t rows,
               std::int64_t columns) {
  for (std::int64_t r = 0; r < p.block_rows; ++r) {
    const std::uint64_t* words = p.mask_bits + (mask * p.block_rows + r) * p.mask_words;
    const std::int64_t most = r < rows ? columns : 0;
    for (std::int64_t w = 0; w < p.mask_words; ++w) {
      const std::int64_t left = most - w * 64;
      const std::uint64_t due = left >= 64  ? ~std::uint64_t{0}
                                : left <= 0 ? 0
                                            : (std::uint64_t{1} << left) - 1;
      if ((words[w] & ~due) != 0) return true;
    }
  }
  return false;
}

lvsa_status check_entry_mask(const lvsa_block_problem& p, std::int64_t m, std::int64_t row,
                             std::int64_t entry, Message message) {
  const int mask = p.maps[m].entry_mask[entry];
  const int column = p.maps[m].indices[entry];
  if (mask == -1) return LVSA_OK;
  if (mask < -1 || mask >= p.mask_count) {
    return refuse(message, LVSA_INVALID,
                  "maps[%" PRId64 "]: row %" PRId64
                  ", column %d: mask %d is out of range, must be "
                  "in -1 .. %" PRId64,
                  m, row, column, mask, p.mask_count - 1);
  }
  const std::int64_t rows = p.row_begin[row + 1] - p.row_begin[row];
  const std::int64_t columns = p.column_begin[column + 1] - p.column_begin[column];
  if (overhangs(p, mask, rows, columns)) {
    return refuse(message, LVSA_INVALID,
                  "maps[%" PRId64 "]: row %" PRId64
                  ", column %d: mask %d has bits past the end of "
                  "its block of %" PRId64 " x %" PRId64,
                  m, row, column, mask, rows, columns);
  }
  return LVSA_OK;
}

}  // namespace

lvsa_status check_block_axes(const lvsa_block_problem& p, Message message) {
  const lvsa_status status =
      check_axis("row_begin", p.row_begin, p.row_blocks, p.block_rows, p.query_tokens, message);
  if (status != LVSA_OK) return status;
  return check_axis("column_begin", p.column_begin, p.column_blocks, p.block_columns, p.key_tokens,
                    message);
}

lvsa_status check_block_maps(const lvsa_block_problem& p, Message message) {
  if (p.maps == nullptr || p.map_of_head == nullptr) {
    return refuse(message, LVSA_INVALID, "%s = null: must hold an entry for each %s",
                  p.maps == nullptr ? "maps" : "map_of_head", p.maps == nullptr ? "map" : "head");
  }
  for (std::int64_t i = 0; i < p.batch * p.heads; ++i) {
    if (p.map_of_head[i] < 0 || p.map_of_head[i] >= p.map_count) {
      return refuse(message, LVSA_INVALID,
                    "map_of_head[%" PRId64 "] = %d: must be in 0 .. %" PRId64, i,
                    static_cast<int>(p.map_of_head[i]), p.map_count - 1);
    }
  }
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    if (p.maps[m].indptr == nullptr) {
      return refuse(message, LVSA_INVALID,
                    "maps[%" PRId64 "].indptr = null: must hold %" PRId64 " entries", m,
                    p.row_blocks + 1);
    }
    if (p.maps[m].indptr[0] != 0) {
      return refuse(message, LVSA_INVALID, "maps[%" PRId64 "].indptr[0] = %d: must be 0", m,
                    static_cast<int>(p.maps[m].indptr[0]));
    }
    for (std::int64_t row = 0; row < p.row_blocks; ++row) {
      const lvsa_status status = check_map_row(p, m, row, message);
      if (status != LVSA_OK) return status;
    }
  }
  return LVSA_OK;
}

lvsa_status check_block_masks(const lvsa_block_problem& p, Message message) {
  if (p.mask_count < 0) {
    return refuse(message, LVSA_INVALID, "mask_count = %" PRId64 ": must be at least 0",
                  p.mask_count);
  }
  if (p.mask_count > 0 && p.mask_bits == nullptr) {
    return refuse(message, LVSA_INVALID, "mask_bits = null: must hold %" PRId64 " masks",
                  p.mask_count);
  }
  if (p.mask_count > 0 && p.mask_words != (p.block_columns + 63) / 64) {
    return refuse(message, LVSA_INVALID,
                  "mask_words = %" PRId64 ": must be %" PRId64 " for key blocks of %" PRId64
                  " tokens",
                  p.mask_words, (p.block_columns + 63) / 64, p.block_columns);
  }
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    if (p.maps[m].entry_mask == nullptr) continue;
    for (std::int64_t row = 0; row < p.row_blocks; ++row) {
      for (std::int64_t e = p.maps[m].indptr[row]; e < p.maps[m].indptr[row + 1]; ++e) {
        const lvsa_status status = check_entry_mask(p, m, row, e, message);
        if (status != LVSA_OK) return status;
      }
    }
  }
  return LVSA_OK;
}

lvsa_status check_orders(const lvsa_block_problem& p, Message message) {
  if (p.order_of_head == nullptr) return LVSA_OK;
  bool any = false;
  for (std::int64_t i = 0; i < p.batch * p.heads; ++i) {
    any = any || p.order_of_head[i] >= 0;
    if (p.order_of_head[i] < -1 || p.order_of_head[i] >= p.order_count) {
      return refuse(message, LVSA_INVALID,
                    "order_of_head[%" PRId64 "] = %d: must be in -1 .. %" PRId64, i,
                    static_cast<int>(p.order_of_head[i]), p.order_count - 1);
    }
  }
  if (!any) return LVSA_OK;
  if (p.orders == nullptr) {
    return refuse(message, LVSA_INVALID, "orders = null: must hold %" PRId64 " orders",
                  p.order_count);
  }
  if (p.key_tokens != p.query_tokens) {
    return refuse(message, LVSA_INVALID,
                  "key_tokens = %" PRId64 ": must be query_tokens = %" PRId64
                  " where a head has an order",
                  p.key_tokens, p.query_tokens);
  }
  std::vector<bool> seen;
  for (std::int64_t o = 0; o < p.order_count; ++o) {
    seen.assign(static_cast<std::size_t>(p.query_tokens), false);
    for (std::int64_t place = 0; place < p.query_tokens; ++place) {
      const int token = p.orders[o * p.query_tokens + place];
      const bool outside = token < 0 || token >= p.query_tokens;
      if (outside || seen[static_cast<std::size_t>(token)]) {
        return refuse(message, LVSA_INVALID,
                      "orders[%" PRId64 "]: place %" PRId64 ": token %d %s; each of 0 .. %" PRId64
                      " must come once",
                      o, place, token, outside ? "is out of range" : "comes twice",
                      p.query_tokens - 1);
      }
      seen[static_cast<std::size_t>(token)] = true;
    }
  }
  return LVSA_OK;
}

lvsa_status check_thresholds(const lvsa_block_problem& p, Message message) {
  if (p.skip_threshold_log2 == nullptr) return LVSA_OK;
  for (std::int64_t h = 0; h < p.heads; ++h) {
    const float threshold = p.skip_threshold_log2[h];
    if (std::isnan(threshold) || (std::isinf(threshold) && threshold < 0.0F)) {
      return refuse(message, LVSA_INVALID,
                    "skip_threshold_log2[%" PRId64
                    "] = %g: must be a number, or +infinity for none",
                    h, static_cast<double>(threshold));
    }
  }
  return LVSA_OK;
}

}  // namespace lvsa
