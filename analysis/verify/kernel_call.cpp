#include "analysis/verify/kernel_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "analysis/verify/kernel_invoke.hpp"
#include "core/error.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

template <typename Bits>
std::int64_t count_all_ones(const std::byte* data, std::size_t count) {
  std::int64_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
    found += bits == static_cast<Bits>(~Bits{0}) ? 1 : 0;
  }
  return found;
}

std::int64_t count_unwritten(const std::byte* row, std::size_t bytes, DType dtype) {
  if (dtype_bytes(dtype) == 2) return count_all_ones<std::uint16_t>(row, bytes / 2);
  return count_all_ones<std::uint32_t>(row, bytes / 4);
}

}  // namespace

std::optional<std::string> unsupported_reason(const lvsa_kernel& kernel, const Case& c) {
  const lvsa_capabilities& can = kernel.capabilities;
  if (kernel.run == nullptr) return "the kernel takes block maps; a case with pattern= is due";
  if (declared_memory(can) == LVSA_CUDA) {
    if (const auto none = DeviceMemory::why_none()) {
      return fmt::format("the kernel wants device memory, and there is no device here: {}", *none);
    }
  } else if (declared_memory(can) != LVSA_HOST) {
    return fmt::format("the kernel declares memory {}; {} (host) or {} (CUDA) is due",
                       declared_memory(can), static_cast<int>(LVSA_HOST),
                       static_cast<int>(LVSA_CUDA));
  }
  if (!c.pattern.empty()) return "the kernel takes frame lists, no block maps";
  if ((can.dtypes & LVSA_DTYPE_BIT(c.dtype)) == 0)
    return fmt::format("no {} inputs", dtype_name(c.dtype));
  if (c.p_dtype != LVSA_DTYPE_NONE && (can.p_dtypes & LVSA_DTYPE_BIT(c.p_dtype)) == 0) {
    return fmt::format("cannot round P to {}", dtype_name(c.p_dtype));
  }
  const std::int64_t multiple = std::max<std::int64_t>(1, can.head_dim_multiple);
  if (c.head_dim < can.head_dim_min || c.head_dim > can.head_dim_max ||
      c.head_dim % multiple != 0) {
    return fmt::format("no head size {}", c.head_dim);
  }
  if (c.heads != c.kv_heads && can.grouped_heads == 0) return "no grouped heads";
  if (c.grid.text_tokens > 0 && can.text == 0) return "no text tokens";
  if (c.batch > 1 && can.batch == 0) return "no batch above 1";
  return std::nullopt;
}

KernelCall::KernelCall(const lvsa_kernel& kernel, const Case& c, AttentionTensors& tensors,
                       const FramePattern& pattern, std::int32_t threads,
                       std::vector<std::int64_t> wanted)
    : kernel_(kernel),
      out_(output_dtype(c), tensors.q.shape(), c.layout, false, kNanByte),
      wanted_(std::move(wanted)) {
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  csr_indptr_.assign(pattern.offsets.begin(), pattern.offsets.end());
  if (kernel.capabilities.lse != 0) {
    lse_.emplace(LVSA_F32, std::array<std::int64_t, 4>{c.batch, c.grid.seq_len(), c.heads, 1},
                 Layout::kBSHD, false, kNanByte);
  }
  lvsa_problem& p = problem_;
  p.struct_size = sizeof p;
  p.batch = c.batch;
  p.frames = c.grid.frames;
  p.patches_per_frame = c.grid.patches_per_frame;
  p.text_tokens = c.grid.text_tokens;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = c.head_dim;
  p.scale = 1.0 / std::sqrt(static_cast<double>(c.head_dim));
  p.dtype = c.dtype;
  p.out_dtype = output_dtype(c);
  p.memory = LVSA_HOST;  // until it is called
  p.p_dtype = c.p_dtype;
  p.threads = threads;
  p.q = tensors.q.c_tensor();
  p.k = tensors.k.c_tensor();
  p.v = tensors.v.c_tensor();
  p.out = out_.c_tensor();
  p.lse = lse_ ? reinterpret_cast<float*>(lse_->bytes()) : nullptr;
  p.lse_strides[0] = c.grid.seq_len() * c.heads;
  p.lse_strides[1] = c.heads;
  p.lse_strides[2] = 1;
  p.frame_lists = {pattern.offsets.data(), pattern.list.data()};
  p.block_csr = {p.patches_per_frame, p.patches_per_frame, p.frames, csr_indptr_.data(),
                 pattern.list.data()};
  const auto scales = [](const std::vector<float>& of) { return of.empty() ? nullptr : of.data(); };
  p.q_scale = scales(tensors.q_scale);
  p.k_scale = scales(tensors.k_scale);
  p.v_scale = scales(tensors.v_scale);
  p.wanted_tokens = wanted_.empty() ? nullptr : wanted_.data();
  p.wanted_count = static_cast<std::int64_t>(wanted_.size());
}

void KernelCall::run() {
  std::size_t bytes = 0;
  const KernelStatus asked = query_workspace(kernel_, problem_, bytes);
  if (asked.status != LVSA_OK) throw KernelFailed(asked);
  // Nothing may be counted on to be 0 there.
  GuardedBytes workspace = make_workspace(kernel_, bytes, kNanByte);
  const KernelStatus done = invoke_kernel(kernel_, problem_, workspace);
  if (done.status != LVSA_OK) throw KernelFailed(done);
  seconds_ = done.seconds;
  changed_outside_ = done.changed_outside + out_.changed_outside() + workspace.changed_outside();
  if (lse_) changed_outside_ += lse_->changed_outside();
}

float KernelCall::lse(std::int64_t b, std::int64_t s, std::int64_t h) const {
  float value = 0.0F;
  std::memcpy(&value, lse_->row(b, s, h), sizeof value);
  return value;
}

std::optional<lvsa_numerics> KernelCall::numerics() const {
  return query_numerics(kernel_, problem_);
}

std::int64_t unwritten_elements(const GuardedTensor& tensor, std::span<const std::int64_t> wanted) {
  const auto& shape = tensor.shape();
  const auto tokens = wanted.empty() ? shape[1] : static_cast<std::int64_t>(wanted.size());
  std::int64_t found = 0;
#pragma omp parallel for reduction(+ : found) schedule(static)
  for (std::int64_t r = 0; r < shape[0] * tokens; ++r) {
    const std::int64_t i = r % tokens;
    const std::int64_t token = wanted.empty() ? i : wanted[static_cast<std::size_t>(i)];
    for (std::int64_t h = 0; h < shape[2]; ++h) {
      found +=
          count_unwritten(tensor.row(r / tokens, token, h), tensor.row_bytes(), tensor.dtype());
    }
  }
  return found;
}

std::int64_t KernelCall::unwritten(const GuardedTensor& tensor) const {
  return unwritten_elements(tensor, wanted_);
}

std::int64_t KernelCall::unwritten_outputs() const { return unwritten(out_); }

std::int64_t KernelCall::unwritten_lse() const { return lse_ ? unwritten(*lse_) : 0; }

}  // namespace lvsa::analysis
