// How exactly the tensor cores of this device add: for each instruction and input type, the bits
// kept behind the point of the largest addend, whether the rest is cut off or rounded, how many
// products are added in one step, and what long chains of additions lose. One JSON object a line;
// "median" is the unit roundoff that a kernel should declare: the largest error of one addition,
// relative to the largest addend.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kMostK = 32;

void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

/// d = c + sum of a[k] * b[k], `steps` times over.
struct Sum {
  float a[kMostK];
  float b[kMostK];
  float c;
  int steps;
};

enum class Instruction { kMmaSync, kWgmma };

template <typename T>
__device__ std::uint32_t bits_of(float x) {
  const T element(x);
  if constexpr (sizeof(T) == 1) {
    return *reinterpret_cast<const std::uint8_t*>(&element);
  } else {
    return *reinterpret_cast<const std::uint16_t*>(&element);
  }
}

/// `count` neighbours from x on, as one word.
template <typename T>
__device__ std::uint32_t word_of(const float* x) {
  std::uint32_t word = 0;
  for (int i = 0; i < 4 / static_cast<int>(sizeof(T)); ++i) {
    word |= bits_of<T>(x[i]) << 8 * sizeof(T) * i;
  }
  return word;
}

#define LVSA_MMA(shape, type)                                               \
  asm volatile("mma.sync.aligned." shape ".row.col.f32." type "." type      \
               ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])             \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

#define LVSA_WGMMA_N8(shape, type, transposed)                             \
  asm volatile(                                                            \
      "wgmma.fence.sync.aligned;\n"                                        \
      "wgmma.mma_async.sync.aligned." shape ".f32." type "." type          \
      " {%0,%1,%2,%3}, {%4,%5,%6,%7}, %8, 1, 1, 1" transposed              \
      ";\n"                                                                \
      "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;" \
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                     \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(operand)           \
      : "memory")

/// One warpgroup; row 0 of A and column 0 of B have the numbers, the rest is zero.
template <typename T, Instruction kInstruction>
__global__ void __launch_bounds__(128, 1) add_up(const Sum sum, float* result) {
  constexpr int kWord = 4 / sizeof(T);  // elements a word
  const int quad = static_cast<int>(threadIdx.x) % 4;
  const bool row_0 = threadIdx.x < 4;
  std::uint32_t a[4] = {row_0 ? word_of<T>(sum.a + kWord * quad) : 0, 0,
                        row_0 ? word_of<T>(sum.a + kWord * (4 + quad)) : 0, 0};
  float d[4] = {threadIdx.x == 0 ? sum.c : 0.0f, 0.0f, 0.0f, 0.0f};
  if constexpr (kInstruction == Instruction::kMmaSync) {
    const std::uint32_t b[2] = {row_0 ? word_of<T>(sum.b + kWord * quad) : 0,
                                row_0 ? word_of<T>(sum.b + kWord * (4 + quad)) : 0};
    for (int i = 0; i < sum.steps; ++i) {
      if constexpr (std::is_same_v<T, __nv_bfloat16>) LVSA_MMA("m16n8k16", "bf16");
      if constexpr (std::is_same_v<T, __half>) LVSA_MMA("m16n8k16", "f16");
#if __CUDA_ARCH__ >= 890
      if constexpr (sizeof(T) == 1) LVSA_MMA("m16n8k32", "e4m3");
#endif
    }
  } else {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    __shared__ alignas(128) char b_shared[512];
    // Two blocks of 8 columns x 16 bytes, 128 bytes each: column 0 is the first 16 bytes.
    for (int i = static_cast<int>(threadIdx.x); i < 128; i += 128) {
      reinterpret_cast<std::uint32_t*>(b_shared)[i] = 0;
    }
    __syncthreads();
    if (threadIdx.x < 8) {
      reinterpret_cast<std::uint32_t*>(b_shared)[threadIdx.x / 4 * 32 + threadIdx.x % 4] =
          word_of<T>(sum.b + kWord * threadIdx.x);
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();
    const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(b_shared));
    const std::uint64_t operand =
        std::uint64_t{128 >> 4} << 32 | std::uint64_t{128 >> 4} << 16 | (address >> 4 & 0x3fff);
    for (int i = 0; i < sum.steps; ++i) {
      if constexpr (std::is_same_v<T, __nv_bfloat16>) {
        LVSA_WGMMA_N8("m64n8k16", "bf16", ", 0");
      }
      if constexpr (std::is_same_v<T, __half>) LVSA_WGMMA_N8("m64n8k16", "f16", ", 0");
      if constexpr (sizeof(T) == 1) LVSA_WGMMA_N8("m64n8k32", "e4m3", "");
    }
#endif
  }
  if (threadIdx.x == 0) *result = d[0];
}

