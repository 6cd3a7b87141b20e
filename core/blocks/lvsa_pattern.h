/* lvsa_pattern.h - the C interface between lvsa-verify and a rule of sparse attention.
 *
 * The sister of core/blocks/lvsa_blocks.h. A shared library offers its rules through one exported
 * function, LVSA_PATTERN_ENTRY_POINT. A rule turns a request (the video, q and k of a head) into
 * a block map in compressed rows. It hands the result to `emit`, which copies it, so that all
 * arrays may be the rule's own and go when emit returns. What it hands over is checked; the first
 * thing that is wrong is named with row and column.
 *
 * A rule runs in a process of its own (docs/runs.md) and is asked for one pattern at a time there;
 * with --isolate none, and in the workers of `lvsa-verify kernel`, it runs in the process of the
 * tool, maybe in several threads at a time.
 */
#ifndef LVSA_PATTERN_H
#define LVSA_PATTERN_H

#include "core/kernel/lvsa_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LVSA_PATTERN_ABI_VERSION 1u
#define LVSA_PATTERN_ENTRY_POINT "lvsa_patterns"

typedef struct lvsa_pattern_request {
  size_t struct_size; /* sizeof(lvsa_pattern_request) of the caller */

  /* Tokens: frame, then row, then column of the frame; text behind. */
  int64_t frames;
  int64_t height; /* height * width = patches_per_frame; both 0 where they are not known */
  int64_t width;
  int64_t patches_per_frame;
  int64_t text_tokens;
  int64_t seq_len; /* frames * patches_per_frame + text_tokens */

  int64_t head;
  int64_t heads;
  int64_t layer;
  int64_t step; /* denoising step */

  /* [1, seq_len, 1, head_dim] in host memory; data null where the tool has none, which happens to
   * rules only that do not ask for tensors. v may be null for all rules. */
  lvsa_dtype dtype;
  int64_t head_dim;
  lvsa_tensor q;
  lvsa_tensor k;
  lvsa_tensor v;
  double scale; /* of the scores */

  const char* parameters; /* as the user typed them, "" where he did not */
} lvsa_pattern_request;

typedef struct lvsa_pattern_result {
  size_t struct_size; /* sizeof(lvsa_pattern_result) of the rule */

  /* Query block r: the places row_begin[r] .. row_begin[r + 1] - 1, from 0 to seq_len; key blocks
   * alike. Place i holds token order[i], or token i without an order. */
  int64_t row_blocks;
  int64_t column_blocks;
  const int64_t* row_begin;    /* [row_blocks + 1] */
  const int64_t* column_begin; /* [column_blocks + 1] */

  int64_t kept;
  const int32_t* indptr;     /* [row_blocks + 1], from 0 to kept, never falling */
  const int32_t* indices;    /* [kept], ascending and unique within a row */
  const int32_t* entry_mask; /* [kept], -1: all pairs of the block; null: all -1 */

  /* Mask m's row r: ceil(largest key block / 64) words from mask_bits[(m * R + r) * words], R the
   * largest query block; key i of the block is bit i % 64 of word i / 64. Bits past the ends of a
   * smaller block are 0. */
  int64_t mask_count;
  const uint64_t* mask_bits;

  const int32_t* order; /* [seq_len], null: none */

  int32_t has_skip; /* 1: online skip, see lvsa_blocks.h */
  double skip_threshold_log2;

  const char* choice; /* what was decided for this head, for people; null: nothing */
} lvsa_pattern_result;

/* Takes a copy; to be called once for a request. Anything but LVSA_OK: the rule returns it. */
typedef lvsa_status (*lvsa_pattern_emit)(void* sink, const lvsa_pattern_result* result);

typedef struct lvsa_pattern_rule {
  uint32_t abi_version; /* LVSA_PATTERN_ABI_VERSION */
  size_t struct_size;   /* sizeof(lvsa_pattern_rule) */
  const char* name;     /* letters, digits, '-', '_' */
  const char* description;
  int32_t needs_tensors;   /* 1: looks at q and k */
  int32_t depends_on_head; /* 1: may differ between heads or layers with the same tensors */
  int32_t depends_on_step;
  /* Returns LVSA_OK after emit did; a failure with one line in `message`. */
  lvsa_status (*make)(const lvsa_pattern_request* request, lvsa_pattern_emit emit, void* sink,
                      char* message, size_t message_size);
} lvsa_pattern_rule;

/* The entry point of a shared library: returns an array of *count rules, null for an abi_version
 * that it cannot speak. */
typedef const lvsa_pattern_rule* (*lvsa_patterns_fn)(uint32_t abi_version, uint32_t* count);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_PATTERN_H */
