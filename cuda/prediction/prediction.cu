// Launches of the prediction.

#include "cuda/prediction/launches.hpp"
#include "cuda/prediction/mean.cuh"
#include "cuda/prediction/pool.cuh"
#include "cuda/prediction/score.cuh"
#include "cuda/prediction/select.cuh"
#include "cuda/prediction/tables.cuh"

namespace lvsa::cuda::prediction {
namespace {

constexpr std::int64_t kMostBlocks = 0x7fffffff;

template <typename Work>
cudaError_t launch(void (*kernel)(Work), std::int64_t blocks, int threads, int shared,
                   const Work& work, cudaStream_t stream) {
  if (blocks <= 0 || blocks > kMostBlocks) return cudaErrorInvalidConfiguration;
  const void* function = reinterpret_cast<const void*>(kernel);
  if (shared > 48 * 1024) {
    const cudaError_t status =
        cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
    if (status != cudaSuccess) return status;
  }
  Work copy = work;
  void* arguments[] = {&copy};
  return cudaLaunchKernel(function, dim3(static_cast<unsigned>(blocks)),
                          dim3(static_cast<unsigned>(threads)), arguments,
                          static_cast<std::size_t>(shared), stream);
}

// fn(Type{}, Dim{}) for the type and the head size; there are no others.
template <int kValue>
struct Constant {
  static constexpr int value = kValue;
};
template <typename Fn>
cudaError_t for_instance(lvsa_dtype dtype, int head_dim, const Fn& fn) {
  if (dtype == LVSA_BF16 && head_dim == 64) return fn(Bf16{}, Constant<64>{});
  if (dtype == LVSA_BF16 && head_dim == 128) return fn(Bf16{}, Constant<128>{});
  if (dtype == LVSA_F16 && head_dim == 64) return fn(F16{}, Constant<64>{});
  if (dtype == LVSA_F16 && head_dim == 128) return fn(F16{}, Constant<128>{});
  return cudaErrorInvalidValue;
}

template <typename Type>
void (*select_kernel(int columns))(SelectWork) {
  if (columns <= 128) return &select_blocks_kernel<Type, 4>;
  if (columns <= 256) return &select_blocks_kernel<Type, 8>;
  if (columns <= 512) return &select_blocks_kernel<Type, 16>;
  if (columns <= 1024) return &select_blocks_kernel<Type, 32>;
  return &select_blocks_kernel<Type, 0>;
}

}  // namespace

cudaError_t write_tables(const Tables& tables, const HeadNumbersPart& part, cudaStream_t stream) {
  Tables t = tables;
  HeadNumbersPart p = part;
  void* arguments[] = {&t, &p};
  return cudaLaunchKernel(reinterpret_cast<const void*>(&write_tables_kernel), dim3(32),
                          dim3(kTableThreads), arguments, 0, stream);
}

cudaError_t add_up_tokens(const MeanWork& work, lvsa_dtype dtype, int head_dim,
                          cudaStream_t stream) {
  return for_instance(dtype, head_dim, [&](auto type, auto dim) {
    return launch(&add_up_tokens_kernel<decltype(type), decltype(dim)::value>,
                  work.batch_heads * work.parts, kMeanThreads, 0, work, stream);
  });
}

cudaError_t take_centre(const MeanWork& work, lvsa_dtype dtype, int head_dim, cudaStream_t stream) {
  return for_instance(dtype, head_dim, [&](auto type, auto dim) {
    return launch(&take_centre_kernel<decltype(type), decltype(dim)::value>, work.batch_heads,
                  head_dim * kCentreGroups, 0, work, stream);
  });
}

cudaError_t pool_blocks(const PoolWork& work, lvsa_dtype dtype, int head_dim, int block_rows,
                        cudaStream_t stream) {
  const int at_once = kPoolWarps * kPoolWarpRows / block_rows;
  const std::int64_t blocks = (work.batch_heads * work.blocks + at_once - 1) / at_once;
  return for_instance(dtype, head_dim, [&](auto type, auto dim) {
    using Type = decltype(type);
    constexpr int kDim = decltype(dim)::value;
    const auto start = [&](void (*kernel)(PoolWork)) {
      return launch(kernel, blocks, kPoolThreads, 0, work, stream);
    };
    if (block_rows == 64) {
      return work.likeness ? start(&pool_blocks_kernel<Type, kDim, 64, true>)
                           : start(&pool_blocks_kernel<Type, kDim, 64, false>);
    }
    return work.likeness ? start(&pool_blocks_kernel<Type, kDim, 128, true>)
                         : start(&pool_blocks_kernel<Type, kDim, 128, false>);
  });
}

cudaError_t score_blocks(const ScoreWork& work, lvsa_dtype dtype, int head_dim,
                         cudaStream_t stream) {
  const auto tiles = [](int n) { return std::int64_t{(n + kScoreTile - 1) / kScoreTile}; };
  const std::int64_t warps = work.batch_heads * tiles(work.row_blocks) * tiles(work.column_blocks);
  const std::int64_t blocks = (warps + kScoreWarps - 1) / kScoreWarps;
  return for_instance(dtype, head_dim, [&](auto type, auto dim) {
    constexpr int kDim = decltype(dim)::value;
    return launch(&score_blocks_kernel<decltype(type), kDim>, blocks, kScoreThreads, 0, work,
                  stream);
  });
}

cudaError_t select_blocks(const SelectWork& work, lvsa_dtype dtype, cudaStream_t stream) {
  const int row_bytes = work.column_blocks * static_cast<int>(sizeof(float));
  int warps = kMostSelectWarps;
  while (warps > 1 && warps * row_bytes > 48 * 1024) warps /= 2;
  const std::int64_t blocks = (work.rows + warps - 1) / warps;
  const auto start = [&](void (*kernel)(SelectWork)) {
    return launch(kernel, blocks, warps * 32, warps * row_bytes, work, stream);
  };
  return dtype == LVSA_BF16 ? start(select_kernel<Bf16>(work.column_blocks))
                            : start(select_kernel<F16>(work.column_blocks));
}

}  // namespace lvsa::cuda::prediction
