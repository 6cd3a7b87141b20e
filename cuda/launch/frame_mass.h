/* frame_mass.h - how much softmax mass the queries of a frame give to the keys of each frame.
 *
 * Pure C, offered by liblvsa_cuda.so; Hopper, bf16 and fp16, head sizes 64 and 128. Takes the
 * problem of lvsa_kernel.h, of which v, out, lse and frame_lists are not read.
 */
#ifndef LVSA_FRAME_MASS_H
#define LVSA_FRAME_MASS_H

#include <stddef.h>

#include "core/kernel/lvsa_kernel.h"
#include "cuda/launch/hopper_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of device memory, aligned to 128, that lvsa_frame_mass() needs as scratch. */
lvsa_status lvsa_frame_mass_scratch_bytes(const lvsa_problem* problem, size_t* bytes, char* message,
                                          size_t message_size);

/* mass[b][h][f][g] (fp32, device memory, dense): the mean over the queries of group f of their
 * softmax mass on the keys of group g. Groups are the frames and, where there is text, one more for
 * it: G = frames + (text_tokens > 0). Softmax runs over all keys (dense attention) when `lists` is
 * null, else over those of the query's list and the text. A row of mass adds up to 1 within 1e-5,
 * or to 0 where the list is empty. Queues the work on the stream (a cudaStream_t); neither
 * allocates nor synchronises. The same bits on every run. */
lvsa_status lvsa_frame_mass(const lvsa_problem* problem, const lvsa_device_lists* lists,
                            float* mass, void* scratch, void* stream, char* message,
                            size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_FRAME_MASS_H */
