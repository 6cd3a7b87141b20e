#include "cuda/launch/block_plan.h"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <exception>
#include <memory>

#include "cuda/launch/block_arrays.hpp"
#include "cuda/launch/block_kernel_kinds.hpp"

struct lvsa_block_plan {
  lvsa_block_problem problem;
  lvsa::cuda::BlockWork work;  // its problem is the one above
};

namespace {

using lvsa::cuda::HopperBlocks;
using lvsa::cuda::tell;
using lvsa::cuda::Verdict;

Verdict create(const lvsa_block_problem* problem, void* scratch, cudaStream_t stream,
               std::unique_ptr<lvsa_block_plan>& made) {
  Verdict verdict = lvsa::cuda::check_all<HopperBlocks>(problem);
  if (!verdict.ok()) return verdict;
  if (scratch == nullptr || reinterpret_cast<std::uintptr_t>(scratch) % 128 != 0) {
    return {LVSA_INVALID, "scratch is null or not aligned to 128 bytes"};
  }
  verdict = check_block_device(*problem, HopperBlocks::kRules, scratch);
  if (!verdict.ok()) return verdict;
  made = std::make_unique<lvsa_block_plan>();
  lvsa_block_problem& kept = made->problem;
  kept = *problem;
  made->work.problem = &kept;
  made->work.scratch = static_cast<char*>(scratch) + lvsa::cuda::block_arrays_bytes(*problem);
  verdict = lvsa::cuda::copy_block_arrays(*problem, static_cast<char*>(scratch), stream,
                                          &made->work.maps);
  // The host's arrays may go from here on.
  kept.row_begin = kept.column_begin = kept.wanted_tokens = nullptr;
  kept.maps = nullptr;
  kept.map_of_head = kept.orders = kept.order_of_head = nullptr;
  kept.mask_bits = nullptr;
  kept.skip_threshold_log2 = nullptr;
  return verdict;
}

// A function of this file: its verdict, and exceptions, as a status and a line.
template <typename Function>
lvsa_status told(char* message, size_t message_size, const Function& function) {
  try {
    return tell(function(), message, message_size);
  } catch (const std::exception& error) {
    return tell({LVSA_FAILED, error.what()}, message, message_size);
  }
}

}  // namespace

extern "C" {

#define LVSA_EXPORT __attribute__((visibility("default")))

LVSA_EXPORT lvsa_status lvsa_block_plan_scratch_bytes(const lvsa_block_problem* problem,
                                                      size_t* bytes, char* message,
                                                      size_t message_size) {
  return told(message, message_size, [&]() -> Verdict {
    if (bytes == nullptr) return {LVSA_INVALID, "bytes is null"};
    *bytes = 0;
    Verdict verdict = lvsa::cuda::check_all<HopperBlocks>(problem);
    if (verdict.ok()) {
      *bytes = lvsa::cuda::block_arrays_bytes(*problem) + HopperBlocks::kScratch(*problem);
    }
    return verdict;
  });
}

LVSA_EXPORT lvsa_status lvsa_block_plan_create(const lvsa_block_problem* problem, void* scratch,
                                               void* stream, lvsa_block_plan** plan, char* message,
                                               size_t message_size) {
  return told(message, message_size, [&]() -> Verdict {
    if (plan == nullptr) return {LVSA_INVALID, "plan is null"};
    *plan = nullptr;
    std::unique_ptr<lvsa_block_plan> made;
    Verdict verdict = create(problem, scratch, static_cast<cudaStream_t>(stream), made);
    if (verdict.ok()) *plan = made.release();
    return verdict;
  });
}

LVSA_EXPORT lvsa_status lvsa_block_plan_run(const lvsa_block_plan* plan, void* stream,
                                            char* message, size_t message_size) {
  return told(message, message_size, [&]() -> Verdict {
    if (plan == nullptr) return {LVSA_INVALID, "plan is null"};
    return HopperBlocks::kRun(plan->work, static_cast<cudaStream_t>(stream));
  });
}

LVSA_EXPORT void lvsa_block_plan_destroy(lvsa_block_plan* plan) { delete plan; }

#undef LVSA_EXPORT

}  // extern "C"
