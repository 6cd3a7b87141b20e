#include "core/blocks/block_map.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "core/error.hpp"

namespace lvsa {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(ErrorKind::kValue, fmt::format("{}: {}", name, what));
}

void check_indptr(const BlockMap& map, const std::string& name) {
  const std::int64_t rows = map.rows.blocks();
  if (static_cast<std::int64_t>(map.indptr.size()) != rows + 1) {
    refuse(name, fmt::format("indptr has {} entries, {} are due for {} rows of blocks",
                             map.indptr.size(), rows + 1, rows));
  }
  if (map.indptr.front() != 0) {
    refuse(name, fmt::format("indptr begins with {}, 0 is due", map.indptr.front()));
  }
  for (std::size_t r = 0; r + 1 < map.indptr.size(); ++r) {
    if (map.indptr[r + 1] < map.indptr[r]) {
      refuse(name, fmt::format("row {}: indptr falls from {} to {}", r, map.indptr[r],
                               map.indptr[r + 1]));
    }
  }
  if (map.indptr.back() != map.kept()) {
    refuse(name, fmt::format("indptr ends with {}, but there are {} indices", map.indptr.back(),
                             map.kept()));
  }
}

}  // namespace

void check_block_map(const BlockMap& map, const std::string& name) {
  if (map.rows.blocks() == 0 || map.columns.blocks() == 0) refuse(name, "there are no blocks");
  check_indptr(map, name);
  const std::int64_t columns = map.columns.blocks();
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    const auto row = map.row(r);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] < 0 || row[i] >= columns) {
        refuse(name, fmt::format("row {}: column {} is out of range, 0 .. {} are due", r, row[i],
                                 columns - 1));
      }
      if (i > 0 && row[i] == row[i - 1])
        refuse(name, fmt::format("row {}: column {} comes twice", r, row[i]));
      if (i > 0 && row[i] < row[i - 1]) {
        refuse(name, fmt::format("row {}: column {} after {}, columns must ascend", r, row[i],
                                 row[i - 1]));
      }
    }
  }
}

BlockMap full_block_map(BlockAxis rows, BlockAxis columns) {
  return make_block_map(std::move(rows), std::move(columns),
                        [](std::int64_t, std::int64_t) { return true; });
}

BlockMap make_block_map(BlockAxis rows, BlockAxis columns,
                        const std::function<bool(std::int64_t, std::int64_t)>& keeps) {
  BlockMap map{std::move(rows), std::move(columns), {0}, {}};
  for (std::int64_t r = 0; r < map.rows.blocks(); ++r) {
    for (std::int64_t c = 0; c < map.columns.blocks(); ++c) {
      if (keeps(r, c)) map.indices.push_back(static_cast<std::int32_t>(c));
    }
    if (map.kept() > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::kOverflow,
                  "block map: more than 2^31 - 1 blocks; larger blocks are due");
    }
    map.indptr.push_back(static_cast<std::int32_t>(map.kept()));
  }
  return map;
}

double block_density(const BlockMap& map) {
  return static_cast<double>(map.kept()) /
         (static_cast<double>(map.rows.blocks()) * static_cast<double>(map.columns.blocks()));
}

}  // namespace lvsa
