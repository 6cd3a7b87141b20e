/* Kernels of somebody else, sound and unsound, behind the C interface: what lvsa-verify says of
 * them is compared with what kernels.def says they are. One plugin, one kernel an entry.
 *
 *     cc -O3 -mavx2 -mfma -fopenmp -shared -fPIC -I PATH_TO_LVSA strangers.c -o strangers.so -lm
 *
 * Slow and plain on purpose. Nothing here is used by the toolkit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel/lvsa_kernel.h"

typedef enum kind {
#define HEALTHY(name, text) K_##name,
#define DEFECT(name, text) K_##name,
#include "kernels.def"
#undef HEALTHY
#undef DEFECT
  K_count
} kind;

/* ---- element types */

static float bf16_value(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

static uint16_t bf16_bits(float value, int cut) {
  uint32_t wide;
  memcpy(&wide, &value, sizeof wide);
  if (value != value) return 0x7fc0;
  if (!cut) wide += 0x7fff + ((wide >> 16) & 1);
  return (uint16_t)(wide >> 16);
}

static float fp16_value(uint16_t bits) {
  _Float16 half;
  memcpy(&half, &bits, sizeof half);
  return (float)half;
}

static uint16_t fp16_bits(float value, int cut) {
  _Float16 half = (_Float16)value;
  uint16_t bits;
  memcpy(&bits, &half, sizeof bits);
  if (cut && fabsf((float)half) > fabsf(value)) --bits;
  return bits;
}

static float rounded(lvsa_dtype dtype, float value) {
  if (dtype == LVSA_BF16) return bf16_value(bf16_bits(value, 0));
  if (dtype == LVSA_F16) return fp16_value(fp16_bits(value, 0));
  return value;
}

static float load(const void* data, lvsa_dtype dtype, int64_t at) {
  if (dtype == LVSA_F32) return ((const float*)data)[at];
  const uint16_t bits = ((const uint16_t*)data)[at];
  return dtype == LVSA_BF16 ? bf16_value(bits) : fp16_value(bits);
}

static void store(void* data, lvsa_dtype dtype, int64_t at, float value, int cut) {
  if (dtype == LVSA_F32) {
    ((float*)data)[at] = value;
  } else {
    ((uint16_t*)data)[at] = dtype == LVSA_BF16 ? bf16_bits(value, cut) : fp16_bits(value, cut);
  }
}

/* ---- one call */

typedef struct call {
  const lvsa_problem* p;
  kind id;
  int64_t tokens; /* S */
  int64_t tile;   /* keys */
  float* k;       /* [B, Hkv, S, D], converted */
  float* v;
  const int64_t* offsets; /* the lists that are used */
  const int32_t* list;
} call;

typedef struct item {
  int64_t token;
  int count; /* how often the key counts; 0: weight 0 */
  int starts_tile;
} item;

static int64_t at4(const lvsa_tensor* t, int64_t b, int64_t s, int64_t h) {
  return b * t->strides[0] + s * t->strides[1] + h * t->strides[2];
}

static void add_run(const call* c, item* items, int64_t* n, int64_t first, int64_t count,
                    int times) {
  for (int64_t i = 0; i < count; ++i) {
    items[*n] = (item){first + i, times, i % c->tile == 0};
    ++*n;
  }
}

/* Frames that a query frame attends, with what is wrong about it. Returns their number. */
static int64_t frames_of(const call* c, int64_t frame, int64_t row, int32_t* frames) {
  const lvsa_problem* p = c->p;
  int64_t from = frame;
  if (c->id == K_tail_rows_previous_list && frame > 0 && row >= p->patches_per_frame / 64 * 64) {
    from = frame - 1;
  }
  if (c->id == K_first_row_previous_list && frame > 0 && row == 0) from = frame - 1;
  int64_t n = 0;
  if (c->id == K_from_csr) {
    for (int32_t i = p->block_csr.indptr[from]; i < p->block_csr.indptr[from + 1]; ++i) {
      frames[n++] = p->block_csr.indices[i];
    }
    return n;
  }
  for (int64_t i = c->offsets[from]; i < c->offsets[from + 1]; ++i) {
    if (c->id == K_causal_frames && c->list[i] > frame) continue;
    frames[n++] = c->list[i];
  }
  if (c->id == K_list_cap_16 && n > 16) n = 16;
  if (c->id == K_drops_last_of_odd && n > 4 && n % 2 == 1) --n;
  if (c->id == K_bitmask_64) {
    uint64_t bits = 0;
    for (int64_t i = 0; i < n; ++i) bits |= 1ull << (frames[i] & 63);
    n = 0;
    for (int32_t f = 0; f < p->frames; ++f) {
      if (bits >> (f & 63) & 1) frames[n++] = f;
    }
  }
  return n;
}

/* The keys of a query in the order in which they are taken. */
static int64_t keys_of(const call* c, int64_t token, item* items, int32_t* frames) {
  const lvsa_problem* p = c->p;
  const int64_t patches = p->patches_per_frame, video = p->frames * patches;
  int64_t n = 0;
  int64_t text = p->text_tokens;
  if (c->id == K_text_uint8) text &= 0xff;
  if (token >= video) {
    const int64_t all = c->id == K_text_queries_video_only ? video : c->tokens;
    add_run(c, items, &n, 0, all, 1);
    return n;
  }
  const int64_t frame = token / patches, row = token % patches;
  int64_t count = frames_of(c, frame, row, frames);
  if (c->id == K_descending) add_run(c, items, &n, video, text, 1);
  for (int64_t i = 0; i < count; ++i) {
    const int32_t f = frames[c->id == K_descending ? count - 1 - i : i];
    int64_t keys = patches;
    if (c->id == K_tiles_4_bits) {
      const int64_t tiles = (patches + 63) / 64;
      if (tiles > 15) keys = (tiles & 15) * 64 < patches ? (tiles & 15) * 64 : patches;
    }
    if (c->id == K_last_key_of_full_tiles && patches % 64 == 0) --keys;
    int64_t first = (int64_t)f * patches;
    const int64_t start = n;
    add_run(c, items, &n, first, keys, 1);
    if (c->id == K_last_tile_twice && f == p->frames - 1) {
      for (int64_t j = (patches - 1) / 64 * 64; j < patches; ++j) items[start + j].count = 2;
    }
    if (c->id == K_first_frame_twice && f == 0 && frame >= 1 && frame <= 3) {
      for (int64_t j = start; j < n; ++j) items[j].count = 2;
    }
    if (c->id == K_causal_in_frame && f == frame) n = start + row + 1;
    if (c->id == K_tail_times_zero) {
      for (int64_t j = first + patches; j < c->tokens && j % 64 != 0; ++j) {
        items[n++] = (item){j, 0, 0};
      }
    }
  }
  if (c->id == K_masked_times_zero) {
    for (int64_t f = 0, i = 0; f < p->frames; ++f) {
      if (i < count && frames[i] == f) {
        ++i;
      } else {
        add_run(c, items, &n, f * patches, patches, 0);
      }
    }
  }
  if (c->id != K_descending) {
    const int twice = c->id == K_text_twice_last_frame && frame == p->frames - 1;
    add_run(c, items, &n, video, text, twice ? 2 : 1);
  }
  for (int64_t j = 0; j < n; ++j) {
    if (c->id == K_token_int16) items[j].token &= 0x7fff;
    if (c->id == K_diagonal_bonus && items[j].token == token) items[j].count = 2;
  }
  return n;
}

typedef struct state {
  float max, sum;
  float* acc;
} state;

static float exponential(const call* c, float x) {
  if (c->id == K_exp_poor) {
    const float value = expf(x);
    return value * (1.0f + 0x1p-8f * sinf(37.0f * x));
  }
  return expf(x);
}

/* One tile of n keys; scores are given. */
static void take_tile(const call* c, state* s, const item* items, const float* scores, int64_t n,
                      const float* values, float* part) {
  const lvsa_problem* p = c->p;
  const int64_t dim = p->head_dim;
  float max = s->max;
  for (int64_t j = 0; j < n; ++j) {
    if (items[j].count > 0 && scores[j] > max) max = scores[j];
  }
  if (c->id == K_max_with_zero && n % 64 != 0 && max < 0) max = 0;
  if (c->id == K_no_max) max = 0;
  if (max == -INFINITY) return;
  if (c->id == K_skips_tiles && s->max > -INFINITY) {
    float best = -INFINITY;
    for (int64_t j = 0; j < n; ++j) best = scores[j] > best ? scores[j] : best;
    if (best < s->max - 8) return;
  }
  const float rescale = s->max == -INFINITY ? 0.0f : exponential(c, s->max - max);
  const lvsa_dtype p_dtype = c->id == K_two_pass || c->id == K_online_176 ? LVSA_F32 : p->dtype;
  float sum = 0;
  for (int64_t d = 0; d < dim; ++d) part[d] = 0;
  for (int64_t j = 0; j < n; ++j) {
    float w = exponential(c, scores[j] - max);
    if (c->id == K_skips_small_p && w < 1e-3f) w = 0;
    const float narrow = rounded(p_dtype, w);
    w *= (float)items[j].count;
    sum += c->id == K_sums_rounded_p ? narrow * (float)items[j].count : w;
    if (c->id == K_sum_bf16) sum = rounded(LVSA_BF16, sum);
    if (c->id == K_sum_fp16) sum = rounded(LVSA_F16, sum);
    const float weight = narrow * (float)items[j].count;
    int64_t from = items[j].token;
    if (c->id == K_value_row_shift && items[0].token / 64 % 2 == 1 && j + 1 < n) {
      from = items[j + 1].token;
    }
    const float* v = values + from * dim;
    if (items[j].count == 0 && c->id != K_masked_times_zero && c->id != K_tail_times_zero) continue;
    for (int64_t d = 0; d < dim; ++d) part[d] += weight * v[d];
  }
  s->sum = s->sum * rescale + sum;
  for (int64_t d = 0; d < dim; ++d) s->acc[d] = s->acc[d] * rescale + part[d];
  s->max = max;
}

static void take_all(const call* c, state* s, const item* items, const float* scores, int64_t n,
                     const float* values, float* part) {
  s->max = -INFINITY;
  s->sum = 0;
  for (int64_t d = 0; d < c->p->head_dim; ++d) s->acc[d] = 0;
  for (int64_t first = 0; first < n;) {
    int64_t end = first + 1;
    const int whole = c->id == K_two_pass;
    while (end < n && (whole || (!items[end].starts_tile && end - first < c->tile))) ++end;
    take_tile(c, s, items + first, scores + first, end - first, values, part);
    first = end;
  }
}

typedef struct scratch {
  item* items;
  float* scores;
  int32_t* frames;
  float *q, *acc, *other, *part;
} scratch;

static void scores_of(const call* c, const scratch* w, int64_t n, const float* keys) {
  const lvsa_problem* p = c->p;
  const int64_t dim = p->head_dim;
  int64_t used = dim;
  if (c->id == K_dims_past_128 && dim > 128) used = 128;
  if (c->id == K_dims_tail_64 && dim > 64) used = dim / 64 * 64;
  double scale = p->scale;
  if (c->id == K_scale_power_of_two) {
    int64_t two = 1;
    while (two < dim) two *= 2;
    scale = 1.0 / sqrt((double)two);
  }
  if (c->id == K_query_scaled_in_place) scale = 1;
  if (c->id == K_scaled_query) {
    for (int64_t d = 0; d < dim; ++d) w->q[d] *= (float)scale;
    scale = 1;
  }
  for (int64_t j = 0; j < n; ++j) {
    const float* k = keys + w->items[j].token * dim;
    float dot = 0;
    for (int64_t d = 0; d < used; ++d) dot += w->q[d] * k[d];
    float score = dot * (float)scale;
    if (c->id == K_scores_bf16) score = rounded(LVSA_BF16, score);
    if (c->id == K_scores_fp16) score = rounded(LVSA_F16, score);
    if (c->id == K_clamp_60 && score > 60) score = 60;
    w->scores[j] = score;
  }
}

static void put_lse(const call* c, int64_t b, int64_t token, int64_t head, float lse) {
  const lvsa_problem* p = c->p;
  if (p->lse == NULL) return;
  if (c->id == K_lse_fp16) lse = rounded(LVSA_F16, lse);
  int64_t at = b * p->lse_strides[0] + token * p->lse_strides[1] + head * p->lse_strides[2];
  if (c->id == K_lse_strides) at = (b * p->heads + head) * c->tokens + token;
  p->lse[at] = lse;
  if (c->id == K_lse_per_head_0 && head == 0) {
    for (int64_t h = 1; h < p->heads; ++h) p->lse[at + h * p->lse_strides[2]] = lse;
  }
}

static double lse_of(const call* c, const scratch* w, int64_t n, const state* s) {
  if (c->id == K_lse_without_text) {
    const int64_t video = c->p->frames * c->p->patches_per_frame;
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) {
      if (w->items[j].token < video) sum += exp((double)w->scores[j] - s->max);
    }
    if (sum > 0) return s->max + log(sum);
  }
  return s->max + log(s->sum);
}