template <typename T, Instruction kInstruction>
class Adder {
 public:
  static constexpr int kDepth = sizeof(T) == 1 ? 32 : 16;

  Adder() { check(cudaMalloc(&result_, sizeof(float))); }
  ~Adder() { static_cast<void>(cudaFree(result_)); }
  Adder(const Adder&) = delete;
  Adder& operator=(const Adder&) = delete;

  double operator()(const Sum& sum) {
    add_up<T, kInstruction><<<1, 128>>>(sum, result_);
    check(cudaGetLastError());
    float value = 0;
    check(cudaMemcpy(&value, result_, sizeof value, cudaMemcpyDeviceToHost));
    return static_cast<double>(value);
  }

  /// A sum with product k = 2^exponent[k] times sign; other products are zero.
  static Sum powers(double c, int steps) {
    Sum sum{};
    sum.c = static_cast<float>(c);
    sum.steps = steps;
    return sum;
  }
  static void set(Sum& sum, int k, int exponent, double sign = 1.0) {
    const int half = exponent / 2;
    sum.a[k] = static_cast<float>(std::ldexp(sign, half));
    sum.b[k] = static_cast<float>(std::ldexp(1.0, exponent - half));
  }

 private:
  float* result_ = nullptr;
};

constexpr int kTop = 8;  // the largest addend is 2^8, so that small ones fit in e4m3

/// Bits behind the point of 2^kTop down to which a single small product still counts, the large
/// addend being another product or (`in_c`) the accumulator.
template <typename A>
int bits_kept(A& add, bool in_c) {
  int kept = 0;
  for (int t = 1; t <= 26; ++t) {
    Sum sum = A::powers(in_c ? std::ldexp(1.0, kTop) : 0.0, 1);
    if (!in_c) A::set(sum, 0, kTop);
    A::set(sum, 1, kTop - t);
    if (add(sum) != std::ldexp(1.0, kTop)) kept = t;
  }
  return kept;
}

/// Whether what is below the last bit kept is rounded: 1.5 units of it would become 2.
template <typename A>
bool rounds(A& add, int kept) {
  Sum sum = A::powers(std::ldexp(1.0, kTop), 1);
  A::set(sum, 1, kTop - kept);
  A::set(sum, 2, kTop - kept - 1);
  const double unit = std::ldexp(1.0, kTop - kept);
  Sum alone = A::powers(std::ldexp(1.0, kTop), 1);
  A::set(alone, 1, kTop - kept);
  alone.a[1] *= 1.5f;
  return add(alone) - std::ldexp(1.0, kTop) > 1.5 * unit ||
         add(sum) - std::ldexp(1.0, kTop) > 1.5 * unit;
}

/// What is left of +1, -1 and 2^-t in the places 0, 1 and k.
template <typename A>
bool survives(A& add, int k, int t) {
  Sum sum = A::powers(0.0, 1);
  A::set(sum, 0, kTop);
  A::set(sum, 1, kTop, -1.0);
  A::set(sum, k, kTop - t);
  return add(sum) != 0.0;
}

/// Bits behind the point of the largest addend that the adder works with, before the result is cut
/// to what an accumulator holds.
template <typename A>
int bits_inside(A& add) {
  int kept = 0;
  for (int t = 1; t <= (A::kDepth == 32 ? 26 : 36); ++t) {
    if (survives(add, 2, t)) kept = t;
  }
  return kept;
}

