#include "reference/parallel/ring_merge.hpp"

#include <algorithm>
#include <cmath>

namespace lvsa::reference {
namespace {

template <typename Real>
Real sigmoid(Real x) {
  return Real(1) / (Real(1) + std::exp(-x));
}

template <typename Real>
Real log_sigmoid(Real x) {
  return std::min(x, Real(0)) - std::log1p(std::exp(-std::abs(x)));
}

}  // namespace

template <typename Real>
void RingMerge<Real>::add(const Real* out, Real lse) {
  const bool empty = std::isinf(lse) && lse < 0;
  if (form_ == MergeForm::kRobust && empty) return;
  const bool first = form_ == MergeForm::kRobust ? std::isinf(lse_) && lse_ < 0 : blocks_ == 0;
  ++blocks_;
  if (first || defect_ == MergeDefect::kOverwrite) {
    std::copy_n(out, out_.size(), out_.begin());
    lse_ = lse;
    return;
  }
  const Real merged = lse_ - log_sigmoid(lse_ - lse);
  Real weight = sigmoid(lse - lse_);
  if (defect_ == MergeDefect::kNewLse) weight = sigmoid(lse - merged);
  if (defect_ == MergeDefect::kMean) weight = Real(1) / static_cast<Real>(blocks_);
  for (std::size_t c = 0; c < out_.size(); ++c) out_[c] -= weight * (out_[c] - out[c]);
  lse_ = merged;
}

template class RingMerge<float>;
template class RingMerge<double>;

}  // namespace lvsa::reference
