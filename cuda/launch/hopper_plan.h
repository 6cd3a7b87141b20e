/* hopper_plan.h - LVSA attention on Hopper for pipelines: plan once per shape, then run. Inputs of
 * bf16 and fp16 go to the kernel "cuda", e4m3 to "cuda-fp8".
 *
 * Pure C, offered by liblvsa_cuda.so. Unlike lvsa_kernel.run(), which takes the frame lists from
 * the host, a plan reads them from device memory in each run: a pattern that was rebuilt on the
 * device takes effect without a new plan and without a synchronisation. lvsa_hopper_plan_run()
 * neither allocates nor synchronises and may be captured into a CUDA graph.
 */
#ifndef LVSA_HOPPER_PLAN_H
#define LVSA_HOPPER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/kernel/lvsa_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lvsa_hopper_plan lvsa_hopper_plan;

/* The pattern in device memory: frame f attends list[offsets[f]] .. list[offsets[f + 1] - 1],
 * ascending, unique, 0 .. frames - 1. Not checked: it may not exist yet. */
typedef struct lvsa_device_lists {
  const void* offsets; /* [frames + 1] */
  int32_t offsets_64;  /* 1: int64, 0: int32 */
  const int32_t* list;
} lvsa_device_lists;

/* Bytes of device memory, aligned to 128, that a plan of this problem needs as scratch: 128, and
 * for e4m3 the size of v besides (frames filled up to a multiple of 32 tokens). */
lvsa_status lvsa_hopper_scratch_bytes(const lvsa_problem* problem, size_t* bytes, char* message,
                                      size_t message_size);

/* Checks the problem and makes a plan for the current device; its frame_lists and block_csr are not
 * read. Tensors, scales, lists and `scratch` (of each plan its own) must live as long as runs of
 * the plan. Runs of one plan must not overlap. On failure *plan is null and one line is written to
 * message. */
lvsa_status lvsa_hopper_plan_create(const lvsa_problem* problem, const lvsa_device_lists* lists,
                                    void* scratch, lvsa_hopper_plan** plan, char* message,
                                    size_t message_size);

/* Queues one run on the stream (a cudaStream_t). */
lvsa_status lvsa_hopper_plan_run(const lvsa_hopper_plan* plan, void* stream, char* message,
                                 size_t message_size);

/* Null is fine. Runs that are queued go on. */
void lvsa_hopper_plan_destroy(lvsa_hopper_plan* plan);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_HOPPER_PLAN_H */
