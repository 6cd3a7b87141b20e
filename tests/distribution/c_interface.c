/* Compiles only while the kernel interface is plain C: kernels may be written in it. */
#include "core/blocks/lvsa_pattern.h"
#include "core/kernel/lvsa_kernel.h"
#include "cuda/launch/sparge_attention.h"

_Static_assert(LVSA_OK == 0, "a kernel that returns 0 has succeeded");

const char* lvsa_test_entry_point(void);
const char* lvsa_test_entry_point(void) { return LVSA_KERNEL_ENTRY_POINT; }
