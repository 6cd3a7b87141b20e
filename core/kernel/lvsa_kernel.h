/* lvsa_kernel.h - the C interface between lvsa-verify and an attention kernel.
 *
 * Pure C, no dependencies, versioned. A kernel is a table of functions (struct lvsa_kernel). A
 * shared library offers its kernels through one exported function, LVSA_KERNEL_ENTRY_POINT; the
 * kernels built into the toolkit are reached through the same table.
 *
 * The problem. One self-attention call over a video of `frames` latent frames of
 * `patches_per_frame` tokens each, followed by `text_tokens` text tokens:
 *     seq_len = frames * patches_per_frame + text_tokens.
 * A video query of frame f attends the tokens of the frames in f's list and all text tokens; a text
 * query attends every token. Each key is attended once. Softmax over scale * q.k, no causality.
 * Query head h reads key/value head h / (heads / kv_heads).
 *
 * Who owns what. All pointers belong to the caller and stay valid during run() only, except the
 * kernel table, which stays valid while its library is loaded. A kernel writes `out`, and `lse`
 * when that is not null, and its workspace; nothing else. It never writes to stdout.
 *
 * Versions. LVSA_KERNEL_ABI_VERSION changes when a struct or the meaning of a field changes. Every
 * struct that may grow starts with its size, so that both sides can tell what the other knows.
 */
#ifndef LVSA_KERNEL_H
#define LVSA_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LVSA_KERNEL_ABI_VERSION 1u
#define LVSA_KERNEL_ENTRY_POINT "lvsa_kernels"

/* What a call returns. The text that goes with a failure is written to the `message` argument. */
typedef enum lvsa_status {
  LVSA_OK = 0,
  LVSA_UNSUPPORTED = 1,   /* a well-formed problem that this kernel does not serve */
  LVSA_INVALID = 2,       /* a malformed problem: null pointer, unsorted list, bad stride, ... */
  LVSA_OUT_OF_MEMORY = 3, /* workspace too small, or memory refused */
  LVSA_NO_DEVICE = 4,     /* no device, or one that is too old */
  LVSA_FAILED = 5         /* anything else */
} lvsa_status;

typedef enum lvsa_dtype {
  LVSA_DTYPE_NONE = 0,
  LVSA_F64 = 1,
  LVSA_F32 = 2,
  LVSA_F16 = 3,  /* IEEE binary16 */
  LVSA_BF16 = 4, /* upper half of binary32 */
  LVSA_E4M3 = 5, /* OCP fp8, finite only */
  LVSA_E5M2 = 6  /* OCP fp8 */
} lvsa_dtype;

/* Bits of lvsa_capabilities.dtypes: LVSA_DTYPE_BIT(LVSA_BF16) | ... */
#define LVSA_DTYPE_BIT(dtype) (1u << (dtype))

typedef enum lvsa_memory { LVSA_HOST = 0, LVSA_CUDA = 1 } lvsa_memory;

/* A [B, S, H, D] tensor with any strides, in elements, not bytes; [B, H, S, D] is only another set
 * of strides. strides[3] is the step between neighbouring elements of the head dimension. */
typedef struct lvsa_tensor {
  void* data;
  int64_t strides[4]; /* batch, token, head, element */
} lvsa_tensor;

/* The pattern as sorted lists: frame f attends list[offsets[f]] .. list[offsets[f + 1] - 1]. */
typedef struct lvsa_frame_lists {
  const int64_t* offsets; /* [frames + 1], host memory */
  const int32_t* list;    /* [offsets[frames]], host memory; ascending and unique within a row */
} lvsa_frame_lists;

/* The same pattern as a block matrix in compressed rows, video part only. Block row r covers the
 * query tokens r * block_rows .. , block column c the key tokens c * block_cols .. ; with
 * block_rows = block_cols = patches_per_frame a block is a pair of frames. Text is not part of it:
 * all video queries attend all text keys besides. */
typedef struct lvsa_block_csr {
  int64_t block_rows;
  int64_t block_cols;
  int64_t rows;
  const int32_t* indptr;  /* [rows + 1], host memory */
  const int32_t* indices; /* [indptr[rows]], host memory; ascending and unique within a row */
} lvsa_block_csr;

