/* Block-sparse kernels of host memory that compute nothing: each does one wrong thing on maps that
 * keep less than half of the blocks, `always` on any. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/blocks/lvsa_blocks.h"

static int sparse(const lvsa_block_problem* p) {
  return 2 * p->maps[0].indptr[p->row_blocks] < p->row_blocks * p->column_blocks;
}

#define RUN(name, harm)                                                                         \
  static lvsa_status name(const lvsa_block_problem* p, void* space, size_t bytes, void* stream, \
                          char* message, size_t size) {                                         \
    (void)p, (void)space, (void)bytes, (void)stream, (void)message, (void)size;                 \
    harm;                                                                                       \
    return LVSA_OK;                                                                             \
  }
RUN(crashes, if (sparse(p)) raise(SIGSEGV))
RUN(hangs, if (sparse(p)) for (;;) pause())
RUN(always, fprintf(stderr, "cannot go on\n"); abort())
RUN(leaves, if (sparse(p)) exit(0))
RUN(refuses, if (sparse(p)) return LVSA_FAILED)

static lvsa_status workspace(const lvsa_block_problem* p, size_t* bytes) {
  (void)p;
  *bytes = 0;
  return LVSA_OK;
}

#define KERNEL(function)                                                                    \
  {                                                                                         \
    .abi_version = LVSA_BLOCK_KERNEL_ABI_VERSION, .struct_size = sizeof(lvsa_block_kernel), \
    .name = #function, .description = "does one wrong thing",                               \
    .capabilities = {.struct_size = sizeof(lvsa_block_capabilities),                        \
                     .dtypes = LVSA_DTYPE_BIT(LVSA_F32),                                    \
                     .memory = LVSA_HOST,                                                   \
                     .head_dim_min = 1,                                                     \
                     .head_dim_max = 256,                                                   \
                     .head_dim_multiple = 1,                                                \
                     .block_max = 4096,                                                     \
                     .segments = 1,                                                         \
                     .element_masks = 1},                                                   \
    .workspace = workspace, .run = function                                                 \
  }
static const lvsa_block_kernel kernels[] = {KERNEL(crashes), KERNEL(hangs), KERNEL(always),
                                            KERNEL(leaves), KERNEL(refuses)};

const lvsa_block_kernel* lvsa_block_kernels(uint32_t abi_version, uint32_t* count) {
  if (abi_version != LVSA_BLOCK_KERNEL_ABI_VERSION) return NULL;
  *count = sizeof kernels / sizeof kernels[0];
#ifdef AT_LOAD
  abort();
#endif
  return kernels;
}
