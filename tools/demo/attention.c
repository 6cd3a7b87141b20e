/* The kernel of ./dev demo-gate, and what three authors make of it. Compiled once for each:
 *
 *     cc -O3 -shared -fPIC -I PATH_TO_LVSA -DCHANGE=0 attention.c -o before.so -lm
 *
 * CHANGE  0  as it was: tiles of 64 keys within a frame, online softmax, fp32, one thread
 *         1  right: text keys come first instead of last, so sums are rounded in another order
 *         2  wrong: queries of frame 4 in head 3 lose the second tile of frame 5
 *         3  right and slower: one row in ten is computed twice
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel/lvsa_kernel.h"

#ifndef CHANGE
#define CHANGE 0
#endif

enum { kTile = 64 };

static float load(lvsa_dtype dtype, const void* data, int64_t at) {
  if (dtype == LVSA_F32) return ((const float*)data)[at];
  const uint32_t wide = (uint32_t)((const uint16_t*)data)[at] << 16; /* bf16 */
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

static void store(lvsa_dtype dtype, void* data, int64_t at, float value) {
  if (dtype == LVSA_F32) {
    ((float*)data)[at] = value;
    return;
  }
  uint32_t wide;
  memcpy(&wide, &value, sizeof wide);
  if (value == value) wide += 0x7fff + ((wide >> 16) & 1); /* to nearest, ties to even */
  ((uint16_t*)data)[at] = (uint16_t)(wide >> 16);
}

static int64_t place(const lvsa_tensor* t, int64_t b, int64_t token, int64_t head) {
  return b * t->strides[0] + token * t->strides[1] + head * t->strides[2];
}

/* K and V of one head in fp32, [tokens, D] each, and one query row. */
typedef struct head_data {
  const lvsa_problem* p;
  int64_t b, h;
  int64_t query_frame;
  float *k, *v, *q, *acc;
} head_data;

static void fill(const head_data* d, const lvsa_tensor* from, int64_t kv_head, float* to) {
  const lvsa_problem* p = d->p;
  const int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  for (int64_t token = 0; token < tokens; ++token) {
    const int64_t at = place(from, d->b, token, kv_head);
    for (int64_t c = 0; c < p->head_dim; ++c) {
      to[token * p->head_dim + c] = load(p->dtype, from->data, at + c * from->strides[3]);
    }
  }
}

/* Running maximum and sum of a row. */
typedef struct softmax {
  float max, sum;
} softmax;

static void tile(const head_data* d, softmax* s, int64_t first, int64_t count) {
  const int64_t depth = d->p->head_dim;
  float score[kTile];
  float max = s->max;
  for (int64_t j = 0; j < count; ++j) {
    const float* k = d->k + (first + j) * depth;
    float dot[8] = {0};
    int64_t c = 0;
    for (; c + 8 <= depth; c += 8) {
      for (int64_t i = 0; i < 8; ++i) dot[i] += d->q[c + i] * k[c + i];
    }
    for (; c < depth; ++c) dot[0] += d->q[c] * k[c];
    const float sum =
        ((dot[0] + dot[1]) + (dot[2] + dot[3])) + ((dot[4] + dot[5]) + (dot[6] + dot[7]));
    score[j] = sum * (float)d->p->scale;
    if (score[j] > max) max = score[j];
  }
  const float kept = s->max == -INFINITY ? 0 : expf(s->max - max);
  for (int64_t c = 0; c < depth; ++c) d->acc[c] *= kept;
  s->sum *= kept;
  s->max = max;
  for (int64_t j = 0; j < count; ++j) {
    const float weight = expf(score[j] - max);
    const float* v = d->v + (first + j) * depth;
    s->sum += weight;
    for (int64_t c = 0; c < depth; ++c) d->acc[c] += weight * v[c];
  }
}

static void keys(const head_data* d, softmax* s, int64_t first, int64_t count, int64_t frame) {
  for (int64_t at = 0; at < count; at += kTile) {
    const int64_t size = count - at < kTile ? count - at : kTile;
    if (CHANGE == 2 && d->h == 3 && d->query_frame == 4 && frame == 5 && at == kTile) continue;
    tile(d, s, first + at, size);
  }
}

