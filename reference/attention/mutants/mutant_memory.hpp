#pragma once
// What the emulated kernel reads, as floats, and what its defects keep from call to call.

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "core/tensor/tensor.hpp"
#include "reference/attention/mutants/defects.hpp"
#include "reference/attention/mutants/wrong_lists.hpp"

namespace lvsa::reference {

/// Healthy code has nothing of the kind.
struct MutantMemory {
  std::map<std::array<std::int64_t, 4>, AttendedLists> patterns;  ///< by sizes, or by sums
  std::map<std::array<std::int64_t, 4>, AttendedLists> plans;     ///< by address
  std::map<const void*, std::vector<float>> keys;                 ///< by address
  float last_sum = 0.0F;
  std::int64_t calls = 0;
};
/// One for all calls. Not to be used from several threads.
MutantMemory& mutant_memory();

/// Whether the output row of a token will be looked at.
bool is_wanted(const lvsa_problem& p, std::int64_t token);

/// A tensor as floats, [B, S, H, D].
class Staged {
 public:
  /// `wanted_only`: rows of tokens that are not wanted stay 0.
  Staged(const lvsa_problem& p, const lvsa_tensor& t, std::int64_t heads, Defect defect,
         bool wanted_only = false);
  /// `token` counts on into the next batch elements, as an address would.
  const float* row(std::int64_t batch, std::int64_t token, std::int64_t head) const {
    return values_.data() + ((batch * tokens_ + token) * heads_ + head) * dim_;
  }
  std::int64_t rows() const { return static_cast<std::int64_t>(values_.size()) / (heads_ * dim_); }

 private:
  void read(const lvsa_problem& p, const TensorView& view, bool wanted_only);

  std::int64_t tokens_;
  std::int64_t heads_;
  std::int64_t dim_;
  std::vector<float> values_;
};

}  // namespace lvsa::reference
