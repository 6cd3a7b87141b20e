#pragma once
// Mistakes that a kernel may have made about a map, each as the map that it then computed.

#include <cstdint>
#include <string>
#include <vector>

#include "core/blocks/head_pattern.hpp"

namespace lvsa::analysis {

struct MapReading {
  std::string what;  ///< "without key block 5"
  HeadPattern head;
};

/// About one pair of blocks: the key block left out or added, its element mask forgotten, a
/// neighbour in its place.
std::vector<MapReading> readings_of_pair(const HeadPattern& head, std::int64_t query_block,
                                         std::int64_t key_block);

/// About all of the map of heads[number]: masks, order or skip forgotten, another head's map.
std::vector<MapReading> readings_of_head(const std::vector<HeadPattern>& heads,
                                         std::int64_t number);

}  // namespace lvsa::analysis
