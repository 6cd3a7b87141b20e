#include "reference/attention/blocks/block_mutant_maps.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace lvsa::reference {
namespace {

using enum BlockDefect;
using Key = std::vector<std::int64_t>;

}  // namespace

// Healthy code has nothing of the kind.
struct MutantMaps::Memory {
  std::map<Key, std::vector<Map>> maps;
  std::map<Key, std::vector<std::int32_t>> orders;
};

MutantMaps::Memory& MutantMaps::memory() {
  static Memory memory;
  return memory;
}

void forget_previous_block_calls() { MutantMaps::memory() = {}; }

std::vector<MutantMaps::Map> MutantMaps::maps_of(const lvsa_block_problem& p) const {
  std::vector<Map> maps;
  for (std::int64_t m = 0; m < p.map_count; ++m) {
    const lvsa_block_map& from = p.maps[m];
    const std::int64_t entries = from.indptr[p.row_blocks];
    Map map;
    map.indptr.assign(from.indptr, from.indptr + p.row_blocks + 1);
    map.indices.assign(from.indices, from.indices + entries);
    if (from.entry_mask != nullptr) {
      map.entry_mask.assign(from.entry_mask, from.entry_mask + entries);
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

MutantMaps::MutantMaps(const lvsa_block_problem& p, BlockDefect defect) : p_(p), defect_(defect) {
  maps_ = maps_of(p);
  const Key sizes = {p.query_tokens, p.key_tokens, p.row_blocks, p.column_blocks, p.map_count};
  if (defect == kMapStale) maps_ = memory().maps.try_emplace(sizes, maps_).first->second;
  if (defect == kMapByAddress) {
    Key addresses = sizes;
    for (std::int64_t m = 0; m < p.map_count; ++m) {
      addresses.push_back(reinterpret_cast<std::intptr_t>(p.maps[m].indices));
      addresses.push_back(p.maps[m].indptr[p.row_blocks]);
    }
    maps_ = memory().maps.try_emplace(addresses, maps_).first->second;
  }
  if (p.order_of_head == nullptr || p.orders == nullptr) return;
  orders_.assign(p.orders, p.orders + p.order_count * p.query_tokens);
  if (defect == kOrderStale) {
    const Key key = {p.query_tokens, p.order_count};
    orders_ = memory().orders.try_emplace(key, orders_).first->second;
  }
  if (defect == kOrderInverted) {
    for (std::int64_t i = 0; i < p.order_count * p.query_tokens; ++i) {
      const std::int64_t first = i / p.query_tokens * p.query_tokens;
      orders_[static_cast<std::size_t>(first + p.orders[i])] = static_cast<std::int32_t>(i - first);
    }
  }
}

const MutantMaps::Map& MutantMaps::map(std::int64_t batch, std::int64_t head) const {
  if (defect_ == kMapOfHeadZero) head = 0;
  if (defect_ == kMapOfBatchZero) batch = 0;
  if (defect_ == kMapOfGroup) head -= head % (p_.heads / p_.kv_heads);
  return maps_[static_cast<std::size_t>(p_.map_of_head[batch * p_.heads + head])];
}

std::int64_t MutantMaps::token(std::int64_t batch, std::int64_t head, std::int64_t place) const {
  if (orders_.empty()) return place;
  if (defect_ == kOrderOfHeadZero) head = 0;
  const std::int64_t order = p_.order_of_head[batch * p_.heads + head];
  if (order < 0) return place;
  return orders_[static_cast<std::size_t>(order * p_.query_tokens + place)];
}

// The columns of a row where they are not those of the map.
std::vector<std::int64_t> MutantMaps::columns_of_row(const Map& map, std::int64_t row) const {
  std::vector<std::int64_t> columns;
  if (defect_ == kDense) {
    for (std::int64_t c = 0; c < p_.column_blocks; ++c) columns.push_back(c);
  } else if (defect_ == kMapTransposed) {
    for (std::int64_t r = 0; r < std::min(p_.row_blocks, p_.column_blocks); ++r) {
      const auto* begin = map.indices.data() + map.indptr[static_cast<std::size_t>(r)];
      const auto* end = map.indices.data() + map.indptr[static_cast<std::size_t>(r) + 1];
      if (std::binary_search(begin, end, row)) columns.push_back(r);
    }
  }
  return columns;
}

// The mask that an entry is given.
MutantEntry MutantMaps::entry(const Map& map, std::int64_t e, std::int64_t end,
                              std::int64_t first) const {
  MutantEntry entry;
  entry.column = map.indices[static_cast<std::size_t>(e)];
  if (!map.entry_mask.empty() && defect_ != kMaskIgnored) {
    std::int64_t from = e;
    if (defect_ == kMaskOfNextEntry && e + 1 < end) from = e + 1;
    if (defect_ == kMaskOfFirstEntry) from = e - first;
    entry.mask = map.entry_mask[static_cast<std::size_t>(from)];
  }
  if (defect_ == kColumnOffByOne) entry.column = std::min(entry.column + 1, p_.column_blocks - 1);
  if (defect_ == kColumnBitsLost) entry.column &= 3;
  return entry;
}

void MutantMaps::place(MutantEntry& entry) const {
  entry.begin = p_.column_begin[entry.column];
  entry.end = p_.column_begin[entry.column + 1];
  if (defect_ == kSizesSwapped || defect_ == kSegmentsIgnored) {
    const std::int64_t size = defect_ == kSizesSwapped ? p_.block_rows : p_.block_columns;
    entry.begin = std::min(entry.column * size, p_.key_tokens);
    entry.end = std::min(entry.begin + p_.block_columns, p_.key_tokens);
  }
  if (defect_ == kKeysCutAtQueries) {
    entry.end = std::min(entry.end, p_.query_tokens);
    entry.begin = std::min(entry.begin, entry.end);
  }
  entry.nominal_end = entry.begin + p_.block_columns;
  if (defect_ == kRaggedReadPast) entry.end = std::min(entry.nominal_end, p_.key_tokens);
}

std::vector<MutantEntry> MutantMaps::entries(std::int64_t batch, std::int64_t head,
                                             std::int64_t row) const {
  const Map& map = this->map(batch, head);
  const std::int64_t line = defect_ == kRowOfNext ? std::min(row + 1, p_.row_blocks - 1) : row;
  std::int64_t first = map.indptr[static_cast<std::size_t>(line)];
  std::int64_t end = map.indptr[static_cast<std::size_t>(line) + 1];
  const std::int64_t row_first = first;
  if (defect_ == kLastEntryMissed && end > first) --end;
  if (defect_ == kFirstEntryMissed && end > first) ++first;
  if (defect_ == kEntriesTruncated) end = std::min(end, first + 4);
  std::vector<MutantEntry> entries;
  for (std::int64_t e = first; e < end; ++e) entries.push_back(entry(map, e, end, row_first));
  if (defect_ == kDense || defect_ == kMapTransposed) {
    entries.clear();
    for (const std::int64_t c : columns_of_row(map, row)) {
      entries.emplace_back();
      entries.back().column = c;
    }
  }
  const auto has = [&](std::int64_t column) {
    return std::any_of(entries.begin(), entries.end(),
                       [column](const MutantEntry& e) { return e.column == column; });
  };
  if (defect_ == kEmptyRowAttends && entries.empty()) entries.emplace_back();
  if (defect_ == kOwnBlockAdded && row < p_.column_blocks && !has(row)) {
    entries.emplace_back();
    entries.back().column = row;
  }
  for (MutantEntry& e : entries) place(e);
  if (defect_ == kLastBlockDropped) {
    std::erase_if(entries, [](const MutantEntry& e) { return e.end < e.nominal_end; });
  }
  if (defect_ == kFirstBlockTwice && !entries.empty()) {
    const MutantEntry twice = entries.front();
    entries.insert(entries.begin(), twice);
  }
  return entries;
}

bool MutantMaps::attends(std::int32_t mask, std::int64_t r, std::int64_t i) const {
  if (mask < 0) return true;
  if (defect_ == kMaskFirstWordOnly && i >= 64) return true;
  if (defect_ == kMaskRowShifted && r > 0) --r;
  if (defect_ == kMaskTransposed && i < p_.block_rows && r < p_.block_columns) std::swap(r, i);
  if (defect_ == kMaskBitsReversed) i = i / 64 * 64 + 63 - i % 64;
  const std::uint64_t word = p_.mask_bits[(mask * p_.block_rows + r) * p_.mask_words + i / 64];
  const bool set = ((word >> (i % 64)) & 1) != 0;
  return defect_ == kMaskInverted ? !set : set;
}

}  // namespace lvsa::reference
