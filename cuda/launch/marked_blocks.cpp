#include <algorithm>
#include <string>

#include "cuda/launch/block_attention.hpp"
#include "cuda/launch/block_parameters.hpp"

namespace lvsa::cuda {
namespace {

// Marks are rare, and where there are some each is a long piece of work.
constexpr std::int64_t kThreadBlocksEach = 3;  // as many as a multiprocessor's memory holds

Verdict thread_blocks(std::int64_t items, int* count) {
  int multiprocessors = 0;
  Verdict verdict = count_multiprocessors(&multiprocessors);
  *count = static_cast<int>(std::min<std::int64_t>(kThreadBlocksEach * multiprocessors, items));
  return verdict;
}

}  // namespace

Verdict run_marked_blocks(const BlockWork& work, const std::int32_t* marks, cudaStream_t stream) {
  const portable_blocks::Parameters p = block_parameters(work);
  if (std::max(p.maps.block_rows, p.maps.block_columns) > portable_blocks::kMostBlock ||
      p.head_dim > portable_blocks::kMostHeadDim || p.head_dim % 8 != 0) {
    return {LVSA_UNSUPPORTED, "blocks of " + std::to_string(p.maps.block_rows) + " x " +
                                  std::to_string(p.maps.block_columns) + ", head_dim " +
                                  std::to_string(p.head_dim) +
                                  ": must be at most 128, head_dim a multiple of 8"};
  }
  int count = 0;
  Verdict verdict = thread_blocks(portable_blocks::row_block_count(p), &count);
  if (!verdict.ok()) return verdict;
  return from_cuda(work.problem->dtype == LVSA_BF16
                       ? portable_blocks::attend_marked_bf16(p, marks, count, stream)
                       : portable_blocks::attend_marked_f16(p, marks, count, stream),
                   "kernel of marked row blocks");
}

}  // namespace lvsa::cuda
