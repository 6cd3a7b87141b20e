/* Two kernels for device memory that compute nothing but look at what they are given, with plans
 * and a prediction for the one named cuda-blocks. Calls are told in the file
 * `calls`. */
#include <stdio.h>
#include <stdlib.h>

#include "core/blocks/lvsa_blocks.h"
#include "cuda/launch/block_plan.h"
#include "cuda/launch/sparge_attention.h"

static int on_device(const void* address) { return (uint64_t)(uintptr_t)address >> 48 != 0; }

static void note(const char* what, int number) {
  FILE* file = fopen("calls", "a");
  if (file == NULL) return;
  fprintf(file, "%s %d\n", what, number);
  fclose(file);
}

static lvsa_status tell(int right, const char* what, int number, char* message, size_t size) {
  note(what, number);
  if (right) return LVSA_OK;
  snprintf(message, size, "%s: wrong memory", what);
  return LVSA_INVALID;
}

static int kept(const lvsa_block_problem* p) { return p->maps[0].indptr[p->row_blocks]; }

static int well_placed(const lvsa_block_problem* p) {
  return p->memory == LVSA_CUDA && p->dtype == LVSA_BF16 && on_device(p->q.data) &&
         on_device(p->k.data) && on_device(p->v.data) && on_device(p->out.data);
}

static lvsa_status workspace(const lvsa_block_problem* p, size_t* bytes) {
  (void)p;
  *bytes = 512;
  return LVSA_OK;
}

static lvsa_status run(const lvsa_block_problem* p, void* space, size_t bytes, void* stream,
                       char* message, size_t size) {
  const int right = well_placed(p) && on_device(space) && bytes == 512 && stream != NULL;
  return tell(right, "run", kept(p), message, size);
}

static const int64_t block_sizes[][2] = {{128, 64}};
#define KERNEL(its_name)                                                                    \
  {                                                                                         \
    .abi_version = LVSA_BLOCK_KERNEL_ABI_VERSION, .struct_size = sizeof(lvsa_block_kernel), \
    .name = its_name, .description = "looks at what it is given",                           \
    .capabilities = {.struct_size = sizeof(lvsa_block_capabilities),                        \
                     .dtypes = LVSA_DTYPE_BIT(LVSA_BF16),                                   \
                     .memory = LVSA_CUDA,                                                   \
                     .head_dim_min = 64,                                                    \
                     .head_dim_max = 128,                                                   \
                     .head_dim_multiple = 64,                                               \
                     .block_sizes = 1,                                                      \
                     .block_size = block_sizes,                                             \
                     .element_masks = 1},                                                   \
    .workspace = workspace, .run = run                                                      \
  }
static const lvsa_block_kernel kernels[2] = {KERNEL("cuda-blocks"), KERNEL("other")};

const lvsa_block_kernel* lvsa_block_kernels(uint32_t abi_version, uint32_t* count) {
  if (abi_version != LVSA_BLOCK_KERNEL_ABI_VERSION) return NULL;
  *count = 2;
  return kernels;
}

struct lvsa_block_plan {
  int kept;
};

lvsa_status lvsa_block_plan_scratch_bytes(const lvsa_block_problem* p, size_t* bytes, char* message,
                                          size_t size) {
  *bytes = 1000;
  return tell(well_placed(p), "plan of", kept(p), message, size);
}

lvsa_status lvsa_block_plan_create(const lvsa_block_problem* p, void* scratch, void* stream,
                                   lvsa_block_plan** plan, char* message, size_t size) {
  *plan = malloc(sizeof **plan);
  (*plan)->kept = kept(p);
  return tell(on_device(scratch) && stream != NULL, "scratch", 1000, message, size);
}

lvsa_status lvsa_block_plan_run(const lvsa_block_plan* plan, void* stream, char* message,
                                size_t size) {
  return tell(stream != NULL, "planned", plan->kept, message, size);
}

void lvsa_block_plan_destroy(lvsa_block_plan* plan) {
  note("destroyed", plan->kept);
  free(plan);
}

lvsa_status lvsa_sparge_predict_scratch_bytes(const lvsa_block_problem* p,
                                              const lvsa_sparge_settings* settings, size_t* bytes,
                                              char* message, size_t size) {
  const int right = well_placed(p) && settings->topk_count == 1 && *settings->topk == 0.25 &&
                    settings->cdfthreshd_count == 0 && *settings->simthreshd1 == -0.5 &&
                    settings->smooth_k == 1 && settings->partial_kept == 0;
  *bytes = 100;
  return tell(right, "heads", (int)p->heads, message, size);
}

lvsa_status lvsa_sparge_predict(const lvsa_block_problem* p, const lvsa_sparge_settings* settings,
                                const lvsa_sparge_map* map, void* scratch, void* stream,
                                char* message, size_t size) {
  (void)settings;
  const int right =
      on_device(map->row_count) && on_device(map->indices) && on_device(scratch) && stream != NULL;
  return tell(right, "predicted", (int)p->column_blocks, message, size);
}
