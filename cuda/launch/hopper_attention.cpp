#include "cuda/launch/hopper_attention.hpp"

#include <algorithm>

#include "cuda/attention/hopper/kernels.hpp"

namespace lvsa::cuda {
namespace {

constexpr ProblemRules kRules{
    .dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16),
    .out_dtypes = LVSA_DTYPE_BIT(LVSA_DTYPE_NONE),
    .head_dim_multiple = 64,
    .head_dim_max = 128,
    .copy_engine = true,
    .scales = false,
};

void fill_key_tiles(const lvsa_problem& p, int key_tile, hopper::Parameters* out) {
  const auto tail = [key_tile](std::int64_t n) { return static_cast<int>((n - 1) % key_tile + 1); };
  out->frame_tiles = static_cast<int>(ceil_div(p.patches_per_frame, key_tile));
  out->frame_tail = tail(p.patches_per_frame);
  out->text_tiles = static_cast<int>(ceil_div(p.text_tokens, key_tile));
  out->text_tail = p.text_tokens > 0 ? tail(p.text_tokens) : 0;
}

std::string build_maps(const lvsa_problem& p, int key_tile, hopper::Parameters* out) {
  MapBuilder maps(p);
  maps.video(p.q, p.heads, hopper::kQueryTile, &out->query);
  if (out->items.merged_rows > 0) {
    maps.video(p.q, p.heads, out->items.merged_rows, &out->query_merged);
  }
  maps.video(p.k, p.kv_heads, key_tile, &out->key);
  maps.video(p.v, p.kv_heads, key_tile, &out->value);
  maps.text(p.q, p.heads, hopper::kQueryTile, &out->text_query);
  maps.text(p.k, p.kv_heads, key_tile, &out->text_key);
  maps.text(p.v, p.kv_heads, key_tile, &out->text_value);
  return maps.message();
}

}  // namespace

const ProblemRules& hopper_rules() { return kRules; }

int hopper_key_tile(std::int64_t patches_per_frame) {
  int best = hopper::kKeyTiles[0];
  for (const int tile : hopper::kKeyTiles) {
    if (ceil_div(patches_per_frame, tile) * tile < ceil_div(patches_per_frame, best) * best) {
      best = tile;
    }
  }
  return best;
}

Verdict hopper_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, int* counters,
                    HopperPlan* plan) {
  Verdict verdict = check_problem(&problem, kRules);
  if (verdict.ok()) verdict = check_device(problem, 90, 9);
  if (!verdict.ok()) return verdict;

  const int key_tile = hopper_key_tile(problem.patches_per_frame);
  const hopper::Instance instance = problem.head_dim == 64
                                        ? hopper::instance_d64(problem.dtype, key_tile)
                                        : hopper::instance_d128(problem.dtype, key_tile);
  HopperPlan made;
  made.key_tile = key_tile;
  made.counter_bytes = counter_bytes(problem, hopper::kQueryTile);
  made.kernel = instance.function;
  made.shared_bytes = instance.shared_bytes;
  std::string message =
      fill_work(problem, hopper::kQueryTile, true, lists, counters, &made.parameters);
  if (!message.empty()) return {LVSA_UNSUPPORTED, std::move(message)};
  fill_key_tiles(problem, key_tile, &made.parameters);
  message = build_maps(problem, key_tile, &made.parameters);
  if (!message.empty()) return {LVSA_FAILED, std::move(message)};
  verdict =
      prepare_launch(made.kernel, made.shared_bytes, made.parameters.items.total, &made.blocks);
  if (verdict.ok()) *plan = made;
  return verdict;
}

Verdict prepare_launch(const void* kernel, int shared_bytes, std::int64_t items, int* blocks) {
  int multiprocessors = 0;
  Verdict verdict = count_multiprocessors(&multiprocessors);
  if (verdict.ok()) {
    verdict = from_cuda(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
        "cudaFuncSetAttribute");
  }
  *blocks = static_cast<int>(std::min<std::int64_t>(multiprocessors, items));
  return verdict;
}

Verdict hopper_run(const HopperPlan& plan, cudaStream_t stream) {
  Verdict verdict = clear_counters(plan.parameters, plan.counter_bytes, stream);
  hopper::Parameters parameters = plan.parameters;
  void* arguments[] = {&parameters};
  bool due = true;
  while (verdict.ok() && due) {
    verdict = from_cuda(cudaLaunchKernel(plan.kernel, dim3(static_cast<unsigned>(plan.blocks)),
                                         dim3(hopper::kThreads), arguments,
                                         static_cast<std::size_t>(plan.shared_bytes), stream),
                        "cudaLaunchKernel");
    due = parameters.again == 0 && second_run(&parameters);
  }
  return verdict;
}

}  // namespace lvsa::cuda