static void row(head_data* d, int64_t token) {
  const lvsa_problem* p = d->p;
  d->query_frame = token / p->patches_per_frame;
  const int64_t video = p->frames * p->patches_per_frame;
  const int64_t at = place(&p->q, d->b, token, d->h);
  for (int64_t c = 0; c < p->head_dim; ++c) {
    d->q[c] = load(p->dtype, p->q.data, at + c * p->q.strides[3]);
    d->acc[c] = 0;
  }
  softmax s = {-INFINITY, 0};
  if (CHANGE == 1) keys(d, &s, video, p->text_tokens, -1);
  if (token < video) {
    const int64_t* offsets = p->frame_lists.offsets + token / p->patches_per_frame;
    for (int64_t i = offsets[0]; i < offsets[1]; ++i) {
      const int32_t frame = p->frame_lists.list[i];
      keys(d, &s, frame * p->patches_per_frame, p->patches_per_frame, frame);
    }
  } else {
    for (int64_t frame = 0; frame < p->frames; ++frame) {
      keys(d, &s, frame * p->patches_per_frame, p->patches_per_frame, frame);
    }
  }
  if (CHANGE != 1) keys(d, &s, video, p->text_tokens, -1);
  const int64_t to = place(&p->out, d->b, token, d->h);
  for (int64_t c = 0; c < p->head_dim; ++c) {
    store(p->out_dtype, p->out.data, to + c * p->out.strides[3], s.sum > 0 ? d->acc[c] / s.sum : 0);
  }
  if (p->lse != NULL) {
    p->lse[d->b * p->lse_strides[0] + token * p->lse_strides[1] + d->h * p->lse_strides[2]] =
        s.sum > 0 ? s.max + logf(s.sum) : -INFINITY;
  }
}

static lvsa_status workspace(const lvsa_problem* p, size_t* bytes) {
  const int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  *bytes = (size_t)(2 * (tokens + 1) * p->head_dim) * sizeof(float);
  return LVSA_OK;
}

static lvsa_status run(const lvsa_problem* p, void* room, size_t room_bytes, void* stream,
                       char* message, size_t message_size) {
  (void)room_bytes, (void)stream, (void)message, (void)message_size;
  const int64_t tokens = p->frames * p->patches_per_frame + p->text_tokens;
  head_data d = {.p = p, .k = room};
  d.v = d.k + tokens * p->head_dim;
  d.q = d.v + tokens * p->head_dim;
  d.acc = d.q + p->head_dim;
  for (d.b = 0; d.b < p->batch; ++d.b) {
    for (d.h = 0; d.h < p->heads; ++d.h) {
      const int64_t kv_head = d.h / (p->heads / p->kv_heads);
      fill(&d, &p->k, kv_head, d.k);
      fill(&d, &p->v, kv_head, d.v);
      for (int64_t token = 0; token < tokens; ++token) {
        row(&d, token);
        if (CHANGE == 3 && token % 10 == 0) row(&d, token);
      }
    }
  }
  return LVSA_OK;
}

static const lvsa_kernel demo = {
    .abi_version = LVSA_KERNEL_ABI_VERSION,
    .struct_size = sizeof(lvsa_kernel),
    .name = "demo",
    .description = "online softmax in tiles of 64 keys, fp32, one thread",
    .capabilities = {.struct_size = sizeof(lvsa_capabilities),
                     .dtypes = LVSA_DTYPE_BIT(LVSA_F32) | LVSA_DTYPE_BIT(LVSA_BF16),
                     .memory = LVSA_HOST,
                     .head_dim_min = 1,
                     .head_dim_max = 1024,
                     .head_dim_multiple = 1,
                     .grouped_heads = 1,
                     .text = 1,
                     .batch = 1,
                     .any_strides = 1,
                     .lse = 1},
    .workspace = workspace,
    .run = run,
};

__attribute__((visibility("default"))) const lvsa_kernel* lvsa_kernels(uint32_t abi_version,
                                                                       uint32_t* count) {
  if (abi_version != LVSA_KERNEL_ABI_VERSION) return NULL;
  *count = 1;
  return &demo;
}