typedef struct lvsa_problem {
  size_t struct_size; /* sizeof(lvsa_problem) of the caller */

  int64_t batch;
  int64_t frames;            /* T, latent frames */
  int64_t patches_per_frame; /* P, tokens a latent frame */
  int64_t text_tokens;
  int64_t heads;    /* query heads, a multiple of kv_heads */
  int64_t kv_heads; /* key/value heads */
  int64_t head_dim; /* D */
  double scale;     /* factor of q.k, usually 1 / sqrt(D) */

  lvsa_dtype dtype; /* of q, k, v */
  lvsa_dtype out_dtype;
  lvsa_memory memory; /* where q, k, v, out, lse and the workspace live */
  /* Asks that P be rounded to this type before P.V; LVSA_DTYPE_NONE leaves it to the kernel. A
   * kernel that cannot do what is asked returns LVSA_UNSUPPORTED. */
  lvsa_dtype p_dtype;
  int32_t threads; /* host threads to use; 0 leaves it to the kernel */

  lvsa_tensor q;   /* [batch, seq_len, heads, head_dim] */
  lvsa_tensor k;   /* [batch, seq_len, kv_heads, head_dim] */
  lvsa_tensor v;   /* [batch, seq_len, kv_heads, head_dim] */
  lvsa_tensor out; /* [batch, seq_len, heads, head_dim] */

  /* Natural log-sum-exp of the scaled scores of each query row, or null when not wanted; strides
   * in elements: batch, token, head. A row without keys has out = 0 and lse = -inf. */
  float* lse;
  int64_t lse_strides[3];

  lvsa_frame_lists frame_lists;
  lvsa_block_csr block_csr;

  /* A hint: only the output rows of these query tokens (of every batch element and head) will be
   * looked at, so a kernel may leave out others. Ascending and unique, host memory; null: all. */
  const int64_t* wanted_tokens;
  int64_t wanted_count;

  /* Factors of q, k, v: the attention is that of q_scale * q, k_scale * k and v_scale * v, one
   * positive, finite factor for each (batch element, head). [batch, heads] for q, [batch, kv_heads]
   * for k and v, dense, where the tensors are (`memory`); null: 1. Meant for fp8; a kernel that
   * takes none of a type refuses a problem that has them. */
  const float* q_scale;
  const float* k_scale;
  const float* v_scale;
} lvsa_problem;

/* Size of an lvsa_problem of callers that do not know q_scale and what follows; the least that a
 * kernel takes. Fields past struct_size count as zero. */
#define LVSA_PROBLEM_LEAST_SIZE offsetof(lvsa_problem, q_scale)
/* Whether the caller knows the scales, and gave one. */
#define LVSA_PROBLEM_HAS_SCALES(p)             \
  ((p)->struct_size >= sizeof(lvsa_problem) && \
   ((p)->q_scale != NULL || (p)->k_scale != NULL || (p)->v_scale != NULL))

/* What a kernel can do; a problem outside this is not offered to it. */
typedef struct lvsa_capabilities {
  size_t struct_size;
  uint32_t dtypes;   /* LVSA_DTYPE_BIT of each input type */
  uint32_t p_dtypes; /* types that P can be rounded to when asked */
  lvsa_memory memory;
  int64_t head_dim_min; /* head_dim in [min, max], a multiple of head_dim_multiple */
  int64_t head_dim_max;
  int64_t head_dim_multiple;
  int32_t grouped_heads; /* heads != kv_heads */
  int32_t text;          /* text_tokens > 0 */
  int32_t batch;         /* batch > 1 */
  int32_t any_strides;   /* element stride != 1, or rows that overlap other layouts */
  int32_t lse;           /* writes the log-sum-exp when asked */
} lvsa_capabilities;

/* In which order a row's tiles are worked off. The keys of a row are those of its attended frames
 * in ascending order and the text behind; how that sequence is cut into tiles, key_tile and
 * tiles_cross_frames say. */
typedef enum lvsa_key_order {
  LVSA_KEY_ORDER_UNKNOWN = 0,
  LVSA_KEYS_ASCENDING = 1,  /* first tile first: frames, then text */
  LVSA_KEYS_TEXT_FIRST = 2, /* the text's tiles, then the frames' */
  LVSA_KEYS_DESCENDING = 3  /* last tile first */
} lvsa_key_order;

/* The maximum that is subtracted from a tile's scores, so that P = exp(score - maximum). */
typedef enum lvsa_max_rule {
  LVSA_MAX_UNKNOWN = 0,
  LVSA_MAX_RUNNING = 1, /* of all scores of the row (and split) up to this tile, itself included */
  LVSA_MAX_FINAL = 2    /* of all scores of the row (and split): found in a pass of its own */
} lvsa_max_rule;

typedef enum lvsa_p_rounding { LVSA_P_NEAREST_EVEN = 0, LVSA_P_TOWARD_ZERO = 1 } lvsa_p_rounding;

/* Which tiles of a row, counted in their order of work, a split takes. */
typedef enum lvsa_split_rule {
  LVSA_SPLIT_UNKNOWN = 0,
  LVSA_SPLIT_RUNS = 1,       /* split i: the tiles i * split_tiles .. (i + 1) * split_tiles - 1 */
  LVSA_SPLIT_ROUND_ROBIN = 2 /* split i: the tiles i, i + split_keys, i + 2 * split_keys, ... */
} lvsa_split_rule;

