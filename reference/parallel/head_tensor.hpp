#pragma once
// A tensor of one rank in fp64: [tokens, heads, elements], contiguous.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lvsa::reference {

struct HeadTensor {
  std::int64_t tokens = 0;
  std::int64_t heads = 0;
  std::int64_t dim = 0;
  std::vector<double> data;

  HeadTensor() = default;
  HeadTensor(std::int64_t tokens_, std::int64_t heads_, std::int64_t dim_, double value = 0.0)
      : tokens(tokens_),
        heads(heads_),
        dim(dim_),
        data(static_cast<std::size_t>(tokens_ * heads_ * dim_), value) {}

  double* row(std::int64_t token, std::int64_t head) {
    return data.data() + (token * heads + head) * dim;
  }
  const double* row(std::int64_t token, std::int64_t head) const {
    return data.data() + (token * heads + head) * dim;
  }
  bool operator==(const HeadTensor&) const = default;
};

/// Tokens begin .. end - 1; rows that `from` lacks are zero.
HeadTensor take_tokens(const HeadTensor& from, std::int64_t begin, std::int64_t end);
/// Heads begin .. end - 1; heads that `from` lacks are zero.
HeadTensor take_heads(const HeadTensor& from, std::int64_t begin, std::int64_t end);
/// Writes all rows of `part` into `whole` from (token, head) on; rows outside it are left out.
void put(const HeadTensor& part, std::int64_t token, std::int64_t head, HeadTensor& whole);

}  // namespace lvsa::reference
