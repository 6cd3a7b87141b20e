#include "reference/attention/tiled/attention_plan.hpp"

#include <omp.h>

#include <algorithm>

namespace lvsa::reference {
namespace {

// Query and output panels of an item take about half of a 1 MiB second-level cache; the tiles of
// keys and values, which every panel reads again, the rest.
constexpr std::int64_t kBlockFloats = std::int64_t{8} * 48 * 128;
// The result is the same for any number of threads; beyond this many they only cost memory.
constexpr int kMaxThreads = 256;
constexpr std::int64_t kAlignment = 64;

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) { return divide_up(a, b) * b; }

struct Share {
  std::int64_t begin;
  std::int64_t end;
};

// Part `index` of `parts` nearly equal parts of `whole`.
constexpr Share share(std::int64_t whole, std::int64_t parts, std::int64_t index) {
  const std::int64_t least = whole / parts;
  const std::int64_t longer = whole % parts;
  const std::int64_t begin = index * least + std::min(index, longer);
  return {begin, begin + least + (index < longer ? 1 : 0)};
}

}  // namespace

AttentionPlan::AttentionPlan(const lvsa_problem& problem, const TileOps& ops)
    : problem_(problem), ops_(ops) {
  padded_dim_ = round_up(problem.head_dim, ops.dim_block);
  // One vector more than the row: rows a power of two apart would share few sets of the cache.
  key_stride_ = round_up(problem.head_dim, kMaxLanes) + kMaxLanes;
  block_panels_ = std::max<std::int64_t>(2, kBlockFloats / (panel_rows() * padded_dim_));
  const auto blocks = [&](std::int64_t tokens) {
    return divide_up(divide_up(tokens * group(), panel_rows()), block_panels_);
  };
  text_blocks_ = blocks(problem.text_tokens);
  video_blocks_ = blocks(problem.patches_per_frame);
  // No item is larger than this; small problems need less.
  block_panels_ = std::min(
      block_panels_,
      divide_up(std::max(problem.text_tokens, problem.patches_per_frame) * group(), panel_rows()));
  text_items_ = problem.batch * problem.kv_heads * text_blocks_;
  video_items_ = problem.batch * problem.kv_heads * problem.frames * video_blocks_;

  const int wanted = problem.threads > 0 ? problem.threads : omp_get_max_threads();
  threads_ =
      static_cast<int>(std::min<std::int64_t>({wanted, kMaxThreads, text_items_ + video_items_}));
  // As buffers() lays them out; each is a multiple of kMaxLanes, the alignment.
  const std::int64_t rows = block_panels_ * panel_rows();
  thread_floats_ = 0;
  for (const std::int64_t floats :
       {rows * problem.head_dim, rows * padded_dim_, kKeyTile * key_stride_, kKeyTile * padded_dim_,
        kKeyTile * panel_rows(), rows, rows, key_stride_, key_stride_}) {
    thread_floats_ += round_up(floats, kMaxLanes);
  }
}

std::int64_t AttentionPlan::tokens() const {
  return problem_.frames * problem_.patches_per_frame + problem_.text_tokens;
}

std::size_t AttentionPlan::workspace_bytes(int threads) const {
  return static_cast<std::size_t>(threads * thread_bytes() + kAlignment);
}

ThreadBuffers AttentionPlan::buffers(void* workspace, int thread) const {
  const auto address = reinterpret_cast<std::uintptr_t>(workspace);
  const std::uintptr_t skip = (kAlignment - address % kAlignment) % kAlignment;
  float* next =
      reinterpret_cast<float*>(static_cast<char*>(workspace) + skip) + thread * thread_floats_;
  const auto take = [&next](std::int64_t floats) {
    float* buffer = next;
    next += round_up(floats, kMaxLanes);
    return buffer;
  };
  const std::int64_t rows = block_panels_ * panel_rows();
  ThreadBuffers b{};
  b.queries = take(rows * problem_.head_dim);
  b.outputs = take(rows * padded_dim_);
  b.keys = take(kKeyTile * key_stride_);
  b.values = take(kKeyTile * padded_dim_);
  b.scores = take(kKeyTile * panel_rows());
  b.maxima = take(rows);
  b.sums = take(rows);
  b.row = take(key_stride_);
  b.gathered = take(key_stride_);
  return b;
}

WorkItem AttentionPlan::item(std::int64_t index) const {
  const bool is_text = index < text_items_;
  const std::int64_t blocks = is_text ? text_blocks_ : video_blocks_;
  std::int64_t rest = is_text ? index : index - text_items_;
  const std::int64_t block = rest % blocks;
  rest /= blocks;
  std::int64_t frame = 0;
  if (!is_text) {
    frame = rest % problem_.frames;
    rest /= problem_.frames;
  }
  WorkItem item{};
  item.attends_all = is_text;
  item.kv_head = rest % problem_.kv_heads;
  item.batch = rest / problem_.kv_heads;
  item.segment_tokens = is_text ? problem_.text_tokens : problem_.patches_per_frame;
  item.first_token = (is_text ? problem_.frames : frame) * problem_.patches_per_frame;
  if (!is_text) {
    const lvsa_frame_lists& lists = problem_.frame_lists;
    item.frames = lists.list + lists.offsets[frame];
    item.frame_count = lists.offsets[frame + 1] - lists.offsets[frame];
  }
  const std::int64_t rows = item.segment_tokens * group();
  const Share panels = share(divide_up(rows, panel_rows()), blocks, block);
  item.first_row = panels.begin * panel_rows();
  item.row_count = std::min(rows, panels.end * panel_rows()) - item.first_row;
  return item;
}

WorkItem AttentionPlan::wanted_part(WorkItem item) const {
  if (problem_.wanted_tokens == nullptr) return item;
  const std::int64_t* end = problem_.wanted_tokens + problem_.wanted_count;
  const std::int64_t* first = std::lower_bound(problem_.wanted_tokens, end, item.first_token);
  std::int64_t low = item.first_row + item.row_count;
  std::int64_t high = item.first_row;
  for (; first != end && *first < item.first_token + item.segment_tokens; ++first) {
    for (std::int64_t head = 0; head < group(); ++head) {
      const std::int64_t row = head * item.segment_tokens + *first - item.first_token;
      if (row < item.first_row || row >= item.first_row + item.row_count) continue;
      low = std::min(low, row);
      high = std::max(high, row + 1);
    }
  }
  if (low >= high) {
    item.row_count = 0;
    return item;
  }
  const std::int64_t item_end = item.first_row + item.row_count;
  const std::int64_t part_end = std::min(round_up(high, panel_rows()), item_end);
  item.first_row = low / panel_rows() * panel_rows();  // items begin with a panel
  item.row_count = part_end - item.first_row;
  return item;
}

}  // namespace lvsa::reference