/* What a kernel says of its own arithmetic. The bounds of the verdict are computed from it; leave a
 * field 0 when unknown, and the worst case is assumed (tier A of docs/bounds.md).
 *
 * A kernel that fills in key_tile, p_dtype, key_order and max_rule (and split_rule, when it splits)
 * declares its schedule: besides tier A it is then held against a replay of that schedule in fp64
 * with P rounded as declared (tier B, some ten to a hundred times tighter), and fails where it does
 * not compute what it declares. So declare what is true for this problem, or leave key_order 0. The
 * replay takes for granted that one row's outputs and its sum are rescaled by the same factors.
 *
 * A kernel built against an older version of this header knows fewer fields; the caller has set
 * those that it does not write to 0. Fields are only ever appended. */
typedef struct lvsa_numerics {
  size_t struct_size; /* sizeof(lvsa_numerics) of the caller; of the kernel on return */
  int64_t key_tile;   /* keys a tile; 0 unknown */
  /* 0: each frame and the text are cut into tiles of their own, the last one shorter; 1: the row's
   * keys are cut as one sequence, so a tile may hold keys of two frames, or of frame and text; 2:
   * the frames' keys as one sequence, the text by itself. */
  int32_t tiles_cross_frames;
  lvsa_dtype p_dtype;          /* type P is rounded to before P.V */
  int32_t sum_rounded_p;       /* 1: the denominator sums the rounded P */
  int32_t normalise_first;     /* 1: P is divided by the sum before P.V (needs LVSA_MAX_FINAL) */
  lvsa_dtype accumulator;      /* type of the accumulators */
  double accumulator_roundoff; /* unit roundoff of one accumulation; 0 means that of its type */
  double exp_ulps;             /* error of the exponential in units of 2^-24; 0 unknown */
  int32_t split_keys; /* partial results merged by log-sum-exp: number of splits, 0 or 1 none */

  /* The schedule. */
  int32_t key_order;  /* lvsa_key_order */
  int32_t max_rule;   /* lvsa_max_rule */
  int32_t p_rounding; /* lvsa_p_rounding */
  /* P is multiplied by 2^p_scale_log2 before it is rounded, as fp8 kernels do, and what it gives
   * divided by that at the end. */
  int32_t p_scale_log2;
  /* 1: a tile that leaves the maximum as it was leaves earlier sums bit for bit as they were (their
   * factor is exactly 1, as exp2(0) gives). 0: each tile may cost a factor off 1 by 2^-24 times the
   * maximum, as exp2(fma(max, scale, -shift)) with a rounded shift does; it adds up over tiles. */
  int32_t rescale_exact;
  /* Neighbouring elements of the head dimension that enter the accumulator of q.k in one step,
   * steps in ascending order: 1 one by one, 16 for a matrix instruction of depth 16 (its smaller
   * part, where it works in parts); 0 unknown, any order. The scale is applied to the finished sum,
   * or to an operand without rounding it to less than fp32. The smaller the error of the scores is
   * known to be, the fewer roundings of P are in doubt. */
  int32_t score_step;
  int32_t split_rule;       /* lvsa_split_rule */
  int64_t split_tiles;      /* with LVSA_SPLIT_RUNS */
  lvsa_dtype partial_dtype; /* type that normalised partial outputs are kept in; none: fp32 */
  /* Neighbouring keys of a tile that are summed among themselves before they join the running sums
   * of P.V and of P: key_tile where a tile's sums start at zero and join at its end, 1 where
   * accumulators are carried from tile to tile and each addend may be rounded or cut off; 0
   * unknown, which counts as 1. Where the two sums differ, the smaller number. */
  int32_t sum_step;
} lvsa_numerics;

typedef struct lvsa_kernel {
  uint32_t abi_version; /* LVSA_KERNEL_ABI_VERSION */
  size_t struct_size;   /* sizeof(struct lvsa_kernel) */
  const char* name;     /* letters, digits, '-', '_' */
  const char* description;
  lvsa_capabilities capabilities;

  /* Numerics for this problem. May be null: nothing is known. */
  lvsa_status (*numerics)(const lvsa_problem* problem, lvsa_numerics* numerics);
  /* Bytes of workspace that run() needs for this problem. May be null: none. */
  lvsa_status (*workspace)(const lvsa_problem* problem, size_t* bytes);
  /* Computes out (and lse). `stream` is a cudaStream_t for device memory, null otherwise; work may
   * be queued on it and the call return at once. On failure writes one line to message, at most
   * message_size bytes with the ending zero, and leaves nothing running. */
  lvsa_status (*run)(const lvsa_problem* problem, void* workspace, size_t workspace_bytes,
                     void* stream, char* message, size_t message_size);
} lvsa_kernel;

/* The entry point of a shared library: returns an array of *count kernels. `abi_version` is what
 * the caller speaks; a library that cannot speak it returns null. */
typedef const lvsa_kernel* (*lvsa_kernels_fn)(uint32_t abi_version, uint32_t* count);

#ifdef __cplusplus
}
#endif

#endif /* LVSA_KERNEL_H */