static void finish(const call* c, const scratch* w, int64_t n, const state* s, int64_t b,
                   int64_t token, int64_t head) {
  const lvsa_problem* p = c->p;
  int64_t to = token;
  const int64_t row = token % p->patches_per_frame;
  if (c->id == K_rows_swapped && token < p->frames * p->patches_per_frame) {
    if (row == 62 && p->patches_per_frame > 63) to = token + 1;
    if (row == 63) to = token - 1;
  }
  const int64_t at = at4(&p->out, b, to, head);
  const int empty = s->max == -INFINITY;
  float sum = s->sum + (c->id == K_epsilon ? 1e-2f : 0.0f);
  int64_t columns = p->head_dim;
  if (c->id == K_columns_padded && p->out.strides[3] == 1) columns = (columns + 15) / 16 * 16;
  for (int64_t d = 0; d < columns; ++d) {
    float value = d < p->head_dim ? s->acc[d] / sum : 0.0f;
    if (empty && c->id != K_empty_nan) value = 0;
    if (c->id == K_one_frame_zero && p->frames == 1) value = 0;
    store(p->out.data, p->out_dtype, at + d * p->out.strides[3], value, c->id == K_truncates);
  }
  if (c->id == K_lse_per_head_0 && head != 0) return;
  put_lse(c, b, to, head,
          empty ? (c->id == K_lse_empty_finite ? -1e30f : -INFINITY) : (float)lse_of(c, w, n, s));
}

