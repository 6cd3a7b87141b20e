/* A driver library that is not one: its device addresses are no addresses of the process, so that
 * nothing can be mistaken for host memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define FAR ((uint64_t)1 << 48) /* no address of a process */
typedef uint64_t Address;
static int broken;
static Address allocated[4096];
static size_t sizes[4096];
static int count;
void fake_break(int code) { broken = code; }
uint64_t fake_far(void) { return FAR; }
int cuInit(unsigned flags) { return getenv("FAKE_NO_DEVICE") != NULL ? 100 : (int)flags; }
int cuDriverGetVersion(int* version) { return *version = 12080, 0; }
int cuDeviceGetCount(int* n) { return *n = 1, 0; }
int cuDeviceGet(int* device, int i) { return *device = i, 0; }
int cuDeviceGetName(char* name, int size, int device) {
  (void)device;
  strncpy(name, "Fake GPU", (size_t)size);
  return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  (void)device;
  return *context = &broken, 0;
}
int cuCtxSetCurrent(void* context) { return context == &broken ? broken : 201; }
int cuStreamCreate(void** stream, unsigned flags) { return *stream = &count, flags == 1 ? 0 : 1; }
int cuStreamSynchronize(void* stream) { return stream == &count ? broken : 400; }
/* Whether the bytes lie within one allocation. */
static int inside(Address at, size_t bytes) {
  for (int i = 0; i < count; ++i) {
    if (at >= allocated[i] && at + bytes <= allocated[i] + sizes[i]) return 1;
  }
  return 0;
}
int cuMemAlloc_v2(Address* at, size_t bytes) {
  const char* most = getenv("FAKE_MEMORY");
  if (most != NULL && bytes > (size_t)atoll(most)) return 2;
  if (broken || count == 4096) return broken ? broken : 2;
  allocated[count] = (Address)(uintptr_t)aligned_alloc(256, (bytes + 255) / 256 * 256) + FAR;
  sizes[count] = bytes;
  *at = allocated[count++];
  return 0;
}
int cuMemFree_v2(Address at) {
  for (int i = 0; i < count; ++i) {
    if (allocated[i] != at) continue;
    free((void*)(uintptr_t)(at - FAR));
    --count;
    allocated[i] = allocated[count], sizes[i] = sizes[count];
    return broken;
  }
  return 1;
}
int cuMemsetD8Async(Address at, unsigned char byte, size_t bytes, void* stream) {
  if (broken || !inside(at, bytes) || stream != &count) return broken ? broken : 1;
  memset((void*)(uintptr_t)(at - FAR), byte, bytes);
  return 0;
}
int cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, void* stream) {
  if (broken || !inside(to, bytes) || stream != &count) return broken ? broken : 1;
  memcpy((void*)(uintptr_t)(to - FAR), from, bytes);
  return 0;
}
int cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, void* stream) {
  if (broken || !inside(from, bytes) || stream != &count) return broken ? broken : 1;
  memcpy(to, (void*)(uintptr_t)(from - FAR), bytes);
  return 0;
}
int cuGetErrorName(int code, const char** name) {
  *name = code == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : code == 100 ? "CUDA_ERROR_NO_DEVICE" : NULL;
  return 0;
}
int cuGetErrorString(int code, const char** text) {
  *text = code == 700 ? "an illegal memory access was encountered" : NULL;
  return 0;
}
