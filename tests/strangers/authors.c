/* More kernels of somebody else: mistakes of the kind that authors make and tests pass over, and
 * sound ones that work in unusual ways. authors.def says which is which. Plugins as strangers.c.
 *
 *     cc -O3 -mavx2 -mfma -fopenmp -shared -fPIC -I PATH_TO_LVSA authors.c -o authors.so -lm
 *
 * Nothing is declared of the arithmetic, so the widest bounds count. Slow and plain on purpose.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel/lvsa_kernel.h"

typedef enum kind {
#define HEALTHY(name, text) K_##name,
#define DEFECT(name, text) K_##name,
#include "authors.def"
#undef HEALTHY
#undef DEFECT
  K_count
} kind;

typedef struct call {
  const lvsa_problem* p;
  kind id;
  int64_t number; /* of this process, from 1 */
  int again;      /* the sizes are those of the call before */
  int64_t tokens, video;
  float *k, *v; /* [B, Hkv, S, D], converted */
  const int64_t* offsets;
  const int32_t* list;
} call;

typedef struct row {
  int64_t b, token, head, n;
  int64_t* keys;
  int32_t* frames;
  float *scores, *q, *acc, *part;
  float max;
  double sum; /* the sums of fp32 kernels are rounded as they go */
} row;

#define IS(name) (c->id == K_##name)

/* ---- element types */

