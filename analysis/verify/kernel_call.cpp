#include "analysis/verify/kernel_call.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstring>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::uint32_t kUnwritten = 0xffffffffU;

template <typename Bits>
std::int64_t count_all_ones(const std::byte* data, std::int64_t count) {
  std::int64_t found = 0;
#pragma omp parallel for reduction(+ : found) schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, data + static_cast<std::size_t>(i) * sizeof bits, sizeof bits);
    found += bits == static_cast<Bits>(~Bits{0}) ? 1 : 0;
  }
  return found;
}

std::string failure(const lvsa_kernel& kernel, const char* step, lvsa_status status,
                    const char* message) {
  const int number = static_cast<int>(status);
  const bool known = number >= LVSA_OK && number <= LVSA_FAILED;
  std::string line = message;
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return fmt::format("kernel {}: {} returned {} {}{}{}", kernel.name, step,
                     known ? "status" : "what is no status,", number, line.empty() ? "" : ": ",
                     line);
}

// The floating-point environment as it was: a kernel that sets flush-to-zero or a rounding mode for
// itself must not change how it is judged.
class FloatEnvironmentKept {
 public:
  FloatEnvironmentKept() { std::fegetenv(&before_); }
  FloatEnvironmentKept(const FloatEnvironmentKept&) = delete;
  FloatEnvironmentKept& operator=(const FloatEnvironmentKept&) = delete;
  ~FloatEnvironmentKept() { std::fesetenv(&before_); }

 private:
  std::fenv_t before_{};
};

// A C++ exception must not leave a function of the C interface; where one does, it is the kernel's
// failure and not this program's.
template <typename Call>
lvsa_status guarded(const lvsa_kernel& kernel, const char* step, Call call) {
  const FloatEnvironmentKept kept;
  try {
    return call();
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kKernel, fmt::format("kernel {}: a C++ exception left its {}: {}",
                                                kernel.name, step, error.what()));
  } catch (const abi::__forced_unwind&) {  // a thread that is being ended: not to be held up
    throw;
  } catch (...) {
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {}: a C++ exception left its {}", kernel.name, step));
  }
}

}  // namespace

std::optional<std::string> unsupported_reason(const lvsa_kernel& kernel, const Case& c) {
  const lvsa_capabilities& can = kernel.capabilities;
  if (can.memory != LVSA_HOST) return "the kernel wants device memory, and there is no device here";
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
    : kernel_(kernel), out_(c.dtype, tensors.q.shape(), c.layout), wanted_(std::move(wanted)) {
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  std::memset(out_.bytes(), 0xff, out_.size_bytes());
  csr_indptr_.assign(pattern.offsets.begin(), pattern.offsets.end());
  if (kernel.capabilities.lse != 0) {
    lse_.assign(static_cast<std::size_t>(c.batch * c.grid.seq_len() * c.heads),
                std::bit_cast<float>(kUnwritten));
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
  p.out_dtype = c.dtype;
  p.memory = LVSA_HOST;
  p.p_dtype = c.p_dtype;
  p.threads = threads;
  p.q = tensors.q.c_tensor();
  p.k = tensors.k.c_tensor();
  p.v = tensors.v.c_tensor();
  p.out = out_.c_tensor();
  p.lse = lse_.empty() ? nullptr : lse_.data();
  p.lse_strides[0] = c.grid.seq_len() * c.heads;
  p.lse_strides[1] = c.heads;
  p.lse_strides[2] = 1;
  p.frame_lists = {pattern.offsets.data(), pattern.list.data()};
  p.block_csr = {p.patches_per_frame, p.patches_per_frame, p.frames, csr_indptr_.data(),
                 pattern.list.data()};
  p.wanted_tokens = wanted_.empty() ? nullptr : wanted_.data();
  p.wanted_count = static_cast<std::int64_t>(wanted_.size());
}

void KernelCall::run() {
  std::size_t bytes = 0;
  if (kernel_.workspace != nullptr) {
    const lvsa_status status =
        guarded(kernel_, "workspace query", [&] { return kernel_.workspace(&problem_, &bytes); });
    if (status != LVSA_OK) {
      throw Error(ErrorKind::kKernel, failure(kernel_, "workspace query", status, ""));
    }
  }
  try {
    workspace_.resize(bytes);
  } catch (const std::exception&) {  // bad_alloc, length_error
    throw Error(ErrorKind::kKernel,
                fmt::format("kernel {}: asks for a workspace of {} bytes, which is more than "
                            "there is",
                            kernel_.name, bytes));
  }
  std::array<char, 512> message{};
  const lvsa_status status = guarded(kernel_, "run", [&] {
    return kernel_.run(&problem_, workspace_.data(), workspace_.size(), nullptr, message.data(),
                       message.size());
  });
  message.back() = '\0';
  if (status != LVSA_OK) {
    throw Error(ErrorKind::kKernel, failure(kernel_, "run", status, message.data()));
  }
}

float KernelCall::lse(std::int64_t b, std::int64_t s, std::int64_t h) const {
  return lse_[static_cast<std::size_t>(b * problem_.lse_strides[0] + s * problem_.lse_strides[1] +
                                       h * problem_.lse_strides[2])];
}

std::optional<lvsa_numerics> KernelCall::numerics() const {
  if (kernel_.numerics == nullptr) return std::nullopt;
  lvsa_numerics numerics{};
  numerics.struct_size = sizeof numerics;
  const lvsa_status status =
      guarded(kernel_, "numerics query", [&] { return kernel_.numerics(&problem_, &numerics); });
  if (status != LVSA_OK) return std::nullopt;
  // What lies behind the fields that the kernel knows is not its word.
  const std::size_t known = std::min(numerics.struct_size, sizeof numerics);
  std::memset(reinterpret_cast<std::byte*>(&numerics) + known, 0, sizeof numerics - known);
  return numerics;
}

std::int64_t KernelCall::unwritten_outputs() const {
  if (!wanted_.empty()) return 0;
  return dtype_bytes(out_.dtype()) == 2
             ? count_all_ones<std::uint16_t>(out_.bytes(), out_.elements())
             : count_all_ones<std::uint32_t>(out_.bytes(), out_.elements());
}

std::int64_t KernelCall::unwritten_lse() const {
  if (!wanted_.empty()) return 0;
  return count_all_ones<std::uint32_t>(reinterpret_cast<const std::byte*>(lse_.data()),
                                       static_cast<std::int64_t>(lse_.size()));
}

}  // namespace lvsa::analysis
