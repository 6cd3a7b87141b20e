#include "cuda/launch/hopper_attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda/attention/hopper/kernels.hpp"
#include "cuda/launch/hopper_tensor_map.hpp"

namespace lvsa::cuda {
namespace {

HopperResult refuse(lvsa_status status, std::string message) {
  return {status, std::move(message)};
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

HopperResult from_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  (void)cudaGetLastError();  // said here, so not left for the next one who asks
  const bool none = error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver;
  const lvsa_status status = none                                 ? LVSA_NO_DEVICE
                             : error == cudaErrorMemoryAllocation ? LVSA_OUT_OF_MEMORY
                                                                  : LVSA_FAILED;
  return refuse(status, std::string(what) + ": " + cudaGetErrorString(error));
}

std::string number(std::int64_t value) { return std::to_string(value); }

/// Sizes that the kernel counts in int, and boxes of tensor maps in 32 bits.
HopperResult check_sizes(const lvsa_problem& p) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  struct Named {
    const char* name;
    std::int64_t value;
    std::int64_t least;
  };
  for (const Named& size :
       {Named{"batch", p.batch, 1}, Named{"frames", p.frames, 1},
        Named{"patches_per_frame", p.patches_per_frame, 1}, Named{"text_tokens", p.text_tokens, 0},
        Named{"heads", p.heads, 1}, Named{"kv_heads", p.kv_heads, 1}}) {
    if (size.value < size.least || size.value > kMost) {
      return refuse(LVSA_INVALID, std::string(size.name) + " = " + number(size.value) +
                                      ", must be " + number(size.least) + " .. 2^30");
    }
  }
  if (p.heads % p.kv_heads != 0) {
    return refuse(LVSA_INVALID, "heads = " + number(p.heads) +
                                    " is no multiple of kv_heads = " + number(p.kv_heads));
  }
  if (p.batch * p.heads > kMost || p.frames * p.patches_per_frame > kMost * 1024) {
    return refuse(LVSA_UNSUPPORTED, "more tokens or heads than the kernel can count");
  }
  return {};
}

HopperResult check_types(const lvsa_problem& p) {
  if (p.memory != LVSA_CUDA) return refuse(LVSA_UNSUPPORTED, "the tensors must be in CUDA memory");
  if (p.dtype != LVSA_BF16 && p.dtype != LVSA_F16) {
    return refuse(LVSA_UNSUPPORTED, "input type must be bf16 or fp16");
  }
  if (p.out_dtype != p.dtype) {
    return refuse(LVSA_UNSUPPORTED, "output type must be the input type");
  }
  if (p.p_dtype != LVSA_DTYPE_NONE && p.p_dtype != p.dtype) {
    return refuse(LVSA_UNSUPPORTED, "P is rounded to the input type, to no other");
  }
  if (p.head_dim != 64 && p.head_dim != 128) {
    return refuse(LVSA_UNSUPPORTED, "head_dim = " + number(p.head_dim) + ", must be 64 or 128");
  }
  if (!(p.scale > 0.0) || !std::isfinite(static_cast<float>(p.scale))) {
    return refuse(LVSA_UNSUPPORTED,
                  "scale = " + std::to_string(p.scale) + ", must be positive and finite in fp32");
  }
  return {};
}

/// What the copy engine asks of a tensor; the output is written 16 bytes at a time.
HopperResult check_tensor(const char* name, const lvsa_tensor& tensor, const lvsa_problem& p,
                          std::int64_t heads) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 40;
  if (tensor.data == nullptr) return refuse(LVSA_INVALID, std::string(name) + " is null");
  if (reinterpret_cast<std::uintptr_t>(tensor.data) % 16 != 0) {
    return refuse(LVSA_UNSUPPORTED, std::string(name) + " is not aligned to 16 bytes");
  }
  if (tensor.strides[3] != 1) {
    return refuse(LVSA_UNSUPPORTED, std::string(name) + ": stride of head_dim is " +
                                        number(tensor.strides[3]) + ", must be 1");
  }
  const std::int64_t tokens = p.frames * p.patches_per_frame + p.text_tokens;
  const std::int64_t extents[3] = {p.batch, tokens, heads};
  const char* const axes[3] = {"batch", "token", "head"};
  for (int i = 0; i < 3; ++i) {
    const std::int64_t stride = tensor.strides[i];
    if (extents[i] == 1) continue;
    const std::int64_t factor = i == 1 ? p.patches_per_frame : 1;
    if (stride <= 0 || stride % 8 != 0 || stride >= kMostBytes / 2 / factor) {
      return refuse(LVSA_UNSUPPORTED, std::string(name) + ": stride of " + axes[i] + " is " +
                                          number(stride) +
                                          ", must be a positive multiple of 8 below 2^40 bytes");
    }
  }
  return {};
}