static float bf16_value(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

static uint16_t bf16_bits(float value) {
  uint32_t wide;
  memcpy(&wide, &value, sizeof wide);
  if (value != value) return 0x7fc0;
  return (uint16_t)((wide + 0x7fff + ((wide >> 16) & 1)) >> 16);
}

static float e4m3_value(uint8_t bits, int flushes) {
  const int exponent = bits >> 3 & 15, mantissa = bits & 7;
  if ((bits & 0x7f) == 0x7f) return NAN;
  float value =
      exponent ? ldexpf(1.0f + (float)mantissa / 8, exponent - 7) : ldexpf((float)mantissa / 8, -6);
  if (exponent == 0 && flushes) value = 0;
  return bits & 0x80 ? -value : value;
}

static float load(const call* c, const void* data, int64_t at) {
  _Float16 half;
  switch (c->p->dtype) {
    case LVSA_F32:
      return ((const float*)data)[at];
    case LVSA_BF16:
      return bf16_value(((const uint16_t*)data)[at]);
    case LVSA_F16:
      memcpy(&half, (const uint16_t*)data + at, sizeof half);
      return (float)half;
    default:
      return e4m3_value(((const uint8_t*)data)[at], IS(fp8_subnormal));
  }
}

static float rounded(lvsa_dtype dtype, float value) {
  if (dtype == LVSA_BF16) return bf16_value(bf16_bits(value));
  if (dtype == LVSA_F16) return (float)(_Float16)value;
  return value;
}

static float cut_10(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits &= 0xffffe000u;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

static void store(const call* c, int64_t at, float value) {
  void* data = c->p->out.data;
  if (c->p->out_dtype == LVSA_F32) {
    if (IS(out_times_zero)) value += 0 * ((float*)data)[at];
    ((float*)data)[at] = value;
    return;
  }
  uint16_t* bits = (uint16_t*)data + at;
  _Float16 half;
  memcpy(&half, bits, sizeof half);
  const int bf16 = c->p->out_dtype == LVSA_BF16;
  if (IS(out_times_zero)) value += 0 * (bf16 ? bf16_value(*bits) : (float)half);
  half = (_Float16)value;
  memcpy(bits, &half, sizeof half);
  if (bf16) *bits = bf16_bits(value);
}

static int64_t element(const int64_t* strides, int64_t b, int64_t s, int64_t h, int64_t d) {
  return b * strides[0] + s * strides[1] + h * strides[2] + d * strides[3];
}

static float factor(const call* c, const float* scales, int64_t heads, int64_t b, int64_t h) {
  if (c->p->dtype != LVSA_E4M3 || !LVSA_PROBLEM_HAS_SCALES(c->p) || scales == NULL) return 1;
  return scales[b * heads + h];
}

/* ---- keys and values as fp32 */

static float* converted(const call* c, int is_key) {
  const lvsa_problem* p = c->p;
  const lvsa_tensor* t = is_key ? &p->k : &p->v;
  const int64_t* strides = t->strides;
  if (IS(v_by_k_strides)) strides = p->k.strides;
  if (IS(k_by_q_strides) && is_key && p->heads == p->kv_heads) strides = p->q.strides;
  const char* data = t->data;
  if (IS(base_align_64) && is_key) data -= (uintptr_t)data % 64;
  const int64_t dim = p->head_dim, width = p->dtype == LVSA_F32 ? 4 : p->dtype == LVSA_E4M3 ? 1 : 2;
  float* made = malloc((size_t)(p->batch * p->kv_heads * c->tokens * dim + 1) * sizeof *made);
  if (made == NULL) return NULL;
#pragma omp parallel for collapse(2)
  for (int64_t b = 0; b < p->batch; ++b) {
    for (int64_t s = 0; s < c->tokens; ++s) {
      for (int64_t h = 0; h < p->kv_heads; ++h) {
        for (int64_t d = 0; d < dim; ++d) {
          int64_t at = element(strides, b, s, h, d);
          if (IS(element_stride)) at = element(strides, b, s, h, 0) + d;
          if (IS(offsets_int32) && is_key) at = (int32_t)at;
          if (IS(bytes_uint32) && !is_key) at = (int64_t)((uint32_t)(at * width) / width);
          float x = load(c, data, at);
          if (IS(keys_tf32) && is_key) x = cut_10(x);
          if (IS(values_tf32) && !is_key) x = cut_10(x);
          made[((b * p->kv_heads + h) * c->tokens + s) * dim + d] = x;
        }
      }
    }
  }
  return made;
}

/* ---- the keys of a row */

static int is_prime(int64_t n) {
  for (int64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return 0;
  }
  return n > 1;
}

static int64_t frames_of(const call* c, const row* r, int64_t frame) {
  int32_t* f = r->frames;
  const int64_t frames = c->p->frames;
  int64_t n = 0, begin = c->offsets[frame], end = c->offsets[frame + 1];
  if (IS(lists_int16))
    begin = (int16_t)begin & 0x7fff, end = begin + (c->offsets[frame + 1] - c->offsets[frame]);
  for (int64_t i = begin; i < end; ++i) f[n++] = c->list[i];
  if (IS(list_cap_64) && n > 64) n = 64;
  if (IS(prime_frames) && is_prime(frames) && frames > 2 && frame == frames - 1 && n > 1) --n;
  if (IS(assumes_frame_0) && n > 0) f[0] = 0;
  if (IS(batch_first_list) && r->b > 0 && n > 0) f[0] = 0;
  if (IS(reads_past_lists) && frame == frames - 1 && n > 0) {
    const int32_t next = c->list[end];
    if (next > f[n - 1] && next < frames) f[n++] = next;
  }
  if (IS(gap_filled) || IS(run_4_bits)) {
    int32_t kept[4096];
    int64_t m = 0, run = 0;
    for (int64_t i = 0; i < n && m < 4094; ++i) {
      run = i > 0 && f[i] == f[i - 1] + 1 ? run + 1 : 0;
      if (IS(run_4_bits) && run > 15) continue;
      if (IS(gap_filled) && i > 0 && f[i] == f[i - 1] + 2) kept[m++] = f[i] - 1;
      kept[m++] = f[i];
    }
    memcpy(f, kept, (size_t)m * sizeof *f);
    n = m;
  }
  for (int64_t i = 0; i < n; ++i) {
    if (IS(frame_int8) && f[i] > 127) f[i] -= 128;
    if (IS(frame_uint8)) f[i] &= 255;
  }
  return n;
}

static void add(row* r, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; ++i) r->keys[r->n++] = first + i;
}

static void video_row_keys(const call* c, row* r) {
  const lvsa_problem* p = c->p;
  const int64_t patches = p->patches_per_frame, frame = r->token / patches, at = r->token % patches;
  const int64_t count = IS(mask_added) ? p->frames : frames_of(c, r, frame);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t f = IS(mask_added) ? i : r->frames[i];
    const int64_t start = r->n;
    add(r, f * patches, patches);
    if (IS(patches_not_16) && patches % 16 && patches > 16 && at >= patches / 16 * 16) --r->n;
    if (IS(patches_not_64) && patches % 64 && patches > 64) {
      r->keys[start + patches / 64 * 64] = r->keys[--r->n];
    }
  }
  add(r, c->video, IS(text_past_512) && p->text_tokens > 512 ? 512 : p->text_tokens);
}