/// Products that are added at once: behind +1 and -1, one too small is lost as long as it is added
/// together with them.
template <typename A>
int group(A& add, int inside) {
  for (int k = 2; k < A::kDepth; ++k) {
    if (survives(add, k, inside + 1)) return k;
  }
  return A::kDepth;
}

/// Largest relative error of one step, over 1 and equal small addends in all other places.
template <typename A>
double worst_step(A& add) {
  double worst = 0;
  for (int t = 1; t <= 26; ++t) {
    for (const double factor : {1.0, 1.25, 1.5, 1.75}) {
      Sum sum = A::powers(0.0, 1);
      A::set(sum, 0, kTop);
      double exact = std::ldexp(1.0, kTop);
      for (int k = 1; k < A::kDepth; ++k) {
        A::set(sum, k, kTop - t);
        sum.a[k] *= static_cast<float>(factor);
        exact += factor * std::ldexp(1.0, kTop - t);
      }
      worst = std::max(worst, std::abs(add(sum) - exact) / exact);
    }
  }
  return worst;
}

/// Relative error of `steps` times the same products, all 1.
template <typename A>
double chain(A& add, int steps, double factor) {
  Sum sum = A::powers(0.0, steps);
  for (int k = 0; k < A::kDepth; ++k) {
    A::set(sum, k, 0);
    sum.a[k] *= static_cast<float>(factor);
  }
  const double exact = factor * A::kDepth * steps;
  return (add(sum) - exact) / exact;
}

template <typename T, Instruction kInstruction>
void measure(const char* instruction, const char* type, const std::string& architecture) {
  Adder<T, kInstruction> add;
  const int product_bits = bits_kept(add, false);
  const int sum_bits = bits_kept(add, true);
  const int least = std::min(product_bits, sum_bits);
  const bool rounded = rounds(add, sum_bits);
  const int inside = bits_inside(add);
  const double roundoff = std::ldexp(1.0, rounded ? -least - 1 : -least);
  std::printf(
      "{\"name\": \"accumulator/%s,%s\", \"unit\": \"roundoff\", \"median\": %.6g, "
      "\"architecture\": \"%s\", \"instruction\": \"%s\", \"type\": \"%s\", \"roundoff\": %.6g, "
      "\"bits_of_products\": %d, \"bits_of_sum\": %d, \"bits_inside\": %d, \"rounds\": %s, "
      "\"added_at_once\": %d, "
      "\"worst_step\": %.3g, \"chain_100\": %.3g, \"chain_1000\": %.3g, \"chain_10000\": %.3g, "
      "\"how\": \"2^8 plus powers of two, single and in all other places; chains add 1.125 in each "
      "place\", \"samples\": []}\n",
      instruction, type, roundoff, architecture.c_str(), instruction, type, roundoff, product_bits,
      sum_bits, inside, rounded ? "true" : "false", group(add, inside), worst_step(add),
      chain(add, 100, 1.125), chain(add, 1000, 1.125), chain(add, 10000, 1.125));
}

}  // namespace

int main() {
  int device = 0;
  cudaDeviceProp properties;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaGetDeviceProperties(&properties, device) != cudaSuccess) {
    std::fprintf(stderr, "no usable CUDA device\n");
    return 77;
  }
  const std::string architecture =
      "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
  try {
    using enum Instruction;
    measure<__nv_bfloat16, kMmaSync>("mma.sync.m16n8k16", "bf16", architecture);
    measure<__half, kMmaSync>("mma.sync.m16n8k16", "f16", architecture);
    if (properties.major * 10 + properties.minor >= 89) {
      measure<__nv_fp8_e4m3, kMmaSync>("mma.sync.m16n8k32", "e4m3", architecture);
    }
    if (properties.major == 9) {
      measure<__nv_bfloat16, kWgmma>("wgmma.k16", "bf16", architecture);
      measure<__half, kWgmma>("wgmma.k16", "f16", architecture);
      measure<__nv_fp8_e4m3, kWgmma>("wgmma.k32", "e4m3", architecture);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
