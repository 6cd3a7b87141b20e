#pragma once
// A hash over the lines of a file, in their order: what tells that a stored report or baseline has
// been cut off or edited since it was written. It is no protection against forgery.

#include <cstdint>
#include <string_view>

namespace lvsa::analysis {

/// h_0 = 0; h_i = byte_hash(16 hexadecimal digits of h_(i-1), then line i without its line break),
/// byte_hash() being that of analysis/verify/byte_hash.hpp.
class LineHash {
 public:
  void add(std::string_view line);
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace lvsa::analysis
