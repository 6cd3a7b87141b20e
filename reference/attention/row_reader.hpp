#pragma once
// Rows of K and V as doubles, many at a time. A row of one head lies far from the next one, so the
// rows ahead are asked for while those at hand are converted.

#include <cstdint>

#include "core/tensor/tensor.hpp"

namespace lvsa::reference {

/// Rows of one batch element and head of a tensor, which must outlive the reader. Every machine
/// reads the same numbers.
class RowReader {
 public:
  RowReader(const TensorView& view, std::int64_t batch, std::int64_t head);

  /// Reads tokens[0 .. count - 1] to out, out + pitch, ...; `ahead` more tokens behind these will
  /// be read next. out has room for D doubles a row.
  void read(const std::int64_t* tokens, std::int64_t count, std::int64_t ahead, double* out,
            std::int64_t pitch) const;
  /// The same for tokens first, first + 1, ...
  void read_run(std::int64_t first, std::int64_t count, std::int64_t ahead, double* out,
                std::int64_t pitch) const;

 private:
  const std::byte* row(std::int64_t token) const { return base_ + token * step_; }
  void fetch(std::int64_t token) const;
  void convert(std::int64_t token, double* out) const;

  const TensorView& view_;
  std::int64_t batch_;
  std::int64_t head_;
  const std::byte* base_;
  std::int64_t step_;   // bytes from a token's row to the next one's
  std::int64_t bytes_;  // of a row that has no gaps between its elements, else 0
};

}  // namespace lvsa::reference
