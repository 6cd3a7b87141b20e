#pragma once
// Tensors that relations make from those of a problem.

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include "analysis/verify/guarded_tensor.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/relation_rows.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// A tensor of another shape whose row (b, s, h) is a copy of row `from(b, s, h)`; NaN where that
/// has a token below 0.
template <typename From>
std::shared_ptr<GuardedTensor> gathered(const GuardedTensor& tensor, Layout layout,
                                        std::array<std::int64_t, 4> shape, From from) {
  auto made = std::make_shared<GuardedTensor>(tensor.dtype(), shape, layout, false, kNanByte);
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t s = 0; s < shape[1]; ++s) {
      for (std::int64_t h = 0; h < shape[2]; ++h) {
        const reference::RowId row = from(reference::RowId{b, s, h});
        if (row.token < 0) continue;
        std::memcpy(made->row(b, s, h), tensor.row(row.batch, row.token, row.head),
                    made->row_bytes());
      }
    }
  }
  return made;
}

/// Writes `value` to every element of the rows that `chosen` picks.
template <typename Chosen>
std::shared_ptr<GuardedTensor> poisoned(const GuardedTensor& tensor, Layout layout, double value,
                                        Chosen chosen) {
  auto made = copy_of(tensor, layout);
  const std::size_t width = dtype_bytes(made->dtype());
  const auto& shape = made->shape();
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t s = 0; s < shape[1]; ++s) {
      for (std::int64_t h = 0; h < shape[2]; ++h) {
        if (!chosen(reference::RowId{b, s, h})) continue;
        std::byte* element = made->row(b, s, h);
        for (std::int64_t i = 0; i < shape[3]; ++i, element += width) {
          encode(made->dtype(), value, element);
        }
      }
    }
  }
  return made;
}

/// The tensor with `added` tokens of large bell-shaped numbers before token `at`.
std::shared_ptr<GuardedTensor> with_more_tokens(const GuardedTensor& tensor, Layout layout,
                                                std::int64_t at, std::int64_t added,
                                                std::uint64_t seed, std::uint64_t stream);

/// The largest finite number of a type.
double largest_number(DType dtype);

/// A part of the keys as the kernel computed it, and its exact results.
struct PartOfKeys {
  Problem problem;
  Outputs outputs;
  std::vector<reference::RowResult> exact;
};
/// Two parts that make up the keys of `whole`, merged by log-sum-exp: one line on the first row in
/// which they differ from it by more than the tolerances of the three. (relations_keys.cpp)
std::optional<std::string> merge_differs(const PartOfKeys& a, const PartOfKeys& b,
                                         const PartOfKeys& whole,
                                         const std::vector<reference::RowId>& rows);

/// Lists of numbers below `count` with the same lengths and sums: in each row where it can be, one
/// number becomes the next and a later one the one before it. (relations_stale.cpp)
std::vector<std::vector<std::int32_t>> with_equal_sums(
    const std::vector<std::vector<std::int32_t>>& lists, std::int32_t count);

}  // namespace lvsa::analysis
