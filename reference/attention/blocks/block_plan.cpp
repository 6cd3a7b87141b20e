#include "reference/attention/blocks/block_plan.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

namespace lvsa::reference {
namespace {

// As in attention_plan.cpp: query and output panels of an item take half of a second-level cache.
constexpr std::int64_t kItemFloats = std::int64_t{8} * 48 * 128;
constexpr int kMaxThreads = 256;
constexpr std::int64_t kAlignment = 64;

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return divide_up(a, b) * b; }

static_assert(sizeof(std::int32_t) == sizeof(float));

}  // namespace

BlockPlan::BlockPlan(const lvsa_block_problem& problem, const TileOps& ops)
    : problem_(problem), ops_(ops) {
  padded_dim_ = round_up(problem.head_dim, ops.dim_block);
  // One vector more than the row: rows a power of two apart would share few sets of the cache.
  key_stride_ = round_up(problem.head_dim, kMaxLanes) + kMaxLanes;
  const std::int64_t panels = std::max<std::int64_t>(2, kItemFloats / (panel_rows() * padded_dim_));
  part_rows_ = std::min(panels * panel_rows(), round_up(problem.block_rows, ops.lanes));
  parts_ = divide_up(problem.block_rows, part_rows_);
  items_ = problem.batch * problem.heads * problem.row_blocks * parts_;

  bool any_skip = false;
  for (std::int64_t h = 0; h < problem.heads; ++h) any_skip = any_skip || skips(h);
  most_rows_ = any_skip ? round_up(problem.block_rows, ops.lanes) : part_rows_;
  score_floats_ = kKeyTile * panel_rows();
  if (any_skip) {
    score_floats_ =
        std::max(score_floats_, divide_up(problem.block_columns, kKeyTile) * kKeyTile * most_rows_);
  }
  const int asked = problem.threads > 0 ? problem.threads : omp_get_max_threads();
  threads_ = static_cast<int>(std::min<std::int64_t>({asked, kMaxThreads, items_}));
  // As buffers() lays them out; each is a multiple of kMaxLanes, the alignment.
  thread_floats_ = 0;
  for (const std::int64_t floats :
       {most_rows_ * problem.head_dim, most_rows_ * padded_dim_, kKeyTile * key_stride_,
        kKeyTile * padded_dim_, score_floats_, most_rows_, most_rows_, most_rows_, key_stride_,
        key_stride_, most_rows_, most_rows_}) {
    thread_floats_ += round_up(floats, kMaxLanes);
  }
}

std::size_t BlockPlan::workspace_bytes(int threads) const {
  return static_cast<std::size_t>(threads * thread_floats_ * std::int64_t{sizeof(float)} +
                                  kAlignment);
}

BlockBuffers BlockPlan::buffers(void* workspace, int thread) const {
  const auto address = reinterpret_cast<std::uintptr_t>(workspace);
  const std::uintptr_t skip = (kAlignment - address % kAlignment) % kAlignment;
  char* next =
      static_cast<char*>(workspace) + skip + thread * thread_floats_ * std::int64_t{sizeof(float)};
  const auto take = [&next](std::int64_t floats) {
    void* buffer = next;
    next += round_up(floats, kMaxLanes) * std::int64_t{sizeof(float)};
    return buffer;
  };
  const auto floats = [&](std::int64_t count) { return static_cast<float*>(take(count)); };
  BlockBuffers b{};
  b.queries = floats(most_rows_ * problem_.head_dim);
  b.outputs = floats(most_rows_ * padded_dim_);
  b.keys = floats(kKeyTile * key_stride_);
  b.values = floats(kKeyTile * padded_dim_);
  b.scores = floats(score_floats_);
  b.maxima = floats(most_rows_);
  b.sums = floats(most_rows_);
  b.seen = floats(most_rows_);
  b.row = floats(key_stride_);
  b.gathered = floats(key_stride_);
  b.block_row = static_cast<std::int32_t*>(take(most_rows_));
  b.has_keys = static_cast<std::int32_t*>(take(most_rows_));
  return b;
}

const std::int32_t* BlockPlan::order(std::int64_t batch, std::int64_t head) const {
  if (problem_.order_of_head == nullptr) return nullptr;
  const std::int64_t order = problem_.order_of_head[batch * problem_.heads + head];
  return order < 0 ? nullptr : problem_.orders + order * problem_.query_tokens;
}

bool BlockPlan::skips(std::int64_t head) const {
  return problem_.skip_threshold_log2 != nullptr &&
         std::isfinite(problem_.skip_threshold_log2[head]);
}

bool BlockPlan::wanted(std::int64_t token) const {
  if (problem_.wanted_tokens == nullptr) return true;
  return std::binary_search(problem_.wanted_tokens, problem_.wanted_tokens + problem_.wanted_count,
                            token);
}

BlockItem BlockPlan::item(std::int64_t index) const {
  BlockItem item{};
  const std::int64_t part = index % parts_;
  index /= parts_;
  item.row_block = index % problem_.row_blocks;
  index /= problem_.row_blocks;
  item.head = index % problem_.heads;
  item.batch = index / problem_.heads;
  item.skips = skips(item.head);
  const std::int64_t rows =
      problem_.row_begin[item.row_block + 1] - problem_.row_begin[item.row_block];
  const std::int64_t most = item.skips ? rows : part_rows_;
  item.first_row = part * most;
  item.row_count = std::clamp<std::int64_t>(rows - item.first_row, 0, most);
  return item;
}

}  // namespace lvsa::reference