/* Two halves of the keys, merged. */
static void take_halves(const call* c, const scratch* w, int64_t n, const float* values, state* s) {
  state other = {0, 0, w->other};
  const int64_t half = n / 2;
  take_all(c, s, w->items, w->scores, half, values, w->part);
  const int64_t from = c->id == K_split_overlap && half > 0 ? half - 1 : half;
  take_all(c, &other, w->items + from, w->scores + from, n - from, values, w->part);
  const float max = s->max > other.max ? s->max : other.max;
  if (max == -INFINITY) return;
  const float a = expf(s->max - max), b = expf(other.max - max);
  for (int64_t d = 0; d < c->p->head_dim; ++d) s->acc[d] = a * s->acc[d] + b * other.acc[d];
  s->sum = a * s->sum + b * other.sum;
  s->max = max;
}

static void whole_row_double(const call* c, const scratch* w, int64_t n, const float* values,
                             state* s) {
  double max = -INFINITY, sum = 0;
  for (int64_t j = 0; j < n; ++j) max = w->scores[j] > max ? w->scores[j] : max;
  s->max = (float)max;
  s->sum = 0;
  for (int64_t d = 0; d < c->p->head_dim; ++d) s->acc[d] = 0;
  if (max == -INFINITY) return;
  for (int64_t j = 0; j < n; ++j) sum += exp(w->scores[j] - max);
  for (int64_t d = 0; d < c->p->head_dim; ++d) {
    double value = 0;
    for (int64_t j = 0; j < n; ++j) {
      value += exp(w->scores[j] - max) * values[w->items[j].token * c->p->head_dim + d];
    }
    s->acc[d] = (float)value;
  }
  s->sum = (float)sum;
}