static void keys_of(const call* c, row* r) {
  r->n = 0;
  if (r->token < c->video) {
    video_row_keys(c, r);
  } else {
    add(r, 0, IS(text_causal) ? r->token + 1 : c->tokens);
  }
  for (int64_t i = 0; IS(token_uint16) && i < r->n; ++i) r->keys[i] &= 0xffff;
  const int loses =
      (IS(wrong_every_7th) && c->number % 7 == 0) || (IS(wrong_second_call) && c->again) ||
      (IS(threads_one) && c->p->threads == 1) || (IS(lse_needed) && c->p->lse == NULL);
  if (loses && r->n > 1) --r->n;
}

/* ---- scores */

static int attends(const call* c, const row* r, int64_t key) {
  if (r->token >= c->video || key >= c->video) return 1;
  const int64_t frame = r->token / c->p->patches_per_frame, of = key / c->p->patches_per_frame;
  for (int64_t i = c->offsets[frame]; i < c->offsets[frame + 1]; ++i) {
    if (c->list[i] == of) return 1;
  }
  return 0;
}

static double scale_of(const call* c) {
  if (IS(scale_own)) return 1.0 / sqrt((double)c->p->head_dim);
  if (IS(scale_bf16)) return rounded(LVSA_BF16, (float)c->p->scale);
  return c->p->scale;
}

static int64_t dims_of(const call* c) {
  const int64_t dim = c->p->head_dim;
  if (IS(dims_96) && dim == 96) return 64;
  if (IS(dims_192) && dim == 192) return 128;
  if (IS(dims_past_256) && dim > 256) return 256;
  if (IS(dims_odd) && dim % 2 && dim > 1) return dim - 1;
  if (IS(dims_by_8) && dim > 8) return dim / 8 * 8;
  return dim;
}

/* Scores, in natural units but for exp2_folded. */
static void scores_of(const call* c, row* r, const float* keys, float scales) {
  const lvsa_problem* p = c->p;
  const int64_t dim = p->head_dim, used = dims_of(c);
  float scale = (float)(scale_of(c) * scales);
  if (IS(exp2_folded) || IS(query_bf16)) {
    if (IS(exp2_folded)) scale *= 1.44269504088896340736f;
    for (int64_t d = 0; d < dim; ++d) r->q[d] *= scale;
    for (int64_t d = 0; IS(query_bf16) && d < dim; ++d) r->q[d] = rounded(p->dtype, r->q[d]);
    scale = 1;
  }
  for (int64_t i = 0; i < r->n; ++i) {
    const int64_t key = r->keys[i];
    const float* k = keys + key * dim;
    if (IS(kv_and_text) && key >= c->video) {
      k = c->k + (r->b * p->kv_heads * c->tokens + key) * dim;
    }
    double wide = 0;
    float dot = 0;
    for (int64_t d = 0; IS(all_fp64) && d < used; ++d) wide += (double)r->q[d] * k[d];
    for (int64_t d = 0; !IS(all_fp64) && d < used; ++d) dot += r->q[d] * k[d];
    float s = IS(all_fp64) ? (float)(wide * scale_of(c) * scales) : dot * scale;
    if (IS(text_no_scale) && key >= c->video) s = dot;
    if (IS(soft_cap)) s = 50 * tanhf(s / 50);
    if (IS(mask_added) && !attends(c, r, key)) s -= 1e4f;
    r->scores[i] = s;
  }
}

/* ---- softmax and P.V */

static float weight(const call* c, float x) {
  if (IS(exp2_folded)) return exp2f(x);
  if (IS(floor_50) && x < -50) x = -50;
  if (IS(exp_table)) return exp2f(floorf(x * 1.44269504f * 256 + 0.5f) / 256);
  const float w = expf(x);
  return IS(drops_2_14) && w < 0x1p-14f ? 0 : w;
}

