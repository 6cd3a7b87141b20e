#include "reference/attention/row_reader.hpp"

#include <algorithm>

#include "reference/attention/oracle_widen.hpp"
#include "reference/attention/simd_level.hpp"

#ifndef LVSA_SIMD_X86
#define LVSA_SIMD_X86 0
#endif

namespace lvsa::reference {
namespace {

constexpr std::int64_t kAhead = 12;  // rows; what memory takes for one is some ten conversions
constexpr std::int64_t kLine = 64;   // bytes

const OracleWiden& widen() {
#if LVSA_SIMD_X86
  static const SimdLevel level = best_simd_level();
  if (level == SimdLevel::kAvx512) return kOracleAvx512Widen;
  if (level == SimdLevel::kAvx2) return kOracleAvx2Widen;
#endif
  return kOracleBaselineWiden;
}

}  // namespace

RowReader::RowReader(const TensorView& view, std::int64_t batch, std::int64_t head)
    : view_(view), batch_(batch), head_(head) {
  const auto width = static_cast<std::int64_t>(dtype_bytes(view.dtype));
  base_ = static_cast<const std::byte*>(view.data) +
          (batch * view.strides[0] + head * view.strides[2]) * width;
  step_ = view.strides[1] * width;
  bytes_ = view.strides[3] == 1 ? view.shape[3] * width : 0;
}

void RowReader::fetch(std::int64_t token) const {
  for (std::int64_t at = 0; at < bytes_; at += kLine) __builtin_prefetch(row(token) + at);
}

void RowReader::convert(std::int64_t token, double* out) const {
  if (bytes_ > 0 && view_.dtype == LVSA_BF16) {
    return widen().bf16(row(token), view_.shape[3], out);
  }
  if (bytes_ > 0 && view_.dtype == LVSA_F16) return widen().f16(row(token), view_.shape[3], out);
  view_.read_row(batch_, token, head_, out);
}

void RowReader::read(const std::int64_t* tokens, std::int64_t count, std::int64_t ahead,
                     double* out, std::int64_t pitch) const {
  const std::int64_t last = count + ahead;
  for (std::int64_t i = 0; i < count; ++i, out += pitch) {
    if (i + kAhead < last) fetch(tokens[i + kAhead]);
    convert(tokens[i], out);
  }
}

void RowReader::read_run(std::int64_t first, std::int64_t count, std::int64_t ahead, double* out,
                         std::int64_t pitch) const {
  const std::int64_t last = count + ahead;
  for (std::int64_t i = 0; i < count; ++i, out += pitch) {
    if (i + kAhead < last) fetch(first + i + kAhead);
    convert(first + i, out);
  }
}

}  // namespace lvsa::reference
