#include "cuda/launch/fp8_attention.hpp"

#include "cuda/attention/fp8/kernels.hpp"
#include "cuda/launch/hopper_attention.hpp"

namespace lvsa::cuda {
namespace {

constexpr ProblemRules kRules{
    .dtypes = LVSA_DTYPE_BIT(LVSA_E4M3),
    .out_dtypes = LVSA_DTYPE_BIT(LVSA_BF16) | LVSA_DTYPE_BIT(LVSA_F16),
    .head_dim_multiple = fp8::kHeadDim,
    .head_dim_max = fp8::kHeadDim,
    .copy_engine = true,
    .scales = true,
};

std::int64_t key_blocks(std::int64_t keys) { return ceil_div(keys, fp8::kBlockKeys); }

std::int64_t head_blocks(const lvsa_problem& p) {
  return p.frames * key_blocks(p.patches_per_frame) + key_blocks(p.text_tokens);
}

std::string build_maps(const lvsa_problem& p, fp8::Parameters* out) {
  MapBuilder maps(p);
  maps.video(p.q, p.heads, fp8::kQueryTile, &out->query);
  if (out->items.merged_rows > 0) {
    maps.video(p.q, p.heads, out->items.merged_rows, &out->query_merged);
  }
  maps.video(p.k, p.kv_heads, fp8::kBlockKeys, &out->key);
  maps.video(p.k, p.kv_heads, fp8::kKeyTile, &out->key_tile);
  maps.text(p.q, p.heads, fp8::kQueryTile, &out->text_query);
  maps.text(p.k, p.kv_heads, fp8::kBlockKeys, &out->text_key);
  maps.text(p.k, p.kv_heads, fp8::kKeyTile, &out->text_key_tile);
  return maps.message();
}

void fill(const lvsa_problem& p, char* values, Fp8Plan* plan) {
  fp8::Parameters& parameters = plan->parameters;
  parameters.values = {values, head_blocks(p)};
  if (LVSA_PROBLEM_HAS_SCALES(&p)) {
    parameters.q_scale = p.q_scale;
    parameters.k_scale = p.k_scale;
    parameters.v_scale = p.v_scale;
  }
  parameters.frame_blocks = static_cast<int>(key_blocks(p.patches_per_frame));
  parameters.text_blocks = static_cast<int>(key_blocks(p.text_tokens));
  parameters.kv_heads = static_cast<int>(p.kv_heads);
  plan->values.data = static_cast<const char*>(p.v.data);
  plan->values.strides = {p.v.strides[0], p.v.strides[1], p.v.strides[2]};
  plan->values.batch = p.batch;
  plan->values.kv_heads = parameters.kv_heads;
  plan->values.frames = parameters.frames;
  plan->values.patches = parameters.patches;
  plan->values.text = parameters.text;
  plan->values.frame_blocks = parameters.frame_blocks;
  plan->values.text_blocks = parameters.text_blocks;
}

}  // namespace

const ProblemRules& fp8_rules() { return kRules; }

std::size_t fp8_value_bytes(const lvsa_problem& p) {
  return static_cast<std::size_t>(fp8::value_bytes(p.batch * p.kv_heads, head_blocks(p)));
}

Verdict fp8_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, int* counters,
                 char* values, Fp8Plan* plan) {
  Verdict verdict = check_problem(&problem, kRules);
  if (verdict.ok()) verdict = check_device(problem, 90, 9);
  if (!verdict.ok()) return verdict;
  Fp8Plan made;
  made.counter_bytes = counter_bytes(problem, fp8::kQueryTile);
  made.kernel = fp8::attention_function(problem.out_dtype);
  std::string message =
      fill_work(problem, fp8::kQueryTile, true, lists, counters, &made.parameters);
  if (!message.empty()) return {LVSA_UNSUPPORTED, std::move(message)};
  fill(problem, values, &made);
  message = build_maps(problem, &made.parameters);
  if (!message.empty()) return {LVSA_FAILED, std::move(message)};
  verdict =
      prepare_launch(made.kernel, fp8::kSharedBytes, made.parameters.items.total, &made.blocks);
  if (verdict.ok()) *plan = made;
  return verdict;
}

Verdict fp8_run(const Fp8Plan& plan, cudaStream_t stream) {
  Verdict verdict = clear_counters(plan.parameters, plan.counter_bytes, stream);
  if (verdict.ok()) {
    verdict = from_cuda(fp8::arrange_values(plan.values, plan.parameters.values, stream),
                        "arrange_values");
  }
  fp8::Parameters parameters = plan.parameters;
  void* arguments[] = {&parameters};
  bool due = true;
  while (verdict.ok() && due) {
    verdict = from_cuda(cudaLaunchKernel(plan.kernel, dim3(static_cast<unsigned>(plan.blocks)),
                                         dim3(fp8::kThreads), arguments, fp8::kSharedBytes, stream),
                        "cudaLaunchKernel");
    due = parameters.again == 0 && second_run(&parameters);
  }
  return verdict;
}

}  // namespace lvsa::cuda