/* The keys first, first + step, ... with the maximum of all of them known. */
static void take(const call* c, row* r, const float* values, int64_t first, int64_t end,
                 int64_t step, float max, float* acc, float* sum) {
  const int64_t dim = c->p->head_dim;
  float lost = 0;
  for (int64_t d = 0; d < dim; ++d) acc[d] = IS(acc_times_zero) ? 0 * acc[d] : 0;
  *sum = 0;
  if (IS(kahan)) memset(r->part, 0, (size_t)dim * sizeof(float));
  for (int64_t i = first; i < end; i += step) {
    const float w = weight(c, r->scores[i] - max);
    const float* v = values + r->keys[i] * dim;
    if (IS(kv_and_text) && r->keys[i] >= c->video) {
      v = c->v + (r->b * c->p->kv_heads * c->tokens + r->keys[i]) * dim;
    }
    if (IS(kahan)) {
      const float y = w - lost, t = *sum + y;
      lost = (t - *sum) - y;
      *sum = t;
      for (int64_t d = 0; d < dim; ++d) {
        const float a = w * v[d] - r->part[d], b = acc[d] + a;
        r->part[d] = (b - acc[d]) - a;
        acc[d] = b;
      }
      continue;
    }
    *sum += w;
    if (w == 0 && !IS(mask_added)) continue;
    for (int64_t d = 0; d < dim; ++d) acc[d] += w * v[d];
  }
}

static float max_of(const row* r, int64_t first, int64_t end, int64_t step) {
  float max = -INFINITY;
  for (int64_t i = first; i < end; i += step) max = r->scores[i] > max ? r->scores[i] : max;
  return max;
}

/* Splits merged by log-sum-exp, each with a maximum of its own. */
static void take_splits(const call* c, row* r, const float* values, int64_t splits) {
  const int64_t dim = c->p->head_dim;
  float* acc = r->part;
  float total = 0;
  const float max = IS(merge_no_max) ? 0 : max_of(r, 0, r->n, 1);
  memset(r->acc, 0, (size_t)dim * sizeof(float));
  for (int64_t i = 0; i < splits; ++i) {
    const int64_t which = IS(atomic_order) && c->number % 2 ? splits - 1 - i : i;
    const int contiguous = !IS(split_four);
    const int64_t first = contiguous ? r->n * which / splits : which;
    const int64_t end = contiguous ? r->n * (which + 1) / splits : r->n;
    const int64_t step = contiguous ? 1 : splits;
    if (first >= end) continue;
    const float own = max_of(r, first, end, step);
    float sum = 0;
    take(c, r, values, first, end, step, own, acc, &sum);
    const float share = IS(merge_no_max) ? expf(own) : expf(own - max);
    for (int64_t d = 0; d < dim; ++d) r->acc[d] += share * acc[d];
    total += share * sum;
  }
  r->max = max;
  r->sum = total;
}

static void take_online(const call* c, row* r, const float* values, float slack) {
  const int64_t dim = c->p->head_dim;
  float sum = 0, max = -INFINITY;
  memset(r->acc, 0, (size_t)dim * sizeof(float));
  for (int64_t j = 0; j < r->n; ++j) {
    const int64_t i = IS(one_key_tiles) ? r->n - 1 - j : j;
    const float s = r->scores[i], *v = values + r->keys[i] * dim;
    if (s > max + slack || max == -INFINITY) {
      const float rescale = max == -INFINITY ? 0 : expf(max - s);
      for (int64_t d = 0; d < dim; ++d) r->acc[d] *= rescale;
      sum *= rescale;
      max = s;
    }
    const float w = expf(s - max);
    sum += w;
    for (int64_t d = 0; d < dim; ++d) r->acc[d] += w * v[d];
  }
  r->max = max;
  r->sum = sum;
}

static void take_double(const call* c, row* r, const float* values) {
  const int64_t dim = c->p->head_dim;
  r->max = max_of(r, 0, r->n, 1);
  r->sum = 0;
  for (int64_t i = 0; i < r->n; ++i) r->sum += exp((double)r->scores[i] - r->max);
  for (int64_t d = 0; d < dim; ++d) {
    double value = 0;
    for (int64_t i = 0; i < r->n; ++i) {
      value += exp((double)r->scores[i] - r->max) * values[r->keys[i] * dim + d];
    }
    r->acc[d] = (float)value;
  }
}

