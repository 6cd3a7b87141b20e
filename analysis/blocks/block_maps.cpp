#include "analysis/blocks/block_maps.hpp"

#include <fmt/format.h>

#include <utility>

#include "analysis/verify/byte_hash.hpp"
#include "reference/attention/sum_steps.hpp"

namespace lvsa::analysis {

BlockMaps::BlockMaps(const lvsa_block_kernel& kernel, std::vector<HeadPattern> heads,
                     std::int64_t batch, BlockSize nominal)
    : kernel_(&kernel),
      heads_(std::move(heads)),
      batch_(batch),
      per_batch_(static_cast<std::int64_t>(heads_.size()) / batch),
      nominal_(nominal),
      arrays_(heads_, batch, per_batch_, nominal.rows, nominal.columns) {}

std::uint64_t BlockMaps::hash() const {
  lvsa_block_problem p{};
  arrays_.fill(p);
  std::uint64_t all = 0;
  const auto add = [&](const auto* data, std::int64_t count) {
    if (data == nullptr) return;
    const auto bytes = static_cast<std::size_t>(count) * sizeof *data;
    all = all * 0x9e3779b97f4a7c15ULL + byte_hash(reinterpret_cast<const std::byte*>(data), bytes);
  };
  add(p.row_begin, p.row_blocks + 1);
  add(p.column_begin, p.column_blocks + 1);
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    add(p.maps[m].indptr, p.row_blocks + 1);
    add(p.maps[m].indices, p.maps[m].indptr[p.row_blocks]);
    add(p.maps[m].entry_mask, p.maps[m].indptr[p.row_blocks]);
  }
  add(p.map_of_head, p.batch * p.heads);
  add(p.mask_bits, p.mask_count * p.block_rows * p.mask_words);
  add(p.orders, p.order_count * p.query_tokens);
  add(p.order_of_head, p.batch * p.heads);
  add(p.skip_threshold_log2, p.heads);
  return all;
}

std::string BlockMaps::place_text(const reference::RowId& row) const {
  const HeadPattern& pattern = head(row);
  return fmt::format(", place {} (row block {})", place_of_token(pattern, row.token),
                     row_block_of(pattern, row.token));
}

std::int64_t place_of_token(const HeadPattern& pattern, std::int64_t token) {
  return pattern.order ? pattern.order->place(token) : token;
}

std::int64_t row_block_of(const HeadPattern& pattern, std::int64_t query_token) {
  return pattern.map.rows.block_of(place_of_token(pattern, query_token));
}

RowSteps map_steps(const BoundModel& model, const BlockMaps& maps, const reference::RowId& row,
                   std::int64_t keys) {
  if (model.key_tile == 0) return row_steps(model, keys, keys);
  const HeadPattern& pattern = maps.head(row);
  std::int64_t tiles = 0;
  std::int64_t places = 0;
  for (const std::int32_t c : pattern.map.row(row_block_of(pattern, row.token))) {
    tiles += (pattern.map.columns.size(c) + model.key_tile - 1) / model.key_tile;
    places += pattern.map.columns.size(c);
  }
  return row_steps(model, reference::summed_keys(keys, places, model.sum_step), tiles);
}

}  // namespace lvsa::analysis
