// The block-sparse Hopper kernel: its parameters, its scratch, its launches.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "cuda/attention/blocks_hopper/kernels.hpp"
#include "cuda/launch/block_attention.hpp"
#include "cuda/launch/hopper_attention.hpp"
#include "cuda/launch/hopper_tensor_map.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::size_t kAlignment = 128;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Where what lies in the scratch; sizes of a checked problem.
struct Scratch {
  std::size_t long_items = kAlignment;  // two counters before
  std::size_t marks = 0;
  std::size_t keys = 0;  // in order, where heads have one
  std::size_t values = 0;
  std::size_t bytes = 0;

  Scratch(const lvsa_block_problem& p, bool orders) {
    const auto rows = static_cast<std::size_t>(p.batch * p.heads * p.row_blocks);
    marks = long_items + aligned(4 * rows);
    keys = marks + aligned(4 * rows);
    const std::size_t tensor =
        orders
            ? aligned(2 * static_cast<std::size_t>(p.batch * p.heads * p.key_tokens * p.head_dim))
            : 0;
    values = keys + tensor;
    bytes = values + tensor;
  }
};

hopper::RowStrides row_strides(const std::int64_t* strides) {
  return {strides[0], strides[1], strides[2]};
}

/// A tensor map over [B, S, H, D], boxes of 64 columns and rows.
std::string make_map(const lvsa_block_problem& p, const void* data, std::int64_t tokens,
                     std::int64_t heads, const hopper::RowStrides& strides, CUtensorMap* map) {
  TensorMapShape shape{};
  shape.data = data;
  shape.dtype = p.dtype;
  const std::int64_t sizes[5] = {p.head_dim, tokens, 1, heads, p.batch};
  // Nobody moves along a dimension of one element; the map wants a stride that could be.
  const auto or_row = [&p](std::int64_t size, std::int64_t stride) {
    return size > 1 ? stride : p.head_dim;
  };
  const std::int64_t steps[5] = {1, or_row(tokens, strides.token), p.head_dim,
                                 or_row(heads, strides.head), or_row(p.batch, strides.batch)};
  for (int i = 0; i < 5; ++i) {
    shape.sizes[i] = static_cast<std::uint64_t>(sizes[i]);
    shape.strides[i] = steps[i];
  }
  shape.box_rows = blocks::kUnit;
  return make_tensor_map(shape, map);
}

const void* kernel_of(const lvsa_block_problem& p, bool skip) {
  const bool paired = p.block_rows <= blocks::kGroupRows;
  if (p.dtype == LVSA_BF16) {
    return p.head_dim == 64 ? blocks::attention_bf16_d64(paired, skip)
                            : blocks::attention_bf16_d128(paired, skip);
  }
  return p.head_dim == 64 ? blocks::attention_f16_d64(paired, skip)
                          : blocks::attention_f16_d128(paired, skip);
}

class Launch {
 public:
  Launch(const BlockWork& work, cudaStream_t stream)
      : work_(work),
        p_(*work.problem),
        stream_(stream),
        ordered_(work.maps.order_of_head != nullptr),
        paired_(p_.block_rows <= blocks::kGroupRows),
        scratch_(p_, ordered_) {}

  Verdict run() {
    Verdict verdict = fill();
    if (verdict.ok()) verdict = prepare();
    if (verdict.ok()) verdict = attend();
    if (verdict.ok()) verdict = run_marked_blocks(work_, parameters_.marks, stream_);
    return verdict;
  }

 private:
  Verdict fill() {
    const std::int64_t head_items = paired_ ? (p_.row_blocks + 1) / 2 : p_.row_blocks;
    if (p_.batch * p_.heads * head_items > std::numeric_limits<int>::max() / 2) {
      return {LVSA_UNSUPPORTED, "more row blocks than the kernel can count"};
    }
    blocks::Parameters& out = parameters_;
    out.maps = work_.maps;
    out.next_item = reinterpret_cast<int*>(work_.scratch);
    out.long_count = out.next_item + 1;
    out.long_items = reinterpret_cast<int*>(work_.scratch + scratch_.long_items);
    out.marks = reinterpret_cast<std::int32_t*>(work_.scratch + scratch_.marks);
    out.ordered_query = p_.q.data;
    out.query_strides = row_strides(p_.q.strides);
    out.out = p_.out.data;
    out.out_strides = row_strides(p_.out.strides);
    out.lse = p_.lse;
    out.lse_strides = row_strides(p_.lse_strides);
    out.batch_heads = static_cast<int>(p_.batch * p_.heads);
    out.heads = static_cast<int>(p_.heads);
    out.heads_per_group = ordered_ ? 1 : static_cast<int>(p_.heads / p_.kv_heads);
    out.tokens = static_cast<int>(p_.query_tokens);
    out.key_tokens = static_cast<int>(p_.key_tokens);
    out.head_items = static_cast<int>(head_items);
    out.scale = static_cast<float>(p_.scale);
    out.scale_log2 = static_cast<float>(p_.scale * 1.4426950408889634);
    return make_maps();
  }

