#include "analysis/blocks/map_readings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace lvsa::analysis {
namespace {

// An entry of the map's row: key block and mask.
struct Entry {
  std::int32_t column;
  std::int32_t mask;
};

std::vector<Entry> entries_of(const HeadPattern& head, std::int64_t row) {
  std::vector<Entry> entries;
  std::int64_t entry = head.map.indptr[static_cast<std::size_t>(row)];
  for (const std::int32_t column : head.map.row(row)) {
    entries.push_back({column, head.mask.mask_of(entry++)});
  }
  return entries;
}

// The pattern with other entries in one row.
HeadPattern with_entries(const HeadPattern& head, std::int64_t row,
                         const std::vector<Entry>& entries) {
  HeadPattern made = head;
  const auto first = made.map.indptr[static_cast<std::size_t>(row)];
  const auto last = made.map.indptr[static_cast<std::size_t>(row) + 1];
  const auto change = static_cast<std::int32_t>(entries.size()) - (last - first);
  std::vector<std::int32_t> columns;
  std::vector<std::int32_t> masks;
  for (const Entry& entry : entries) {
    columns.push_back(entry.column);
    masks.push_back(entry.mask);
  }
  const auto put = [&](std::vector<std::int32_t>& all, const std::vector<std::int32_t>& part) {
    all.erase(all.begin() + first, all.begin() + last);
    all.insert(all.begin() + first, part.begin(), part.end());
  };
  put(made.map.indices, columns);
  if (!made.mask.entry.empty()) put(made.mask.entry, masks);
  for (auto r = static_cast<std::size_t>(row) + 1; r < made.map.indptr.size(); ++r) {
    made.map.indptr[r] += change;
  }
  return made;
}

}  // namespace

std::vector<MapReading> readings_of_head(const std::vector<HeadPattern>& heads,
                                         std::int64_t number) {
  constexpr std::int64_t kMostHeads = 8;
  const HeadPattern& head = heads[static_cast<std::size_t>(number)];
  std::vector<MapReading> readings;
  if (head.mask.masks() > 0) {
    readings.push_back({"with no element mask", head});
    readings.back().head.mask = {};
  }
  if (head.order) {
    readings.push_back({"with tokens in the sequence's own order", head});
    readings.back().head.order.reset();
  }
  if (head.skip) {
    readings.push_back({"with no block skipped", head});
    readings.back().head.skip.reset();
  }
  const auto add = [&](std::string what, const HeadPattern& other) {
    if (other != head) readings.push_back({std::move(what), other});
  };
  for (std::int64_t h = 0; h < std::min(kMostHeads, static_cast<std::int64_t>(heads.size())); ++h) {
    const HeadPattern& other = heads[static_cast<std::size_t>(h)];
    HeadPattern mixed = other;
    mixed.order = head.order;
    mixed.skip = head.skip;
    add(fmt::format("with map and masks of head {}", h), mixed);
    if (other.order == head.order) continue;
    mixed = head;
    mixed.order = other.order;
    add(fmt::format("with the order of head {}", h), mixed);
    add(fmt::format("with map, masks and order of head {}", h), other);
  }
  return readings;
}

std::vector<MapReading> readings_of_pair(const HeadPattern& head, std::int64_t query_block,
                                         std::int64_t key_block) {
  const auto column = static_cast<std::int32_t>(key_block);
  const std::vector<Entry> entries = entries_of(head, query_block);
  const auto find = [&](std::int64_t wanted) {
    return std::find_if(entries.begin(), entries.end(),
                        [&](const Entry& e) { return e.column == wanted; });
  };
  const auto mine = static_cast<std::size_t>(find(column) - entries.begin());
  const bool kept = mine < entries.size();
  std::vector<MapReading> readings;
  const auto add = [&](std::string what, std::vector<Entry> other) {
    std::sort(other.begin(), other.end(),
              [](const Entry& a, const Entry& b) { return a.column < b.column; });
    readings.push_back({std::move(what), with_entries(head, query_block, other)});
  };
  std::vector<Entry> other = entries;
  if (!kept) {
    other.push_back({column, -1});
    add(fmt::format("with key block {}", column), other);
  } else {
    other.erase(other.begin() + static_cast<std::ptrdiff_t>(mine));
    add(fmt::format("without key block {}", column), other);
    if (entries[mine].mask >= 0) {
      other = entries;
      other[mine].mask = -1;
      add(fmt::format("with all pairs of key block {}", column), other);
    }
    for (const std::int64_t near : {key_block - 1, key_block + 1}) {
      if (near < 0 || near >= head.map.columns.blocks() || find(near) != entries.end()) continue;
      other = entries;
      other[mine] = {static_cast<std::int32_t>(near), -1};
      add(fmt::format("with key block {} in place of {}", near, column), other);
    }
  }
  return readings;
}

}  // namespace lvsa::analysis
