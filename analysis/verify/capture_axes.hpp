#pragma once
// The order of a captured tensor's dimensions, as users write it: "bshd", "B,H,S,D", "sbhd", "shd",
// "bs3hd" for q, k and v in one tensor.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/element_type.hpp"

namespace lvsa::analysis {

/// Letters of the dimensions in the order of the file: b (may be missing), s, h, d (missing for a
/// log-sum-exp), 3 (packed q, k, v).
class Axes {
 public:
  /// Blanks, commas, brackets and upper case do not matter. Nothing for what is no such order.
  static std::optional<Axes> parse(std::string_view text);

  const std::string& letters() const { return letters_; }
  bool has(char letter) const { return letters_.find(letter) != std::string::npos; }
  /// Size of a dimension; 1 for one that is missing. `shape` has as many sizes as there are
  /// letters.
  std::int64_t size(const std::vector<std::int64_t>& shape, char letter) const;
  /// Elements from one index of a dimension to the next; 0 for one that is missing.
  std::int64_t stride(const std::vector<std::int64_t>& shape, char letter) const;
  /// The same without one of the letters.
  Axes without(char letter) const;

 private:
  explicit Axes(std::string letters) : letters_(std::move(letters)) {}
  std::string letters_;
};

/// [B, S, H, D] (or [B, S, H, 1]) sizes of a shape.
std::array<std::int64_t, 4> bshd_sizes(const Axes& axes, const std::vector<std::int64_t>& shape);

}  // namespace lvsa::analysis
