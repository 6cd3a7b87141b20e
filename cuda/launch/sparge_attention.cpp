#include "cuda/launch/sparge_attention.h"

#include <cuda_runtime_api.h>

#include <cmath>
#include <exception>
#include <utility>

#include "cuda/launch/block_attention.hpp"
#include "cuda/launch/sparge_check.hpp"
#include "cuda/launch/sparge_prediction.hpp"

namespace lvsa::cuda {
namespace {

constexpr std::size_t kAlignment = 128;

// A call whose problem and settings are checked.
struct SpargeCall {
  lvsa_block_problem problem{};
  std::vector<prediction::HeadNumbers> numbers;
};

Verdict open_call(const lvsa_block_problem* problem, const lvsa_sparge_settings* settings,
                  bool attention, SpargeCall* call) {
  Verdict verdict = prepare_sparge_problem(problem, attention, &call->problem);
  if (verdict.ok()) verdict = read_sparge_settings(settings, call->problem, &call->numbers);
  if (verdict.ok()) verdict = check_sparge_device(call->problem, attention);
  return verdict;
}

Verdict check_map(const lvsa_sparge_map* map) {
  if (map == nullptr) return {LVSA_INVALID, "map = null: must point to a map"};
  Verdict verdict = check_device_memory("row_count", map->row_count, alignof(std::int32_t));
  if (verdict.ok()) {
    verdict = check_device_memory("indices", map->indices, alignof(std::int32_t));
  }
  if (verdict.ok() && map->faults != nullptr) {
    verdict = check_device_memory("faults", map->faults, alignof(std::int32_t));
  }
  return verdict;
}

// Scratch of the attention: tables, a map, the prediction's, the kernel's.
struct AttentionScratch {
  MapTables tables;
  lvsa_sparge_map map{};
  PredictionScratch prediction;
};

AttentionScratch cut_attention(const lvsa_block_problem& p, ScratchCutter* cutter) {
  AttentionScratch scratch;
  const std::int64_t rows = p.batch * p.heads * p.row_blocks;
  scratch.tables = cut_tables(p, cutter);
  scratch.map.row_count = cutter->take<std::int32_t>(rows);
  scratch.map.indices = cutter->take<std::int32_t>(rows * p.column_blocks);
  scratch.prediction = cut_prediction(p, cutter);
  return scratch;
}

bool any_skip(const std::vector<prediction::HeadNumbers>& numbers) {
  for (const prediction::HeadNumbers& one : numbers) {
    if (!std::isinf(one.skip_log2)) return true;
  }
  return false;
}

Verdict queue_attention(const SpargeCall& call, const AttentionScratch& scratch,
                        const lvsa_sparge_map& map, char* kernel_scratch, cudaStream_t stream) {
  const lvsa_block_problem& p = call.problem;
  BlockWork work;
  work.problem = &p;
  work.scratch = kernel_scratch;
  blocks::DeviceMaps& maps = work.maps;
  maps.row_begin = scratch.tables.row_begin;
  maps.column_begin = scratch.tables.column_begin;
  maps.row_blocks = static_cast<std::int32_t>(p.row_blocks);
  maps.column_blocks = static_cast<std::int32_t>(p.column_blocks);
  maps.block_rows = static_cast<std::int32_t>(p.block_rows);
  maps.block_columns = static_cast<std::int32_t>(p.block_columns);
  maps.row_first = scratch.tables.row_first;
  maps.row_count = map.row_count;
  maps.indices = map.indices;
  maps.map_of_head = scratch.tables.map_of_head;
  maps.skip_log2 = any_skip(call.numbers) ? scratch.tables.skip_log2 : nullptr;
  return run_hopper_blocks(work, stream);
}

Verdict predict(const lvsa_block_problem* problem, const lvsa_sparge_settings* settings,
                const lvsa_sparge_map* map, char* memory, cudaStream_t stream) {
  SpargeCall call;
  Verdict verdict = open_call(problem, settings, false, &call);
  if (verdict.ok()) verdict = check_map(map);
  if (verdict.ok()) verdict = check_device_memory("scratch", memory, kAlignment);
  if (!verdict.ok()) return verdict;
  ScratchCutter cutter(memory);
  const PredictionScratch scratch = cut_prediction(call.problem, &cutter);
  verdict = queue_tables(call.problem, call.numbers, scratch, {}, map->faults, stream);
  if (!verdict.ok()) return verdict;
  return queue_prediction(call.problem, *settings, scratch, *map, stream);
}

Verdict attend(const lvsa_block_problem* problem, const lvsa_sparge_settings* settings,
               const lvsa_sparge_map* map, bool with_prediction, char* memory,
               cudaStream_t stream) {
  SpargeCall call;
  Verdict verdict = open_call(problem, settings, true, &call);
  if (verdict.ok() && (map != nullptr || !with_prediction)) verdict = check_map(map);
  if (verdict.ok()) verdict = check_device_memory("scratch", memory, kAlignment);
  if (!verdict.ok()) return verdict;
  ScratchCutter cutter(memory);
  const AttentionScratch scratch = cut_attention(call.problem, &cutter);
  const lvsa_sparge_map& used = map != nullptr ? *map : scratch.map;
  verdict = queue_tables(call.problem, call.numbers, scratch.prediction, scratch.tables,
                         with_prediction ? used.faults : nullptr, stream);
  if (verdict.ok() && with_prediction) {
    verdict = queue_prediction(call.problem, *settings, scratch.prediction, used, stream);
  }
  if (!verdict.ok()) return verdict;
  return queue_attention(call, scratch, used, cutter.rest(), stream);
}

Verdict scratch_bytes(const lvsa_block_problem* problem, const lvsa_sparge_settings* settings,
                      bool attention, std::size_t* bytes) {
  if (bytes == nullptr) return {LVSA_INVALID, "bytes = null: must point to a size"};
  SpargeCall call;
  Verdict verdict = open_call(problem, settings, attention, &call);
  if (!verdict.ok()) return verdict;
  ScratchCutter cutter(nullptr);
  if (attention) {
    cut_attention(call.problem, &cutter);
  } else {
    cut_prediction(call.problem, &cutter);
  }
  *bytes = cutter.bytes() + (attention ? hopper_blocks_scratch_bytes(call.problem) : 0);
  return {};
}

template <typename Fn>
lvsa_status guarded(char* message, std::size_t message_size, const Fn& fn) {
  try {
    return tell(fn(), message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // namespace
}  // namespace lvsa::cuda

extern "C" {

#define LVSA_EXPORT __attribute__((visibility("default")))

LVSA_EXPORT void lvsa_sparge_defaults(lvsa_sparge_settings* settings) {
  static const double kShare = 0.5;
  static const double kLikeness = -0.1;
  if (settings == nullptr) return;
  *settings = {};
  settings->struct_size = sizeof *settings;
  settings->topk = &kShare;
  settings->topk_count = 1;
  settings->simthreshd1 = &kLikeness;
  settings->simthreshd1_count = 1;
  settings->smooth_k = 1;
  settings->partial_kept = 1;
}

LVSA_EXPORT lvsa_status lvsa_sparge_predict_scratch_bytes(const lvsa_block_problem* problem,
                                                          const lvsa_sparge_settings* settings,
                                                          size_t* bytes, char* message,
                                                          size_t message_size) {
  return lvsa::cuda::guarded(message, message_size, [&] {
    return lvsa::cuda::scratch_bytes(problem, settings, false, bytes);
  });
}

LVSA_EXPORT lvsa_status lvsa_sparge_predict(const lvsa_block_problem* problem,
                                            const lvsa_sparge_settings* settings,
                                            const lvsa_sparge_map* map, void* scratch, void* stream,
                                            char* message, size_t message_size) {
  return lvsa::cuda::guarded(message, message_size, [&] {
    return lvsa::cuda::predict(problem, settings, map, static_cast<char*>(scratch),
                               static_cast<cudaStream_t>(stream));
  });
}

LVSA_EXPORT lvsa_status lvsa_sparge_attention_scratch_bytes(const lvsa_block_problem* problem,
                                                            const lvsa_sparge_settings* settings,
                                                            size_t* bytes, char* message,
                                                            size_t message_size) {
  return lvsa::cuda::guarded(message, message_size, [&] {
    return lvsa::cuda::scratch_bytes(problem, settings, true, bytes);
  });
}

LVSA_EXPORT lvsa_status lvsa_sparge_attention(const lvsa_block_problem* problem,
                                              const lvsa_sparge_settings* settings,
                                              const lvsa_sparge_map* map, void* scratch,
                                              void* stream, char* message, size_t message_size) {
  return lvsa::cuda::guarded(message, message_size, [&] {
    return lvsa::cuda::attend(problem, settings, map, true, static_cast<char*>(scratch),
                              static_cast<cudaStream_t>(stream));
  });
}

LVSA_EXPORT lvsa_status lvsa_sparge_attend(const lvsa_block_problem* problem,
                                           const lvsa_sparge_settings* settings,
                                           const lvsa_sparge_map* map, void* scratch, void* stream,
                                           char* message, size_t message_size) {
  return lvsa::cuda::guarded(message, message_size, [&] {
    return lvsa::cuda::attend(problem, settings, map, false, static_cast<char*>(scratch),
                              static_cast<cudaStream_t>(stream));
  });
}

#undef LVSA_EXPORT

}  // extern "C"