/// A dimension of size 1 may come with any stride; the copy engine wants a proper one.
std::int64_t stride_or(std::int64_t extent, std::int64_t stride, std::int64_t other) {
  return extent == 1 ? other : stride;
}

class MapBuilder {
 public:
  explicit MapBuilder(const lvsa_problem& p) : p_(p) {}

  void video(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t rows, CUtensorMap* map) {
    build(tensor, heads, 0, p_.patches_per_frame, p_.frames, rows, map);
  }
  void text(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t rows, CUtensorMap* map) {
    if (p_.text_tokens == 0) return;
    build(tensor, heads, p_.frames * p_.patches_per_frame, p_.text_tokens, 1, rows, map);
  }
  const std::string& message() const { return message_; }

 private:
  void build(const lvsa_tensor& tensor, std::int64_t heads, std::int64_t first_token,
             std::int64_t tokens, std::int64_t frames, std::int64_t rows, CUtensorMap* map) {
    if (!message_.empty()) return;
    const std::int64_t all_tokens = p_.frames * p_.patches_per_frame + p_.text_tokens;
    const std::int64_t token = stride_or(all_tokens, tensor.strides[1], p_.head_dim);
    const std::int64_t head = stride_or(heads, tensor.strides[2], p_.head_dim);
    const std::int64_t batch = stride_or(p_.batch, tensor.strides[0], p_.head_dim);
    TensorMapShape shape{};
    shape.data = static_cast<const char*>(tensor.data) + first_token * token * 2;
    shape.bf16 = p_.dtype == LVSA_BF16;
    const std::int64_t sizes[5] = {p_.head_dim, tokens, frames, heads, p_.batch};
    const std::int64_t strides[5] = {1, token, token * p_.patches_per_frame, head, batch};
    for (int i = 0; i < 5; ++i) {
      shape.sizes[i] = static_cast<std::uint64_t>(sizes[i]);
      shape.strides[i] = strides[i];
    }
    shape.box_rows = static_cast<std::uint32_t>(rows);
    message_ = make_tensor_map(shape, map);
  }

  const lvsa_problem& p_;
  std::string message_;
};

hopper::ItemLayout item_layout(const lvsa_problem& p) {
  hopper::ItemLayout layout{};
  const std::int64_t tail = p.patches_per_frame % hopper::kQueryTile;
  const std::int64_t tail_rows = ceil_div(tail, 8) * 8;
  std::int64_t full = ceil_div(p.patches_per_frame, hopper::kQueryTile);
  std::int64_t groups = p.frames;
  if (tail != 0 && tail_rows * 2 <= hopper::kQueryTile) {
    const std::int64_t merged = std::min<std::int64_t>(
        {hopper::kQueryTile / tail_rows, hopper::kMaxMergedFrames, p.frames});
    --full;
    layout.merged_frames = static_cast<int>(merged);
    layout.merged_rows = static_cast<int>(tail_rows);
    groups = ceil_div(p.frames, merged);
  }
  layout.full_tiles = static_cast<int>(full);
  layout.group_items =
      static_cast<int>(full * std::max(layout.merged_frames, 1) + (layout.merged_frames > 0));
  layout.head_items = full * p.frames + (layout.merged_frames > 0 ? groups : 0);
  layout.text_tiles = ceil_div(p.text_tokens, hopper::kQueryTile);
  layout.text_items = layout.text_tiles * p.heads * p.batch;
  layout.total = layout.text_items + layout.head_items * p.heads * p.batch;
  return layout;
}

hopper::RowStrides row_strides(const std::int64_t* strides) {
  return {strides[0], strides[1], strides[2]};
}