static void normalised_first(const call* c, const scratch* w, int64_t n, const float* values,
                             state* s) {
  const lvsa_problem* p = c->p;
  float max = -INFINITY, sum = 0;
  for (int64_t j = 0; j < n; ++j) max = w->scores[j] > max ? w->scores[j] : max;
  s->max = max;
  s->sum = 0;
  for (int64_t d = 0; d < p->head_dim; ++d) s->acc[d] = 0;
  if (max == -INFINITY) return;
  for (int64_t j = 0; j < n; ++j) sum += expf(w->scores[j] - max);
  for (int64_t j = 0; j < n; ++j) {
    const float weight = rounded(p->dtype, expf(w->scores[j] - max) / sum);
    for (int64_t d = 0; d < p->head_dim; ++d) {
      s->acc[d] += weight * values[w->items[j].token * p->head_dim + d];
    }
  }
  for (int64_t d = 0; d < p->head_dim; ++d) s->acc[d] *= sum;
  s->sum = sum;
}

static void attend(const call* c, const scratch* w, int64_t b, int64_t token, int64_t head) {
  const lvsa_problem* p = c->p;
  const int64_t dim = p->head_dim, group = p->heads / p->kv_heads;
  const int64_t kv = head / group;
  const int64_t q_head = c->id == K_heads_past_3 && head > 3 ? 3 : head;
  const int64_t kb = c->id == K_batch_past_1 && b > 1 ? 1 : b;
  const int64_t vh = c->id == K_group_last_head && group > 1 && head % group == group - 1
                         ? (kv + 1) % p->kv_heads
                         : kv;
  const int64_t q = at4(&p->q, b, token, q_head);
  for (int64_t d = 0; d < dim; ++d) w->q[d] = load(p->q.data, p->dtype, q + d * p->q.strides[3]);
  const float* keys = c->k + (kb * p->kv_heads + kv) * c->tokens * dim;
  const float* values = c->v + (kb * p->kv_heads + vh) * c->tokens * dim;
  const int64_t n = keys_of(c, token, w->items, w->frames);
  scores_of(c, w, n, keys);
  state s = {0, 0, w->acc};
  if (c->id == K_two_splits || c->id == K_split_overlap) {
    take_halves(c, w, n, values, &s);
  } else if (c->id == K_two_pass_double) {
    whole_row_double(c, w, n, values, &s);
  } else if (c->id == K_normalise_first) {
    normalised_first(c, w, n, values, &s);
  } else {
    take_all(c, &s, w->items, w->scores, n, values, w->part);
  }
  finish(c, w, n, &s, b, token, head);
}

