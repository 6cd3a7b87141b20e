/* Any kernel, made slower by a known share: after its call it is called again on some of the heads.
 * A plugin around a plugin, to try out what lvsa-verify bench finds:
 *
 *     cc -O2 -shared -fPIC -I PATH_TO_LVSA slowed.c -o slowed.so
 *     export LVSA_SLOWED_OF=./libmine.so:fast
 *     lvsa-verify bench ./libmine.so:fast ./slowed.so:slowed_10 --case 'T=21 P=1560 H=20 D=128 ...'
 *
 * slowed_0 calls it once, slowed_5 and slowed_10 once more on 5 % or 10 % of the heads, rounded to
 * whole ones: 20 heads make these exact in work (in time as far as the kernel's time is
 * proportional to its heads). Problems must have as many key heads as query heads and one batch
 * element; others are refused.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel/lvsa_kernel.h"

enum { kVersions = 4 };
static const int kPercent[kVersions] = {0, 5, 10, 20};
static const char* const kNames[kVersions] = {"slowed_0", "slowed_5", "slowed_10", "slowed_20"};

static const lvsa_kernel* inner;

static lvsa_problem part_of(const lvsa_problem* p, int percent) {
  lvsa_problem part = *p;
  part.heads = (p->heads * percent + 50) / 100;
  part.kv_heads = part.heads;
  return part;
}

static lvsa_status workspace(const lvsa_problem* p, size_t* bytes) {
  *bytes = 0;
  if (inner->workspace == NULL) return LVSA_OK;
  lvsa_status status = inner->workspace(p, bytes);
  for (int i = 0; i < kVersions && status == LVSA_OK; ++i) {
    const lvsa_problem part = part_of(p, kPercent[i]);
    size_t needed = 0;
    if (part.heads == 0) continue;
    status = inner->workspace(&part, &needed);
    if (needed > *bytes) *bytes = needed;
  }
  return status;
}

static lvsa_status run(const lvsa_problem* p, void* room, size_t bytes, void* stream, char* message,
                       size_t message_size, int percent) {
  if (p->heads != p->kv_heads || p->batch != 1) {
    snprintf(message, message_size, "as many key heads as query heads and a batch of 1 are due");
    return LVSA_UNSUPPORTED;
  }
  const lvsa_status status = inner->run(p, room, bytes, stream, message, message_size);
  const lvsa_problem part = part_of(p, percent);
  if (status != LVSA_OK || part.heads == 0) return status;
  return inner->run(&part, room, bytes, stream, message, message_size);
}

#define VERSION(index)                                                                          \
  static lvsa_status run_##index(const lvsa_problem* p, void* room, size_t bytes, void* stream, \
                                 char* message, size_t message_size) {                          \
    return run(p, room, bytes, stream, message, message_size, kPercent[index]);                 \
  }
VERSION(0)
VERSION(1)
VERSION(2)
VERSION(3)

/* The kernel that LVSA_SLOWED_OF names; null with a line on stderr when there is none. */
static const lvsa_kernel* find_inner(void) {
  const char* const named = getenv("LVSA_SLOWED_OF");
  char path[4096];
  if (named == NULL || strlen(named) >= sizeof path) {
    fprintf(stderr, "slowed: LVSA_SLOWED_OF=path/to/lib.so[:name] is due\n");
    return NULL;
  }
  strcpy(path, named);
  char* const colon = strrchr(path, ':');
  const char* const name = colon != NULL ? colon + 1 : "";
  if (colon != NULL) *colon = '\0';
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const lvsa_kernels_fn entry =
      library != NULL ? (lvsa_kernels_fn)dlsym(library, LVSA_KERNEL_ENTRY_POINT) : NULL;
  uint32_t count = 0;
  const lvsa_kernel* const table = entry != NULL ? entry(LVSA_KERNEL_ABI_VERSION, &count) : NULL;
  for (uint32_t i = 0; table != NULL && i < count; ++i) {
    if (*name == '\0' || strcmp(name, table[i].name) == 0) return &table[i];
  }
  fprintf(stderr, "slowed: %s: no such kernel%s%s\n", named, library == NULL ? ": " : "",
          library == NULL ? dlerror() : "");
  return NULL;
}

__attribute__((visibility("default"))) const lvsa_kernel* lvsa_kernels(uint32_t abi_version,
                                                                       uint32_t* count) {
  static lvsa_kernel versions[kVersions];
  if (abi_version != LVSA_KERNEL_ABI_VERSION || (inner = find_inner()) == NULL) return NULL;
  for (int i = 0; i < kVersions; ++i) {
    versions[i] = *inner;
    versions[i].name = kNames[i];
    versions[i].description = "another kernel, called again on some of the heads";
    versions[i].capabilities.grouped_heads = 0;
    versions[i].capabilities.batch = 0;
    versions[i].workspace = workspace;
  }
  versions[0].run = run_0;
  versions[1].run = run_1;
  versions[2].run = run_2;
  versions[3].run = run_3;
  *count = kVersions;
  return versions;
}
