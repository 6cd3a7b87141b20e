/* lvsa_blocks.h - the C interface between lvsa-verify and a block-sparse attention kernel.
 *
 * The sister of core/kernel/lvsa_kernel.h, whose types it shares. A shared library offers its
 * block-sparse kernels through one exported function, LVSA_BLOCK_KERNEL_ENTRY_POINT.
 *
 * The problem. q [B, Sq, H, D], k and v [B, Sk, Hkv, D]; query head h reads key/value head
 * h / (H / Hkv). Each (batch element, head) has a map: in compressed rows, which key blocks each
 * query block attends; all pairs of a kept block, or those of an element mask. Each pair counts
 * once. Softmax over scale * q.k. Blocks are over places: place i holds token order[i] of queries
 * and keys alike, or token i where the head has no order. Results are written to the tokens' own
 * rows, so the caller permutes nothing. A row without keys has out = 0 and lse = -inf.
 *
 * Who owns what: as in lvsa_kernel.h. The arrays of maps, masks and orders are in host memory
 * whatever `memory` says; a kernel that wants them elsewhere copies them, into its workspace.
 */
#ifndef LVSA_BLOCKS_H
#define LVSA_BLOCKS_H

#include "core/kernel/lvsa_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LVSA_BLOCK_KERNEL_ABI_VERSION 1u
#define LVSA_BLOCK_KERNEL_ENTRY_POINT "lvsa_block_kernels"

/* One map in compressed rows. */
typedef struct lvsa_block_map {
  const int32_t* indptr;  /* [row_blocks + 1], from 0, never falling */
  const int32_t* indices; /* [indptr[row_blocks]]: key blocks, ascending and unique within a row */
  /* Number of the entry's element mask, -1: all pairs. Null: -1 for all entries. */
  const int32_t* entry_mask; /* [indptr[row_blocks]] */
} lvsa_block_map;

typedef struct lvsa_block_problem {
  size_t struct_size; /* sizeof(lvsa_block_problem) of the caller */

  int64_t batch;
  int64_t query_tokens; /* Sq */
  int64_t key_tokens;   /* Sk; equal to Sq where a head has an order */
  int64_t heads;        /* H, a multiple of kv_heads */
  int64_t kv_heads;     /* Hkv */
  int64_t head_dim;     /* D */
  double scale;

  lvsa_dtype dtype; /* of q, k, v */
  lvsa_dtype out_dtype;
  lvsa_memory memory; /* where q, k, v, out, lse and the workspace live */
  lvsa_dtype p_dtype; /* as in lvsa_problem */
  int32_t threads;    /* host threads to use; 0 leaves it to the kernel */

  lvsa_tensor q;
  lvsa_tensor k;
  lvsa_tensor v;
  lvsa_tensor out; /* [B, Sq, H, D] */
  float* lse;      /* natural, [B, Sq, H] by strides in elements; null: not wanted */
  int64_t lse_strides[3];

  /* Blocks: query block r holds the places row_begin[r] .. row_begin[r + 1] - 1, key block c the
   * places column_begin[c] .. column_begin[c + 1] - 1. All of block_rows (block_columns) places but
   * those where a segment ends, which are smaller: the last one, or the last one of the video
   * where text has blocks of its own. */
  int64_t block_rows;
  int64_t block_columns;
  int64_t row_blocks;
  int64_t column_blocks;
  const int64_t* row_begin;    /* [row_blocks + 1] */
  const int64_t* column_begin; /* [column_blocks + 1] */

  int64_t map_count;
  const lvsa_block_map* maps; /* [map_count] */
  const int32_t* map_of_head; /* [batch * heads]: which map */

  /* Element masks, shared by all maps: mask m's row r is mask_words words of 64 bits from
   * mask_bits[(m * block_rows + r) * mask_words]; key i of the block is bit i % 64 of word i / 64.
   * Bits past the ends of a smaller block are 0. */
  int64_t mask_count;
  int64_t mask_words; /* ceil(block_columns / 64) */
  const uint64_t* mask_bits;

  int64_t order_count;
  const int32_t* orders;        /* [order_count][Sq]: the token at each place */
  const int32_t* order_of_head; /* [batch * heads], -1: none; null: none at all */

  /* Online skip, log2 units of the scaled scores, one threshold for each head: over the kept blocks
   * of a query block in ascending order but the last one, delta = the largest (row maximum of the
   * block - maximum of that row before it) of the block's rows; exp, sum and P.V of the block are
   * left out when delta + threshold <= 0. Maxima count scores of attended pairs only and are
   * updated by skipped blocks too. +infinity: none for this head; null: none at all. */
  const float* skip_threshold_log2; /* [heads] */

  /* A hint, as in lvsa_problem: only the output rows of these query tokens will be looked at. */
  const int64_t* wanted_tokens;
  int64_t wanted_count;
} lvsa_block_problem;

typedef struct lvsa_block_capabilities {
  size_t struct_size;
  uint32_t dtypes;   /* LVSA_DTYPE_BIT of each input type */
  uint32_t p_dtypes; /* types that P can be rounded to when asked */
  lvsa_memory memory;
  int64_t head_dim_min; /* head_dim in [min, max], a multiple of head_dim_multiple */
  int64_t head_dim_max;
  int64_t head_dim_multiple;
  /* Block sizes served: pairs (rows, columns), block_sizes of them; 0: any size up to block_max. */
  int32_t block_sizes;
  const int64_t (*block_size)[2];
  int64_t block_max;
  int32_t grouped_heads;
  int32_t batch; /* batch > 1 */
  int32_t any_strides;
  int32_t lse;
  int32_t maps_per_head; /* map_of_head may differ between heads */
  int32_t element_masks;
  int32_t orders;
  int32_t skip;
  int32_t segments;       /* smaller blocks elsewhere than at the end */
  int32_t unequal_tokens; /* key_tokens != query_tokens */
} lvsa_block_capabilities;

typedef struct lvsa_block_kernel {
  uint32_t abi_version; /* LVSA_BLOCK_KERNEL_ABI_VERSION */
  size_t struct_size;   /* sizeof(struct lvsa_block_kernel) */
  const char* name;     /* letters, digits, '-', '_' */
  const char* description;
  lvsa_block_capabilities capabilities;

  /* As in lvsa_kernel, but for maps tiles_cross_frames says: 1: the keys of a row's kept blocks,
   * one block behind the other, are cut into tiles as one sequence; 0: each kept block by itself.
   * Pairs that a mask hides take their places in tiles. With 2, with text first, and where heads
   * with a skip rule are cut as in 1, there is no schedule to be held against. May be null. */
  lvsa_status (*numerics)(const lvsa_block_problem* problem, lvsa_numerics* numerics);
  lvsa_status (*workspace)(const lvsa_block_problem* problem, size_t* bytes);
  lvsa_status (*run)(const lvsa_block_problem* problem, void* workspace, size_t workspace_bytes,
                     void* stream, char* message, size_t message_size);
} lvsa_block_kernel;

/* The entry point of a shared library: returns an array of *count kernels, null for an
 * abi_version that it cannot speak. */
typedef const lvsa_block_kernel* (*lvsa_block_kernels_fn)(uint32_t abi_version, uint32_t* count);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_BLOCKS_H */
