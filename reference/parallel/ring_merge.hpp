#pragma once
// Partial attention results of one query row joined by their log-sum-exp, block by block, as a ring
// does it. Source: published sequence parallelism of vLLM-Omni; natural logarithms.

#include <cstdint>
#include <vector>

namespace lvsa::reference {

enum class MergeForm {
  /// First block: out = o, lse = l; then, both with the old lse,
  /// out -= sigmoid(l - lse) * (out - o), lse -= logsigmoid(lse - l). A first block without keys
  /// (l = -inf) gives NaN at the second merge.
  kPublished,
  /// The same, but a block without keys is the identity.
  kRobust,
};

/// Known defects of such code.
enum class MergeDefect {
  kNone,
  kOverwrite,  ///< the last block wins
  kNewLse,     ///< lse is updated first, and the weight of out comes from the new one
  kMean,       ///< blocks count the same whatever their lse
};

/// Real: float as published, or double.
template <typename Real>
class RingMerge {
 public:
  RingMerge(std::int64_t dim, MergeForm form, MergeDefect defect = MergeDefect::kNone)
      : form_(form), defect_(defect), out_(static_cast<std::size_t>(dim), Real(0)) {}

  /// Takes in a block's output (dim values) and log-sum-exp (-inf: it has no keys).
  void add(const Real* out, Real lse);

  /// Zeros before the first block.
  const std::vector<Real>& out() const { return out_; }
  /// -inf before the first block.
  Real lse() const { return lse_; }

 private:
  MergeForm form_;
  MergeDefect defect_;
  std::vector<Real> out_;
  Real lse_ = -static_cast<Real>(__builtin_inf());
  std::int64_t blocks_ = 0;
};

extern template class RingMerge<float>;
extern template class RingMerge<double>;

}  // namespace lvsa::reference