  Verdict make_maps() {
    std::string message = make_map(p_, p_.q.data, p_.query_tokens, p_.heads,
                                   parameters_.query_strides, &parameters_.query);
    if (message.empty()) message = make_key_map(p_.k, scratch_.keys, &parameters_.key);
    if (message.empty()) message = make_key_map(p_.v, scratch_.values, &parameters_.value);
    return message.empty() ? Verdict{} : Verdict{LVSA_FAILED, std::move(message)};
  }

  std::string make_key_map(const lvsa_tensor& tensor, std::size_t ordered, CUtensorMap* map) const {
    if (!ordered_) {
      return make_map(p_, tensor.data, p_.key_tokens, p_.kv_heads, row_strides(tensor.strides),
                      map);
    }
    const std::int64_t head = p_.key_tokens * p_.head_dim;
    return make_map(p_, work_.scratch + ordered, p_.key_tokens, p_.heads,
                    {p_.heads * head, p_.head_dim, head}, map);
  }

  Verdict prepare() {
    const std::size_t marks = 4 * static_cast<std::size_t>(parameters_.batch_heads) *
                              static_cast<std::size_t>(work_.maps.row_blocks);
    Verdict verdict =
        from_cuda(cudaMemsetAsync(work_.scratch, 0, kAlignment, stream_), "cudaMemsetAsync");
    if (verdict.ok()) {
      verdict = from_cuda(cudaMemsetAsync(parameters_.marks, 0, marks, stream_), "cudaMemsetAsync");
    }
    if (verdict.ok()) {
      verdict = from_cuda(blocks::find_long_items(
                              parameters_, paired_, parameters_.next_item + 1,
                              reinterpret_cast<int*>(work_.scratch + scratch_.long_items), stream_),
                          "finding long items");
    }
    if (verdict.ok() && ordered_) verdict = gather(p_.k, scratch_.keys);
    if (verdict.ok() && ordered_) verdict = gather(p_.v, scratch_.values);
    return verdict;
  }

  Verdict gather(const lvsa_tensor& tensor, std::size_t to) const {
    blocks::GatherRows g{};
    g.from = tensor.data;
    g.strides = row_strides(tensor.strides);
    g.to = work_.scratch + to;
    g.batch = static_cast<int>(p_.batch);
    g.heads = static_cast<int>(p_.heads);
    g.heads_per_group = static_cast<int>(p_.heads / p_.kv_heads);
    g.places = static_cast<int>(p_.key_tokens);
    g.head_dim = static_cast<int>(p_.head_dim);
    g.orders = work_.maps.orders;
    g.order_of_head = work_.maps.order_of_head;
    return from_cuda(blocks::gather_rows(g, stream_), "gathering keys and values");
  }

  Verdict attend() {
    const void* const kernel = kernel_of(p_, work_.maps.skip_log2 != nullptr);
    const int shared = p_.head_dim == 64 ? blocks::shared_bytes<64>() : blocks::shared_bytes<128>();
    const std::int64_t items = std::int64_t{parameters_.batch_heads} * parameters_.head_items;
    int grid = 0;
    const Verdict verdict = prepare_launch(kernel, shared, items, &grid);
    if (!verdict.ok()) return verdict;
    void* arguments[] = {&parameters_};
    return from_cuda(
        cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(grid)), dim3(hopper::kThreads),
                         arguments, static_cast<std::size_t>(shared), stream_),
        "cudaLaunchKernel");
  }

  const BlockWork& work_;
  const lvsa_block_problem& p_;
  cudaStream_t stream_;
  bool ordered_;
  bool paired_;
  Scratch scratch_;
  blocks::Parameters parameters_{};
};

}  // namespace

std::size_t hopper_blocks_scratch_bytes(const lvsa_block_problem& problem) {
  return Scratch(problem, problem.order_of_head != nullptr).bytes;
}

Verdict run_hopper_blocks(const BlockWork& work, cudaStream_t stream) {
  return Launch(work, stream).run();
}

}  // namespace lvsa::cuda