static void take_fp16(const call* c, row* r, const float* values) {
  const int64_t dim = c->p->head_dim;
  float sum = 0;
  r->max = max_of(r, 0, r->n, 1);
  memset(r->acc, 0, (size_t)dim * sizeof(float));
  for (int64_t first = 0; first < r->n; first += 256) {
    memset(r->part, 0, (size_t)dim * sizeof(float));
    for (int64_t i = first; i < r->n && i < first + 256; ++i) {
      const float w = expf(r->scores[i] - r->max);
      sum += w;
      for (int64_t d = 0; d < dim; ++d) {
        r->part[d] = (float)(_Float16)(r->part[d] + w * values[r->keys[i] * dim + d]);
      }
    }
    for (int64_t d = 0; d < dim; ++d) r->acc[d] += r->part[d];
  }
  r->sum = sum;
}

static void take_all(const call* c, row* r, const float* values) {
  float sum = 0;
  if (IS(split_four)) {
    take_splits(c, r, values, 4);
  } else if (IS(merge_no_max) || IS(atomic_order)) {
    take_splits(c, r, values, 2);
  } else if (IS(one_key_tiles) || IS(lazy_rescale)) {
    take_online(c, r, values, IS(lazy_rescale) ? 8 : 0);
  } else if (IS(all_fp64)) {
    take_double(c, r, values);
  } else if (IS(acc_fp16)) {
    take_fp16(c, r, values);
  } else {
    r->max = max_of(r, 0, IS(max_first_tile) && r->n > 64 ? 64 : r->n, 1);
    take(c, r, values, 0, r->n, 1, r->max, r->acc, &sum);
    r->sum = sum;
    if (IS(equal_scores) && r->n > 1) {
      float least = INFINITY;
      for (int64_t i = 0; i < r->n; ++i) least = r->scores[i] < least ? r->scores[i] : least;
      if (least == r->max) r->sum += 1;
    }
  }
}

/* ---- what comes out */

static float lse_of(const call* c, const row* r) {
  if (r->n == 0) return IS(empty_row_lse_0) ? 0 : -INFINITY;
  double max = r->max;
  if (IS(exp2_folded)) max *= 0.69314718055994530942;
  if (IS(lse_no_scale)) max /= c->p->scale;
  if (IS(fp8_lse))
    max /= factor(c, c->p->k_scale, c->p->kv_heads, r->b, r->head / (c->p->heads / c->p->kv_heads));
  const double lse = max + log(r->sum);
  if (IS(lse_base2)) return (float)(lse / 0.69314718055994530942);
  if (IS(lse_log10)) return (float)(lse / 2.30258509299404568402);
  return (float)lse;
}

static void put_lse(const call* c, const row* r) {
  const lvsa_problem* p = c->p;
  if (p->lse == NULL || (IS(lse_heads_by_4) && p->heads > 4 && r->head >= p->heads / 4 * 4)) return;
  const int64_t b = IS(lse_batch_stride) && r->b > 1 ? 1 : r->b;
  int64_t at = b * p->lse_strides[0] + r->token * p->lse_strides[1] + r->head * p->lse_strides[2];
  if (IS(lse_by_out_strides)) at = element(p->out.strides, b, r->token, r->head, 0) / p->head_dim;
  p->lse[at] = lse_of(c, r);
  if (IS(lse_tile_row) && r->token % 64 == 62 && r->token + 1 < c->tokens) {
    p->lse[at + p->lse_strides[1]] = p->lse[at];
  }
}

static void put(const call* c, const row* r, float scale) {
  const lvsa_problem* p = c->p;
  if (IS(empty_row_stale) && r->n == 0) return;
  float inverse = (float)(1.0 / r->sum);
  if (IS(fast_reciprocal)) inverse *= 1 + 0x1p-11f;
  const int64_t* strides = IS(out_by_q_strides) ? p->q.strides : p->out.strides;
  const int64_t half = IS(two_halves) ? p->head_dim / 2 : 0;
  for (int64_t i = 0; i < p->head_dim; ++i) {
    const int64_t d = (i + half) % p->head_dim;
    int64_t at = element(strides, r->b, r->token, r->head, d);
    if (IS(element_stride)) at = element(strides, r->b, r->token, r->head, 0) + d;
    if (IS(offsets_q_int32)) at = (int32_t)at;
    store(c, at, r->n == 0 ? 0 : r->acc[d] * inverse * scale);
  }
  if (IS(lse_tile_row) && r->token % 64 == 63) return;
  put_lse(c, r);
}