void fill_sizes(const lvsa_problem& p, int key_tile, hopper::Parameters* out) {
  const auto tail = [key_tile](std::int64_t n) { return static_cast<int>((n - 1) % key_tile + 1); };
  out->frames = static_cast<int>(p.frames);
  out->patches = static_cast<int>(p.patches_per_frame);
  out->text = static_cast<int>(p.text_tokens);
  out->heads = static_cast<int>(p.heads);
  out->heads_per_group = static_cast<int>(p.heads / p.kv_heads);
  out->frame_tiles = static_cast<int>(ceil_div(p.patches_per_frame, key_tile));
  out->frame_tail = tail(p.patches_per_frame);
  out->text_tiles = static_cast<int>(ceil_div(p.text_tokens, key_tile));
  out->text_tail = p.text_tokens > 0 ? tail(p.text_tokens) : 0;
  out->scale = static_cast<float>(p.scale);
  out->scale_log2 = static_cast<float>(p.scale * 1.4426950408889634);
  out->out = p.out.data;
  out->out_strides = row_strides(p.out.strides);
  out->lse = p.lse;
  out->lse_strides = row_strides(p.lse_strides);
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

HopperResult check_device(int* multiprocessors) {
  int device = 0;
  HopperResult result = from_cuda(cudaGetDevice(&device), "cudaGetDevice");
  if (!result.ok()) return result;
  int major = 0;
  result = from_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
                     "cudaDeviceGetAttribute");
  if (!result.ok()) return result;
  if (major != 9) {
    return refuse(LVSA_NO_DEVICE, "the device has compute capability " + number(major) +
                                      ".x, this kernel needs 9.0");
  }
  return from_cuda(cudaDeviceGetAttribute(multiprocessors, cudaDevAttrMultiProcessorCount, device),
                   "cudaDeviceGetAttribute");
}

}  // namespace

int hopper_key_tile(std::int64_t patches_per_frame) {
  int best = hopper::kKeyTiles[0];
  for (const int tile : hopper::kKeyTiles) {
    if (ceil_div(patches_per_frame, tile) * tile < ceil_div(patches_per_frame, best) * best) {
      best = tile;
    }
  }
  return best;
}

HopperResult hopper_check(const lvsa_problem& p) {
  HopperResult result = check_sizes(p);
  if (result.ok()) result = check_types(p);
  if (result.ok()) result = check_tensor("q", p.q, p, p.heads);
  if (result.ok()) result = check_tensor("k", p.k, p, p.kv_heads);
  if (result.ok()) result = check_tensor("v", p.v, p, p.kv_heads);
  if (result.ok()) result = check_tensor("out", p.out, p, p.heads);
  return result;
}

HopperResult hopper_plan(const lvsa_problem& problem, const DeviceFrameLists& lists, int* next_item,
                         HopperPlan* plan) {
  HopperResult result = hopper_check(problem);
  if (!result.ok()) return result;
  int multiprocessors = 0;
  result = check_device(&multiprocessors);
  if (!result.ok()) return result;

  const int key_tile = hopper_key_tile(problem.patches_per_frame);
  const hopper::Instance instance = problem.head_dim == 64
                                        ? hopper::instance_d64(problem.dtype, key_tile)
                                        : hopper::instance_d128(problem.dtype, key_tile);
  HopperPlan made;
  made.key_tile = key_tile;
  made.kernel = instance.function;
  made.shared_bytes = instance.shared_bytes;
  made.parameters.items = item_layout(problem);
  if (made.parameters.items.total > std::numeric_limits<int>::max() - 65536) {
    return refuse(LVSA_UNSUPPORTED, "more work items than the kernel can count");
  }
  made.blocks =
      static_cast<int>(std::min<std::int64_t>(multiprocessors, made.parameters.items.total));
  fill_sizes(problem, key_tile, &made.parameters);
  made.parameters.offsets = lists.offsets;
  made.parameters.offsets_64 = lists.offsets_64 ? 1 : 0;
  made.parameters.list = lists.list;
  made.parameters.next_item = next_item;
  std::string message = build_maps(problem, key_tile, &made.parameters);
  if (!message.empty()) return refuse(LVSA_FAILED, std::move(message));
  result = from_cuda(cudaFuncSetAttribute(made.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                          made.shared_bytes),
                     "cudaFuncSetAttribute");
  if (result.ok()) *plan = made;
  return result;
}

HopperResult hopper_run(const HopperPlan& plan, cudaStream_t stream) {
  const HopperResult result = from_cuda(
      cudaMemsetAsync(plan.parameters.next_item, 0, sizeof(int), stream), "cudaMemsetAsync");
  if (!result.ok()) return result;
  hopper::Parameters parameters = plan.parameters;
  void* arguments[] = {&parameters};
  return from_cuda(cudaLaunchKernel(plan.kernel, dim3(static_cast<unsigned>(plan.blocks)),
                                    dim3(hopper::kThreads), arguments,
                                    static_cast<std::size_t>(plan.shared_bytes), stream),
                   "cudaLaunchKernel");
}

}  // namespace lvsa::cuda
