#pragma once
// q, k and v of one captured call as they lie in the file, and single heads of them.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/verify/capture_calls.hpp"
#include "core/io/tensor_file.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

enum class CallPart : std::size_t { kQ, kK, kV };

/// Reads at construction; throws what TensorSource throws. Needs the bytes that the call has.
class CapturedBits {
 public:
  CapturedBits(const TensorSource& file, const std::string& group, const CapturedShape& shape);

  /// One head as [1, S, 1, D]: in the file's type, or float32 times its factor where float8_e4m3
  /// has factors.
  Tensor head(CallPart part, std::int64_t batch, std::int64_t head) const;
  /// The first NaN or infinity of a head: "q: NaN at batch 0, token 5 (frame 0 row 5), head 1,
  /// column 3"; empty for none.
  std::string first_not_finite(CallPart part, std::int64_t batch, std::int64_t head) const;
  /// Hash of forms, orders, bits and factors.
  std::uint64_t hash() const { return hash_; }

 private:
  const std::byte* row(CallPart part, std::int64_t batch, std::int64_t token,
                       std::int64_t head) const;

  CapturedShape shape_;
  std::array<std::vector<std::byte>, 3> bits_;  ///< a packed tensor stands in the first alone
  std::array<std::vector<float>, 3> factors_;   ///< [batch * heads]; empty: 1
  std::uint64_t hash_ = 0;
};

}  // namespace lvsa::analysis
