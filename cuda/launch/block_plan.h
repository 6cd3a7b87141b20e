/* block_plan.h - block-sparse attention on Hopper for pipelines: plan once per shape and maps, then
 * run. The kernel is "cuda-blocks".
 *
 * Pure C, offered by liblvsa_cuda.so. lvsa_block_kernel.run() checks maps, masks, orders and
 * thresholds and copies them to the device in each call; a plan does so once. What a pattern of
 * frames gives stays the same for all layers of a step, often for all steps.
 * lvsa_block_plan_run() neither allocates nor synchronises nor copies from the host, and may be
 * captured into a CUDA graph. For maps predicted on the device: sparge_attention.h.
 */
#ifndef LVSA_BLOCK_PLAN_H
#define LVSA_BLOCK_PLAN_H

#include <stddef.h>

#include "core/blocks/lvsa_blocks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lvsa_block_plan lvsa_block_plan;

/* Bytes of device memory, aligned to 128, that a plan of this problem needs as scratch. Checks the
 * problem. */
lvsa_status lvsa_block_plan_scratch_bytes(const lvsa_block_problem* problem, size_t* bytes,
                                          char* message, size_t message_size);

/* Makes a plan for the current device and queues the copy of its maps on the stream (a
 * cudaStream_t, not one that is being captured); runs on other streams have to wait for that.
 * Tensors, log-sum-exp and `scratch` (of each plan its own) must live as long as runs of the plan;
 * the problem and its host arrays need not. Runs of one plan must not overlap. On failure *plan is
 * null and one line is written to message. */
lvsa_status lvsa_block_plan_create(const lvsa_block_problem* problem, void* scratch, void* stream,
                                   lvsa_block_plan** plan, char* message, size_t message_size);

/* Queues one run on the stream. */
lvsa_status lvsa_block_plan_run(const lvsa_block_plan* plan, void* stream, char* message,
                                size_t message_size);

/* Null is fine. Runs that are queued go on. */
void lvsa_block_plan_destroy(lvsa_block_plan* plan);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_BLOCK_PLAN_H */
