#pragma once
// Another order of the tokens, and the way back.

#include <cstdint>
#include <string>
#include <vector>

namespace lvsa {

class Permutation {
 public:
  Permutation() = default;
  /// tokens[i] is the token that comes to place i. Throws Error(kValue) that starts with `name` and
  /// names the place and the token which is out of range or comes twice.
  Permutation(std::vector<std::int32_t> tokens, const std::string& name);
  static Permutation identity(std::int64_t size);

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  /// The token at a place of the new order.
  std::int32_t token(std::int64_t place) const { return tokens_[static_cast<std::size_t>(place)]; }
  /// Where a token went: place(token(i)) = i.
  std::int32_t place(std::int64_t token) const { return places_[static_cast<std::size_t>(token)]; }
  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  const std::vector<std::int32_t>& places() const { return places_; }
  Permutation inverse() const;
  bool is_identity() const;

  bool operator==(const Permutation& other) const { return tokens_ == other.tokens_; }

 private:
  std::vector<std::int32_t> tokens_;
  std::vector<std::int32_t> places_;
};

}  // namespace lvsa
