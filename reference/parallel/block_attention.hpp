#pragma once
// Attention of one query row over a block of keys, in fp64: what a rank computes before results are
// merged. Plain and apart from the oracle, which judges it.

#include <cstdint>
#include <vector>

namespace lvsa::reference {

/// The key and value rows of one key.
struct KeyRow {
  const double* key = nullptr;
  const double* value = nullptr;
};

struct BlockRow {
  std::vector<double> out;  ///< [dim]; zeros when there are no keys
  double lse = 0.0;         ///< natural; -inf when there are no keys
};

BlockRow attend_block(const double* query, const std::vector<KeyRow>& keys, std::int64_t dim,
                      double scale);

}  // namespace lvsa::reference