static float* converted(const lvsa_problem* p, const lvsa_tensor* t, int64_t tokens, int plain) {
  const int64_t dim = p->head_dim;
  float* made = malloc((size_t)(p->batch * p->kv_heads * tokens * dim + 1) * sizeof *made);
  if (made == NULL) return NULL;
#pragma omp parallel for collapse(2)
  for (int64_t b = 0; b < p->batch; ++b) {
    for (int64_t s = 0; s < tokens; ++s) {
      for (int64_t h = 0; h < p->kv_heads; ++h) {
        const int64_t at = plain ? ((b * tokens + s) * p->kv_heads + h) * dim : at4(t, b, s, h);
        for (int64_t d = 0; d < dim; ++d) {
          made[((b * p->kv_heads + h) * tokens + s) * dim + d] =
              load(t->data, p->dtype, at + d * (plain ? 1 : t->strides[3]));
        }
      }
    }
  }
  return made;
}

/* ---- what some kernels keep between calls */

static struct {
  const void* data;
  int64_t size;
  float *k, *v;
} kept_keys;
static struct {
  const void* address;
  int64_t frames, patches, total;
  int64_t* offsets;
  int32_t* list;
} kept_lists;

static void keep_lists(call* c) {
  const lvsa_problem* p = c->p;
  const int64_t total = p->frame_lists.offsets[p->frames];
  const int by_address = c->id == K_lists_cached_by_address;
  const int same = kept_lists.frames == p->frames && kept_lists.patches == p->patches_per_frame &&
                   kept_lists.total == total &&
                   (!by_address || kept_lists.address == p->frame_lists.list);
  if (!same) {
    const size_t offsets = (size_t)(p->frames + 1) * sizeof(int64_t);
    const size_t list = (size_t)(total + 1) * sizeof(int32_t);
    kept_lists.offsets = malloc(offsets); /* the old ones leak: this is a test */
    kept_lists.list = malloc(list);
    memcpy(kept_lists.offsets, p->frame_lists.offsets, offsets);
    memcpy(kept_lists.list, p->frame_lists.list, list - sizeof(int32_t));
    kept_lists.address = p->frame_lists.list;
    kept_lists.frames = p->frames;
    kept_lists.patches = p->patches_per_frame;
    kept_lists.total = total;
  }
  c->offsets = kept_lists.offsets;
  c->list = kept_lists.list;
}

static void scale_query(const lvsa_problem* p, int64_t tokens, float factor) {
  for (int64_t b = 0; b < p->batch; ++b) {
    for (int64_t s = 0; s < tokens; ++s) {
      for (int64_t h = 0; h < p->heads; ++h) {
        const int64_t at = at4(&p->q, b, s, h);
        for (int64_t d = 0; d < p->head_dim; ++d) {
          const int64_t e = at + d * p->q.strides[3];
          store(p->q.data, p->dtype, e, load(p->q.data, p->dtype, e) * factor, 0);
        }
      }
    }
  }
}

static int wanted_rows(const call* c, const int64_t** rows, int64_t* count) {
  const lvsa_problem* p = c->p;
  if (p->wanted_tokens == NULL || c->id == K_ignores_hint) return 0;
  *rows = p->wanted_tokens;
  *count = p->wanted_count;
  if (c->id == K_last_wanted_left_out) --*count;
  return 1;
}

