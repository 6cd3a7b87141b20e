// Uses the language version, the host's standard library and the launch syntax, like the real files.
#include <cuda_bf16.h>

#include <span>
#include <string>
#include <vector>

template <typename T>
concept Small = sizeof(T) <= 2;

template <Small T>
__global__ void fill(T* out, T value) {
  out[threadIdx.x] = value;
}

std::string check(std::span<__nv_bfloat16> out) {
  fill<<<1, 32>>>(out.data(), __nv_bfloat16{});
  return std::vector<std::string>{cudaGetErrorName(cudaGetLastError())}.front();
}
