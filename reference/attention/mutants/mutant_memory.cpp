#include "reference/attention/mutants/mutant_memory.hpp"

#include <algorithm>

#include "core/tensor/tensor.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"

namespace lvsa::reference {

MutantMemory& mutant_memory() {
  static MutantMemory memory;
  return memory;
}

void forget_previous_calls() { mutant_memory() = {}; }

bool is_wanted(const lvsa_problem& p, std::int64_t token) {
  return p.wanted_tokens == nullptr ||
         std::binary_search(p.wanted_tokens, p.wanted_tokens + p.wanted_count, token);
}

Staged::Staged(const lvsa_problem& p, const lvsa_tensor& t, std::int64_t heads, Defect defect,
               bool wanted_only)
    : tokens_(p.frames * p.patches_per_frame + p.text_tokens),
      heads_(heads),
      dim_(p.head_dim),
      values_(static_cast<std::size_t>(p.batch * tokens_ * heads_ * dim_)) {
  TensorView view{t.data, p.dtype, {p.batch, tokens_, heads_, dim_}, {}};
  std::copy(std::begin(t.strides), std::end(t.strides), view.strides.begin());
  if (defect == Defect::kStridesIgnored) {
    view.strides = {tokens_ * heads_ * dim_, heads_ * dim_, dim_, 1};
  }
  if (defect == Defect::kDataByAddress) {
    std::vector<float>& kept = mutant_memory().keys[t.data];
    if (kept.size() != values_.size()) {
      read(p, view, wanted_only);
      kept = values_;
    }
    values_ = kept;
    return;
  }
  read(p, view, wanted_only);
  if (defect == Defect::kValuesClamped) {
    for (float& value : values_) value = std::clamp(value, -4.0F, 4.0F);
  }
}

void Staged::read(const lvsa_problem& p, const TensorView& view, bool wanted_only) {
  const std::int64_t rows = p.batch * tokens_;
#pragma omp parallel
  {
    std::vector<double> row(static_cast<std::size_t>(dim_));
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < rows; ++r) {
      if (wanted_only && !is_wanted(p, r % tokens_)) continue;
      for (std::int64_t h = 0; h < heads_; ++h) {
        view.read_row(r / tokens_, r % tokens_, h, row.data());
        std::transform(row.begin(), row.end(), values_.begin() + (r * heads_ + h) * dim_,
                       [](double x) { return static_cast<float>(x); });
      }
    }
  }
}

}  // namespace lvsa::reference
