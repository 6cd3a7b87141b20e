#pragma once
// Runs kernels written for CUDA on the CPU, so that what they compute is tested where no GPU is:
// each thread of a block is a fibre that runs until it has to wait for others. Covers what the
// kernels of cuda/prediction use. Blocks run one after the other, so that shared memory can be
// static; races between threads do not show.
//
// Include it before the kernels, in one source file of an executable.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

// NOLINTBEGIN: names of CUDA
#define __device__
#define __global__
#define __forceinline__ inline
#define __noinline__
#define __grid_constant__
#define __launch_bounds__(...)
#define __shared__ static
#define LVSA_DYNAMIC_SHARED(name) char* const name = ::lvsa::simt::dynamic_shared()

namespace lvsa::simt {

struct Index {
  unsigned x = 0;
};

/// Runs `kernel` for all threads of all blocks. Throws std::logic_error when threads wait for one
/// another for ever.
void run(std::int64_t blocks, int threads, const std::function<void()>& kernel);

char* dynamic_shared();
/// Of the thread that runs.
Index& thread_index();
Index& block_index();
Index& block_size();
Index& grid_size();
/// Waits for all threads of the block (of the warp) that have not ended.
void wait_for_block();
void wait_for_warp();
/// A word of each thread of the block; of this warp from `32 * warp` on.
std::uint64_t* words();

/// Writes this thread's word, waits for the warp, gives `fn` the 32 words.
template <typename Fn>
auto exchange(std::uint64_t word, const Fn& fn) {
  const unsigned thread = thread_index().x;
  words()[thread] = word;
  wait_for_warp();
  const auto result = fn(words() + thread / 32 * 32);
  wait_for_warp();
  return result;
}

/// mma.m8n8k4 in fp64, its four products in falling order: hardware has one of its own.
inline void multiply_add_8x8x4(double (&d)[2], double a, double b) {
  const unsigned lane = thread_index().x % 32;
  const auto all_of = [](double mine, double(&all)[32]) {
    exchange(std::bit_cast<std::uint64_t>(mine), [&](const std::uint64_t* words) {
      for (int i = 0; i < 32; ++i) all[i] = std::bit_cast<double>(words[i]);
      return 0;
    });
  };
  double as[32];
  double bs[32];
  all_of(a, as);
  all_of(b, bs);
  for (unsigned e = 0; e < 2; ++e) {
    for (unsigned k = 4; k-- > 0;) {
      d[e] = std::fma(as[lane / 4 * 4 + k], bs[(lane % 4 * 2 + e) * 4 + k], d[e]);
    }
  }
}

}  // namespace lvsa::simt

#define threadIdx ::lvsa::simt::thread_index()
#define blockIdx ::lvsa::simt::block_index()
#define blockDim ::lvsa::simt::block_size()
#define gridDim ::lvsa::simt::grid_size()

using std::max;
using std::min;

struct uint4 {
  unsigned x, y, z, w;
};
struct float4 {
  float x, y, z, w;
};

inline void __syncthreads() { lvsa::simt::wait_for_block(); }
inline void __syncwarp() { lvsa::simt::wait_for_warp(); }
inline int __syncthreads_or(int value) {
  std::uint64_t* const words = lvsa::simt::words();
  words[threadIdx.x] = value != 0 ? 1 : 0;
  lvsa::simt::wait_for_block();
  int any = 0;
  for (unsigned i = 0; i < blockDim.x; ++i) any |= static_cast<int>(words[i]);
  lvsa::simt::wait_for_block();
  return any;
}
template <typename Value>
Value __shfl_xor_sync(unsigned, Value value, int step) {
  std::uint64_t word = 0;
  std::memcpy(&word, &value, sizeof value);
  const unsigned from = threadIdx.x % 32 ^ static_cast<unsigned>(step);
  word = lvsa::simt::exchange(word, [&](const std::uint64_t* words) { return words[from]; });
  std::memcpy(&value, &word, sizeof value);
  return value;
}
inline unsigned __ballot_sync(unsigned, int value) {
  return lvsa::simt::exchange(value != 0 ? 1 : 0, [](const std::uint64_t* words) {
    unsigned bits = 0;
    for (unsigned i = 0; i < 32; ++i) bits |= static_cast<unsigned>(words[i]) << i;
    return bits;
  });
}
inline int __all_sync(unsigned mask, int value) {
  return __ballot_sync(mask, value) == 0xffffffffU ? 1 : 0;
}
inline unsigned __reduce_max_sync(unsigned, unsigned value) {
  return lvsa::simt::exchange(value, [](const std::uint64_t* words) {
    return static_cast<unsigned>(*std::max_element(words, words + 32));
  });
}
inline unsigned __reduce_min_sync(unsigned, unsigned value) {
  return lvsa::simt::exchange(value, [](const std::uint64_t* words) {
    return static_cast<unsigned>(*std::min_element(words, words + 32));
  });
}
inline int __reduce_add_sync(unsigned, int value) {
  return lvsa::simt::exchange(static_cast<unsigned>(value), [](const std::uint64_t* words) {
    int sum = 0;
    for (int i = 0; i < 32; ++i) sum += static_cast<int>(words[i]);
    return sum;
  });
}
template <typename Value>
Value __ldcs(const Value* at) {
  return *at;
}
inline int __popc(unsigned value) { return std::popcount(value); }
inline float __int_as_float(int bits) { return std::bit_cast<float>(bits); }
inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline unsigned __vmaxu2(unsigned a, unsigned b) {
  return std::max(a & 0xffffU, b & 0xffffU) | std::max(a >> 16, b >> 16) << 16;
}
inline unsigned __vimax3_u16x2(unsigned a, unsigned b, unsigned c) {
  return __vmaxu2(__vmaxu2(a, b), c);
}
inline unsigned __viaddmin_u16x2(unsigned a, unsigned b, unsigned c) {
  return std::min((a + b) & 0xffffU, c & 0xffffU) |
         std::min(((a >> 16) + (b >> 16)) & 0xffffU, c >> 16) << 16;
}
// NOLINTEND
