#include "analysis/verify/recover_row.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/verify/recover_search.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kArithmetic = 0x1p-18;  // a few fp32 roundings, divisions and merges

// The values that round to `y`, widened by the arithmetic before that.
ValueRange before_rounding(double y, const ProbePrecision& precision) {
  if (y == 0.0) return {0.0, 0.0};
  const double low = 0.5 * (y + next_in_dtype(precision.dtype, y, -INFINITY));
  const double high = 0.5 * (y + next_in_dtype(precision.dtype, y, INFINITY));
  const double slack = precision.relative * std::fabs(y);
  return {low - slack, high + slack};
}

std::vector<std::pair<std::int64_t, double>> shares(const ProbeRow& row, std::int64_t first,
                                                    std::int64_t count, std::int64_t own) {
  std::vector<std::pair<std::int64_t, double>> other;
  for (std::int64_t i = 0; count > 1 && i < count; ++i) {
    const double share = static_cast<double>(row.columns[static_cast<std::size_t>(first + i)]);
    if (i != own && share != 0.0) other.emplace_back(i, share);
  }
  return other;
}

void count_keys(const FrameGrid& grid, RowMask& mask) {
  for (const KeyPiece& piece : mask.pieces) {
    if (piece.first >= grid.video_tokens()) {
      mask.text += piece.count * piece.times;
    } else {
      mask.frames[static_cast<std::size_t>(piece.first / grid.patches_per_frame)] +=
          piece.count * piece.times;
    }
  }
}

void claim_support(const ProbeSystem& system, RowMask& mask) {
  const ProbeColumns& at = system.columns();
  for (std::int64_t f = 0; f < at.grid.frames; ++f) {
    mask.frames[static_cast<std::size_t>(f)] = system.is_zero(f) ? 0 : kUnknownCount;
  }
  for (std::int64_t t = 0; t < at.text_classes(); ++t) {
    if (!system.is_zero(at.first_text() + t)) mask.text = kUnknownCount;
  }
}

// What the log-sum-exp says of the denominator: keys without values, or all keys several times.
void use_lse(const ProbeRow& row, std::int64_t keys, RowMask& mask) {
  if (!row.lse || !std::isfinite(*row.lse) || keys == 0) return;
  const double denominator = std::exp(static_cast<double>(*row.lse));
  const double error = denominator * (std::fabs(static_cast<double>(*row.lse)) + 1.0) * 0x1p-20;
  const double times = denominator / static_cast<double>(keys);
  const bool whole = std::fabs(times - std::round(times)) * static_cast<double>(keys) <= error;
  const bool none = mask.zero_keys.first <= 0.0 && mask.zero_keys.second >= 0.0;
  if (none && whole && times > 1.5) {
    mask.multiplicity = std::llround(times);
  } else {
    const double extra = denominator - static_cast<double>(keys);
    const double nearest = std::round(extra);
    // Only where both outputs agree: a wrong log-sum-exp is judged elsewhere.
    const bool agrees =
        extra >= mask.zero_keys.first - error && extra <= mask.zero_keys.second + error;
    if (agrees && error < 0.5 && std::fabs(extra - nearest) <= error) {
      mask.zero_keys = {nearest, nearest};
    }
  }
}

}  // namespace

ProbePrecision probe_precision(const std::optional<lvsa_numerics>& numerics, DType inputs,
                               DType output) {
  ProbePrecision precision{output, kArithmetic};
  // Weights that are divided by their sum before they are rounded are all off by the same factor.
  const bool divides_last = numerics && numerics->normalise_first == 0;
  const DType p = numerics && numerics->p_dtype != LVSA_DTYPE_NONE ? numerics->p_dtype : inputs;
  if (!divides_last) precision.relative += unit_roundoff(p);
  return precision;
}

std::vector<KeyPiece> whole_pieces(const FrameGrid& grid, std::span<const std::int32_t> frames,
                                   bool text) {
  std::vector<KeyPiece> pieces;
  for (const std::int32_t f : frames) {
    pieces.push_back({f * grid.patches_per_frame, grid.patches_per_frame, 1});
  }
  if (text && grid.text_tokens > 0) pieces.push_back({grid.video_tokens(), grid.text_tokens, 1});
  return pieces;
}

RowMask recover_row(const ProbeCodes& codes, const ProbePrecision& precision, const ProbeRow& row,
                    const std::vector<KeyPiece>& due, bool deep) {
  const ProbeColumns& at = codes.columns();
  RowMask mask;
  mask.frames.assign(static_cast<std::size_t>(at.grid.frames), 0);
  for (const float value : row.columns) mask.finite = mask.finite && std::isfinite(value);
  if (!mask.finite) return mask;
  ProbeSystem system(codes, row.lse);
  for (const float value : row.columns) {
    system.add_observed(before_rounding(static_cast<double>(value), precision));
  }
  std::optional<KeyFinding> found = find_keys(system, due, deep);
  if (found) {
    mask.proven = true;
    mask.pieces = std::move(found->pieces);
    mask.zero_keys = found->zero_keys;
    count_keys(at.grid, mask);
    use_lse(row, total_keys(mask.pieces), mask);
  } else {
    claim_support(system, mask);
  }
  mask.other_batch = shares(row, at.first_batch(), at.batch, row.batch);
  mask.other_kv_head = shares(row, at.first_kv_head(), at.kv_heads, row.kv_head);
  return mask;
}

}  // namespace lvsa::analysis
