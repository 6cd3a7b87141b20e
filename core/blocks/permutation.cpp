#include "core/blocks/permutation.hpp"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "core/error.hpp"

namespace lvsa {

Permutation::Permutation(std::vector<std::int32_t> tokens, const std::string& name)
    : tokens_(std::move(tokens)), places_(tokens_.size(), -1) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const std::int32_t token = tokens_[i];
    if (token < 0 || static_cast<std::size_t>(token) >= tokens_.size()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: place {}: token {} is out of range, 0 .. {} are due", name, i,
                              token, tokens_.size() - 1));
    }
    std::int32_t& place = places_[static_cast<std::size_t>(token)];
    if (place >= 0) {
      throw Error(ErrorKind::kValue,
                  fmt::format("{}: place {}: token {} comes twice, first at place {}", name, i,
                              token, place));
    }
    place = static_cast<std::int32_t>(i);
  }
}

Permutation Permutation::identity(std::int64_t size) {
  Permutation result;
  result.tokens_.resize(static_cast<std::size_t>(size));
  std::iota(result.tokens_.begin(), result.tokens_.end(), 0);
  result.places_ = result.tokens_;
  return result;
}

Permutation Permutation::inverse() const {
  Permutation result;
  result.tokens_ = places_;
  result.places_ = tokens_;
  return result;
}

bool Permutation::is_identity() const { return tokens_ == places_ && *this == identity(size()); }

}  // namespace lvsa