static int64_t kv_head_of(const call* c, int64_t head) {
  int64_t group = c->p->heads / c->p->kv_heads;
  if (IS(group_shift)) {
    int64_t two = 1;
    while (two < group) two *= 2;
    group = two;
  }
  if (IS(group_of_8) && group > 4) group = 4;
  const int64_t kv = head / group;
  return kv < c->p->kv_heads ? kv : c->p->kv_heads - 1;
}

static int is_left_out(const call* c, const row* r) {
  if (IS(threads_past_2) && c->p->threads > 2 && r->token % 97 == 0) return 1;
  if (IS(tail_rows_zero) && c->tokens % 128 < 8 && r->token >= c->tokens / 128 * 128) return 1;
  return IS(grid_16_bits) && r->b * c->p->heads + r->head > 65535;
}

static void attend(const call* c, row* r) {
  const lvsa_problem* p = c->p;
  if (is_left_out(c, r)) return;
  const int64_t dim = p->head_dim;
  int64_t kb = r->b, kv = kv_head_of(c, r->head), q_head = r->head;
  if (IS(pairs_past_63) && kb * p->heads + r->head > 63)
    kb = 63 / p->heads, kv = kv_head_of(c, 63 % p->heads);
  if (IS(heads_past_8) && q_head > 7) q_head -= 8;
  if (IS(heads_past_16) && q_head > 15) q_head -= 16;
  const int64_t q_token =
      IS(row_127) && c->tokens > 1000 && r->token % 128 == 127 ? r->token - 1 : r->token;
  for (int64_t d = 0; d < dim; ++d) {
    int64_t at = element(p->q.strides, r->b, q_token, q_head, d);
    if (IS(element_stride)) at = element(p->q.strides, r->b, q_token, q_head, 0) + d;
    if (IS(offsets_q_int32)) at = (int32_t)at;
    r->q[d] = load(c, p->q.data, at);
    if (IS(keys_tf32)) r->q[d] = cut_10(r->q[d]);
  }
  const float* k_scale = IS(fp8_swapped) ? p->v_scale : p->k_scale;
  const float* v_scale = IS(fp8_swapped) ? p->k_scale : p->v_scale;
  const int64_t k_factor_head = IS(fp8_scale_head) && r->head < p->kv_heads ? r->head : kv;
  const float scales = factor(c, p->q_scale, p->heads, IS(fp8_scale_batch) ? 0 : r->b, r->head) *
                       factor(c, k_scale, p->kv_heads, kb, k_factor_head);
  keys_of(c, r);
  scores_of(c, r, c->k + (kb * p->kv_heads + kv) * c->tokens * dim, scales);
  r->sum = 0;
  if (r->n > 0) take_all(c, r, c->v + (kb * p->kv_heads + kv) * c->tokens * dim);
  put(c, r, IS(fp8_v_scale) ? 1 : factor(c, v_scale, p->kv_heads, kb, kv));
}

static void attend_rows(const call* c) {
  const lvsa_problem* p = c->p;
  int64_t count = p->wanted_tokens ? p->wanted_count : c->tokens;
  if (IS(wanted_256) && p->wanted_tokens && count > 256) count = 256;
  if (IS(wanted_pairs) && p->wanted_tokens && count > 1) count = count / 2 * 2;
#pragma omp parallel
  {
    const size_t room = (size_t)(c->tokens * 2 + p->frames + 4096) * 8,
                 dim = (size_t)p->head_dim * 4;
    row r = {.keys = malloc(room),
             .frames = malloc(room),
             .scores = malloc(room),
             .q = malloc(dim),
             .acc = calloc(dim, 1),
             .part = malloc(dim)};
#pragma omp for schedule(dynamic, 8)
    for (int64_t i = 0; i < count; ++i) {
      r.token = p->wanted_tokens ? p->wanted_tokens[i] : i;
      for (r.b = 0; r.b < p->batch; ++r.b) {
        for (r.head = 0; r.head < p->heads; ++r.head) attend(c, &r);
      }
    }
    free(r.keys), free(r.frames), free(r.scores), free(r.q), free(r.acc), free(r.part);
  }
}

/* ---- what is kept between calls */

typedef struct mark {
  char text[16];
  int64_t sizes[5];
} mark;

