/* sparge_attention.h - SpargeAttn on the GPU: the block map of each head predicted from q and k,
 * then block-sparse attention over it, without a word to the host in between.
 *
 * Pure C, offered by liblvsa_cuda.so. The rule is that of docs/patterns/sparge.md without causal
 * masks; the maps are equal, bit for bit, to those of the CPU (core/sparse/sparge_map.hpp).
 *
 * All functions take the problem of core/blocks/lvsa_blocks.h, of which the sizes, types, tensors
 * (device memory), block_rows and block_columns are read and nothing else: row_blocks, row_begin,
 * maps, masks, orders and thresholds may be 0. bf16 or fp16, head_dim 64 or 128, query_tokens ==
 * key_tokens, blocks of 64 or 128 rows by 64 or 128 columns for the prediction and 128 x 64, 64 x
 * 128 or 128 x 128 for the attention; the last block of each axis may be smaller. Tensors have an
 * element stride of 1 and other strides that are multiples of 8 elements.
 *
 * None of them allocates or synchronises. What queues work may be captured into a CUDA graph; the
 * settings are read during the call only.
 */
#ifndef LVSA_SPARGE_ATTENTION_H
#define LVSA_SPARGE_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/blocks/lvsa_blocks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers are in host memory, `count` of them: 1 for all heads or one for each (query) head. */
typedef struct lvsa_sparge_settings {
  size_t struct_size; /* sizeof(lvsa_sparge_settings) of the caller */

  /* One of the two: share of the key blocks, or softmax mass, 0 .. 1. The other has count 0. */
  const double* topk;
  int64_t topk_count;
  const double* cdfthreshd;
  int64_t cdfthreshd_count;

  const double* simthreshd1; /* -1 .. 1: blocks whose mean cosine is not above stay dense */
  int64_t simthreshd1_count;
  const double* pvthreshd; /* online skip, 0 .. 50 log2 units; 50 is off. Count 0: all off */
  int64_t pvthreshd_count;

  int32_t attention_sink; /* 1: the first key block is always kept */
  int32_t smooth_k;       /* 1: the mean of all k is taken off first */
  int32_t partial_kept;   /* 1: a smaller last block is dense; 0: judged by its rows */
  int32_t round_p;        /* 1: pooled scores and probabilities rounded to the input type */
} lvsa_sparge_settings;

/* Maps in device memory: key blocks of query block r of head h of batch element b, ascending, are
 * indices[x * column_blocks ..] for x = (b * heads + h) * row_blocks + r, row_count[x] of them;
 * row_blocks = ceil(query_tokens / block_rows), column_blocks likewise. What lies between a row's
 * last index and the next row is not written. */
typedef struct lvsa_sparge_map {
  int32_t* row_count; /* [batch * heads * row_blocks] */
  int32_t* indices;   /* [batch * heads * row_blocks * column_blocks] */
  /* [batch * heads], may be null. 1: q or k of the head holds numbers that are not finite, or a
   * pooled score is not, which the CPU's rule refuses; rows that this concerns keep all blocks. */
  int32_t* faults;
} lvsa_sparge_map;

/* The published defaults: topk 0.5, simthreshd1 -0.1, no skip, smooth_k and partial_kept 1, the
 * rest 0. Its numbers live as long as the library. */
void lvsa_sparge_defaults(lvsa_sparge_settings* settings);

/* Bytes of device memory, aligned to 128, that lvsa_sparge_predict() needs as scratch. v, out and
 * lse of the problem are not read, here and there. */
lvsa_status lvsa_sparge_predict_scratch_bytes(const lvsa_block_problem* problem,
                                              const lvsa_sparge_settings* settings, size_t* bytes,
                                              char* message, size_t message_size);

/* Queues the prediction on the stream (a cudaStream_t). sm_80 and later. */
lvsa_status lvsa_sparge_predict(const lvsa_block_problem* problem,
                                const lvsa_sparge_settings* settings, const lvsa_sparge_map* map,
                                void* scratch, void* stream, char* message, size_t message_size);

/* Bytes of device memory, aligned to 128, that the two functions below need as scratch. */
lvsa_status lvsa_sparge_attention_scratch_bytes(const lvsa_block_problem* problem,
                                                const lvsa_sparge_settings* settings, size_t* bytes,
                                                char* message, size_t message_size);

/* Queues the prediction and attention over its maps with the kernel `cuda-blocks` (compute
 * capability 9.0). The maps go to scratch, or to `map` where it is not null. */
lvsa_status lvsa_sparge_attention(const lvsa_block_problem* problem,
                                  const lvsa_sparge_settings* settings, const lvsa_sparge_map* map,
                                  void* scratch, void* stream, char* message, size_t message_size);

/* Queues attention alone over maps of an earlier prediction, of this call's q and k or of others
 * of the same sizes (an earlier denoising step, for example). Of the settings pvthreshd counts. */
lvsa_status lvsa_sparge_attend(const lvsa_block_problem* problem,
                               const lvsa_sparge_settings* settings, const lvsa_sparge_map* map,
                               void* scratch, void* stream, char* message, size_t message_size);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_SPARGE_ATTENTION_H */