static void attend_rows(const call* c) {
  const lvsa_problem* p = c->p;
  const int64_t* rows = NULL;
  int64_t count = c->tokens;
  const int hinted = wanted_rows(c, &rows, &count);
#pragma omp parallel
  {
    const size_t room = (size_t)(3 * c->tokens + 64 * p->frames + 64);
    const size_t dim = (size_t)p->head_dim;
    scratch w = {malloc(room * sizeof(item)),
                 malloc(room * sizeof(float)),
                 malloc((size_t)p->frames * sizeof(int32_t)),
                 malloc(dim * 4),
                 malloc(dim * 4),
                 malloc(dim * 4),
                 malloc(dim * 4)};
#pragma omp for schedule(dynamic, 8)
    for (int64_t i = 0; i < count; ++i) {
      const int64_t token = hinted && c->id != K_wanted_as_rows ? rows[i] : i;
      for (int64_t b = 0; b < p->batch; ++b) {
        for (int64_t h = 0; h < p->heads; ++h) attend(c, &w, b, token, h);
      }
    }
    free(w.items), free(w.scores), free(w.frames);
    free(w.q), free(w.acc), free(w.other), free(w.part);
  }
}

static lvsa_status run_as(kind id, const lvsa_problem* p, void* workspace, size_t bytes,
                          char* message, size_t message_size) {
  call c = {p,
            id,
            p->frames * p->patches_per_frame + p->text_tokens,
            64,
            NULL,
            NULL,
            p->frame_lists.offsets,
            p->frame_lists.list};
  if (id == K_online_176) c.tile = 176;
  if (id == K_lists_cached_by_counts || id == K_lists_cached_by_address) keep_lists(&c);
  if (id == K_query_scaled_in_place) scale_query(p, c.tokens, (float)p->scale);
  const int64_t size = p->batch * p->kv_heads * c.tokens * p->head_dim;
  const int cached = id == K_keys_cached && kept_keys.data == p->k.data && kept_keys.size == size;
  c.k = cached ? kept_keys.k : converted(p, &p->k, c.tokens, id == K_key_strides);
  c.v = cached ? kept_keys.v : converted(p, &p->v, c.tokens, 0);
  if (c.k == NULL || c.v == NULL) {
    snprintf(message, message_size, "no memory");
    return LVSA_OUT_OF_MEMORY;
  }
  attend_rows(&c);
  if (id == K_workspace_dirty && bytes >= 4) {
    float* seen = workspace;
    for (int64_t i = 0; i < p->head_dim; ++i) {
      const int64_t at = at4(&p->out, 0, 0, 0) + i * p->out.strides[3];
      store(p->out.data, p->out_dtype, at, load(p->out.data, p->out_dtype, at) + seen[0], 0);
    }
    seen[0] = 1.0f;
  }
  if (id == K_workspace_overrun) memset((char*)workspace + bytes, 0x5a, 64);
  if (id == K_query_scaled_in_place) scale_query(p, c.tokens, (float)(1.0 / p->scale));
  if (id == K_keys_cached) {
    kept_keys.data = p->k.data;
    kept_keys.size = size;
    kept_keys.k = c.k;
    kept_keys.v = c.v;
  } else {
    free(c.k), free(c.v);
  }
  return LVSA_OK;
}

static lvsa_status workspace_as(kind id, const lvsa_problem* p, size_t* bytes) {
  (void)id;
  (void)p;
  *bytes = 256;
  return LVSA_OK;
}

static lvsa_status numerics_of(kind id, const lvsa_problem* p, lvsa_numerics* n) {
  if (id == K_two_pass || id == K_two_pass_double || id == K_from_csr) return LVSA_FAILED;
  n->key_tile = id == K_online_176 ? 176 : 64;
  n->p_dtype = id == K_online_176 ? LVSA_F32 : p->dtype;
  n->accumulator = LVSA_F32;
  n->sum_rounded_p = id == K_sums_rounded_p;
  n->normalise_first = id == K_normalise_first;
  n->split_keys = id == K_two_splits ? 2 : 0;
  if (id == K_normalise_first) n->key_tile = p->frames * p->patches_per_frame + p->text_tokens;
  if (id == K_normalise_first) n->tiles_cross_frames = 1;
  return LVSA_OK;
}

#define KERNEL_LIST "kernels.def"
#define KERNEL_DTYPES \
  (LVSA_DTYPE_BIT(LVSA_F32) | LVSA_DTYPE_BIT(LVSA_F16) | LVSA_DTYPE_BIT(LVSA_BF16))
#define KERNEL_NUMERICS numerics_of
#include "kernel_table.inc"
