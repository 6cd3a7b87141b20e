/* A rule that does one thing wrong, the one that its parameters name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/blocks/lvsa_pattern.h"

static lvsa_status make(const lvsa_pattern_request* r, lvsa_pattern_emit emit, void* sink,
                        char* message, size_t message_size) {
  const char* fault = r->parameters;
  int64_t begins[3] = {0, 4, 0};
  int32_t indptr[3] = {0, 2, 3};
  int32_t indices[3] = {0, 1, 1};
  int32_t order[64];
  lvsa_pattern_result result;
  memset(&result, 0, sizeof result);
  begins[2] = r->seq_len;
  result.struct_size = sizeof result;
  result.row_blocks = 2;
  result.column_blocks = 2;
  result.row_begin = begins;
  result.column_begin = begins;
  result.kept = 3;
  result.indptr = indptr;
  result.indices = indices;
  for (int i = 0; i < 64; ++i) order[i] = i;
  if (strcmp(fault, "fails") == 0) {
    snprintf(message, message_size, "nothing to be had\nat all");
    return LVSA_FAILED;
  }
  if (strcmp(fault, "silent") == 0) return LVSA_OK;
  if (strcmp(fault, "crashes") == 0) *(volatile int*)8 = 1;
  if (strcmp(fault, "aborts") == 0) {
    fprintf(stderr, "cannot go on\n");
    abort();
  }
  if (strcmp(fault, "exits") == 0) exit(0);
  if (strcmp(fault, "hangs") == 0) {
    for (;;) pause();
  }
  if (strcmp(fault, "closes") == 0) {
    for (int i = 0; i < 4096; ++i) close(i);
  }
  if (strcmp(fault, "prints") == 0) printf("said to stdout\n");
  if (strcmp(fault, "third") == 0 && r->head == 2) abort();
  if (strcmp(fault, "column") == 0) indices[2] = 2;
  if (strcmp(fault, "twice") == 0) indices[1] = 0;
  if (strcmp(fault, "indptr") == 0) indptr[1] = 4;
  if (strcmp(fault, "short") == 0) begins[2] = r->seq_len - 1;
  if (strcmp(fault, "blocks") == 0) result.row_blocks = -1;
  if (strcmp(fault, "size") == 0) result.struct_size = 8;
  if (strcmp(fault, "order") == 0) {
    order[1] = 0;
    result.order = order;
  }
  if (strcmp(fault, "null") == 0) return emit(sink, NULL);
  const lvsa_status status = emit(sink, &result);
  if (strcmp(fault, "again") == 0) return emit(sink, &result);
  return strcmp(fault, "ignores") == 0 ? LVSA_OK : status;
}

static const lvsa_pattern_rule kRules[] = {
    {LVSA_PATTERN_ABI_VERSION, sizeof(lvsa_pattern_rule), "faults", "", 0, 1, 0, make},
    {LVSA_PATTERN_ABI_VERSION, sizeof(lvsa_pattern_rule), "needy", "", 1, 0, 0, make},
};

const lvsa_pattern_rule* lvsa_patterns(uint32_t abi_version, uint32_t* count);
const lvsa_pattern_rule* lvsa_patterns(uint32_t abi_version, uint32_t* count) {
  *count = 2;
  return abi_version == LVSA_PATTERN_ABI_VERSION ? kRules : NULL;
}