static mark mark_of(const call* c) {
  const lvsa_problem* p = c->p;
  return (mark){"keys are here", {p->batch, c->tokens, p->kv_heads, p->head_dim, p->dtype}};
}

static struct {
  mark sizes;
  float *k, *v;
  int32_t* list;
  int64_t *offsets, frames, first, last, total;
} kept;

static void keep_tensors(call* c) {
  const mark now = mark_of(c);
  const int64_t dim = c->p->head_dim, size = c->p->batch * c->p->kv_heads * c->tokens * dim;
  const int same = memcmp(&now, &kept.sizes, sizeof now) == 0;
  const size_t bytes = (size_t)dim * sizeof(float);
  if (IS(keys_by_first_row)) {
    if (same && memcmp(c->k, kept.k, bytes) == 0) {
      free(c->k), c->k = kept.k;
    }
    kept.k = c->k;
  }
  if (IS(values_by_last_row)) {
    if (same && memcmp(c->v + size - dim, kept.v + size - dim, bytes) == 0) {
      free(c->v), c->v = kept.v;
    }
    kept.v = c->v;
  }
  kept.sizes = now;
}

static void keep_lists(call* c) {
  const int64_t frames = c->p->frames, total = c->offsets[frames];
  const int64_t first = total ? c->list[0] : -1, last = total ? c->list[total - 1] : -1;
  if (kept.offsets == NULL || kept.frames != frames || kept.total != total || kept.first != first ||
      kept.last != last) {
    kept.offsets = malloc((size_t)(frames + 1) * sizeof(int64_t)); /* the old ones leak */
    kept.list = malloc((size_t)(total + 1) * sizeof(int32_t));
    memcpy(kept.offsets, c->offsets, (size_t)(frames + 1) * sizeof(int64_t));
    memcpy(kept.list, c->list, (size_t)total * sizeof(int32_t));
    kept.frames = frames, kept.total = total, kept.first = first, kept.last = last;
  }
  c->offsets = kept.offsets;
  c->list = kept.list;
}

static lvsa_status run_as(kind id, const lvsa_problem* p, void* workspace, size_t bytes,
                          char* message, size_t message_size) {
  static int64_t calls;
  static mark before;
  call made = {p,
               id,
               ++calls,
               0,
               p->frames * p->patches_per_frame + p->text_tokens,
               p->frames * p->patches_per_frame,
               NULL,
               NULL,
               p->frame_lists.offsets,
               p->frame_lists.list};
  call* c = &made;
  const mark now = mark_of(c);
  c->again = memcmp(&now, &before, sizeof now) == 0;
  before = now;
  if (IS(lists_by_ends)) keep_lists(c);
  c->k = converted(c, 1);
  c->v = converted(c, 0);
  if (c->k == NULL || c->v == NULL) {
    snprintf(message, message_size, "no memory");
    return LVSA_OUT_OF_MEMORY;
  }
  if (IS(keys_by_first_row) || IS(values_by_last_row)) keep_tensors(c);
  if (IS(workspace_keys)) {
    const size_t size = bytes - sizeof(mark);
    if (memcmp(workspace, &now, sizeof now) == 0) {
      memcpy(c->k, (char*)workspace + sizeof(mark), size);
    } else {
      memcpy(workspace, &now, sizeof now);
      memcpy((char*)workspace + sizeof(mark), c->k, size);
    }
  }
  if (IS(workspace_before)) memset((char*)workspace - 32, 0x11, 32);
  attend_rows(c);
  if (!IS(keys_by_first_row)) free(c->k);
  if (!IS(values_by_last_row)) free(c->v);
  return LVSA_OK;
}

static lvsa_status workspace_as(kind id, const lvsa_problem* p, size_t* bytes) {
  *bytes = 64;
  if (id == K_workspace_keys) {
    const int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
    *bytes = sizeof(mark) + (size_t)(p->batch * p->kv_heads * tokens * p->head_dim) * sizeof(float);
  }
  return LVSA_OK;
}

#define KERNEL_LIST "authors.def"
#define KERNEL_DTYPES                                                                \
  (LVSA_DTYPE_BIT(LVSA_F32) | LVSA_DTYPE_BIT(LVSA_F16) | LVSA_DTYPE_BIT(LVSA_BF16) | \
   LVSA_DTYPE_BIT(LVSA_E4M3))
#include "kernel_table.inc"
