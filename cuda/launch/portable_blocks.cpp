#include <string>

#include "cuda/launch/block_attention.hpp"
#include "cuda/launch/block_parameters.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::int64_t kMostRowBlocks = INT32_MAX;  // the one dimension of the grid

std::size_t mark_bytes(std::int64_t row_blocks) {
  return static_cast<std::size_t>(row_blocks) * sizeof(std::int32_t);
}

}  // namespace

std::size_t portable_blocks_scratch_bytes(const lvsa_block_problem& p) {
  return (mark_bytes(p.batch * p.heads * p.row_blocks) + 127) / 128 * 128;
}

Verdict run_portable_blocks(const BlockWork& work, cudaStream_t stream) {
  const portable_blocks::Parameters p = block_parameters(work);
  const std::int64_t items = portable_blocks::row_block_count(p);
  if (items > kMostRowBlocks) {
    return {LVSA_UNSUPPORTED, std::to_string(items) +
                                  " row blocks in all heads and batch elements: must be at most " +
                                  std::to_string(kMostRowBlocks)};
  }
  auto* const marks = reinterpret_cast<std::int32_t*>(work.scratch);
  const bool masks = p.maps.entry_mask != nullptr;
  Verdict verdict;
  if (masks) {
    verdict = from_cuda(cudaMemsetAsync(marks, 0, mark_bytes(items), stream), "cudaMemsetAsync");
    if (!verdict.ok()) return verdict;
  }
  verdict =
      from_cuda(work.problem->dtype == LVSA_BF16 ? portable_blocks::attend_bf16(p, marks, stream)
                                                 : portable_blocks::attend_f16(p, marks, stream),
                "block-sparse attention kernel");
  return verdict.ok() && masks ? run_marked_blocks(work, marks, stream) : verdict;
}

}  // namespace lvsa::cuda
