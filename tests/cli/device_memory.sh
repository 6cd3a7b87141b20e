#!/bin/sh
# Plugins that want device memory, with a driver library that is not one: libcuda.so.1 made here, whose
# device addresses are no addresses of the process, so that nothing can be mistaken for host memory.
set -eu
cat >cases.txt <<'CASES'
T=7 P=9 text=5 B=2 H=4 Hkv=2 D=24 dtype=f32 W=1 ref=3 step=1 input=gauss seed=1 rows=0
T=9 P=12 H=1 Hkv=1 D=16 dtype=f32 layout=bhsd W=1 ref=4 step=2 input=indicator seed=2 rows=0
T=5 P=4 H=1 Hkv=1 D=16 dtype=f32 W=0 n_first=0 interval=0 ref=3 step=0 input=gauss seed=3 rows=0
CASES

mkdir driver
"${CC:-cc}" -std=gnu11 -O1 -shared -fPIC -Wall -Werror "$LVSA_SOURCE_DIR/tests/cli/fake_driver.c" -o driver/libcuda.so.1

# The skeleton behind a kernel for device memory, which does in the case of nine frames what HARM says.
sed 's/^__attribute__((visibility.*/static const lvsa_kernel* unused(uint32_t abi_version,/' \
  "$LVSA_SOURCE_DIR/fixtures/skeleton/skeleton.c" >device.c
cat >>device.c <<'CODE'
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>
static uint64_t far_away; /* what device addresses have more than those of the process */
static void (*fake_break)(int);
static void* near(const void* p) { return p == NULL ? NULL : (void*)((uintptr_t)p - far_away); }
static lvsa_status device_workspace(const lvsa_problem* p, size_t* bytes) {
  *bytes = 64;
  return p->memory == LVSA_CUDA && (uintptr_t)p->q.data > (uintptr_t)1 << 48 ? LVSA_OK : LVSA_INVALID;
}
static lvsa_status device_run(const lvsa_problem* problem, void* workspace, size_t bytes,
                              void* stream, char* message, size_t size) {
  lvsa_problem p = *problem;
  if (far_away == 0) {
    void* driver = dlopen("libcuda.so.1", RTLD_NOW);
    far_away = ((uint64_t(*)(void))dlsym(driver, "fake_far"))();
    fake_break = (void (*)(int))dlsym(driver, "fake_break");
  }
  if (stream == NULL || p.memory != LVSA_CUDA || bytes != 64) return LVSA_INVALID;
  p.q.data = near(p.q.data), p.k.data = near(p.k.data), p.v.data = near(p.v.data);
  p.out.data = near(p.out.data), p.lse = near(p.lse);
  memset(near(workspace), 1, bytes);
  const char* harm = getenv("HARM");
  if (harm == NULL || p.frames != 9) return run(&p, NULL, 0, NULL, message, size);
  if (strcmp(harm, "before") == 0) ((char*)p.out.data)[-1000] = 1;
  if (strcmp(harm, "workspace") == 0) ((char*)near(workspace))[64] = 1;
  if (strcmp(harm, "input") == 0) ((float*)p.k.data)[3] += 1;
  if (strcmp(harm, "host") == 0) return run(problem, NULL, 0, NULL, message, size);
  if (strcmp(harm, "lost") == 0) return fake_break(700), LVSA_OK;
  if (strcmp(harm, "says") == 0) {
    fake_break(700);
    return snprintf(message, size, "launch failed"), LVSA_FAILED;
  }
  if (strcmp(harm, "fails") == 0) return snprintf(message, size, "not today"), LVSA_FAILED;
  return run(&p, NULL, 0, NULL, message, size);
}
__attribute__((visibility("default"))) const lvsa_kernel* lvsa_kernels(uint32_t abi_version,
                                                                       uint32_t* count) {
  static lvsa_kernel kernel;
  (void)abi_version, (void)unused;
  kernel = skeleton;
  kernel.name = "device";
  kernel.capabilities.memory = getenv("ODD_MEMORY") != NULL ? (lvsa_memory)7 : LVSA_CUDA;
  kernel.workspace = device_workspace;
  kernel.run = device_run;
  *count = 1;
  return &kernel;
}
CODE
"${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -w -I"$LVSA_SOURCE_DIR" device.c -o device.so -lm -ldl

# The same for block maps.
sed 's/^__attribute__((visibility.*/static const lvsa_block_kernel* unused(/' \
  "$LVSA_SOURCE_DIR/fixtures/skeleton/block_skeleton.c" >blocks.c
cat >>blocks.c <<'CODE'
#include <dlfcn.h>
#include <string.h>
static void* near(const void* p, uint64_t far) {
  return p == NULL ? NULL : (void*)((uintptr_t)p - far);
}
static lvsa_status device_workspace(const lvsa_block_problem* p, size_t* bytes) {
  *bytes = 64;
  return p->memory == LVSA_CUDA && (uintptr_t)p->k.data > (uintptr_t)1 << 48 ? LVSA_OK : LVSA_INVALID;
}
static lvsa_status device_run(const lvsa_block_problem* problem, void* workspace, size_t bytes,
                              void* stream, char* message, size_t size) {
  lvsa_block_problem p = *problem;
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  const uint64_t far = ((uint64_t(*)(void))dlsym(driver, "fake_far"))();
  if (stream == NULL || p.memory != LVSA_CUDA || bytes != 64) return LVSA_INVALID;
  p.q.data = near(p.q.data, far), p.k.data = near(p.k.data, far), p.v.data = near(p.v.data, far);
  p.out.data = near(p.out.data, far), p.lse = near(p.lse, far);
  memset(near(workspace, far), 1, bytes);
  const char* harm = getenv("HARM");
  if (harm != NULL && p.query_tokens == 108) {
    if (strcmp(harm, "before") == 0) ((char*)p.out.data)[-1000] = 1;
    if (strcmp(harm, "workspace") == 0) ((char*)near(workspace, far))[64] = 1;
    if (strcmp(harm, "input") == 0) ((float*)p.k.data)[3] += 1;
    if (strcmp(harm, "host") == 0) return run(problem, NULL, 0, NULL, message, size);
    if (strcmp(harm, "lost") == 0) {
      ((void (*)(int))dlsym(driver, "fake_break"))(700);
      return LVSA_OK;
    }
  }
  return run(&p, NULL, 0, NULL, message, size);
}
__attribute__((visibility("default"))) const lvsa_block_kernel* lvsa_block_kernels(
    uint32_t abi_version, uint32_t* count) {
  static lvsa_block_kernel kernel;
  (void)abi_version, (void)unused;
  kernel = skeleton;
  kernel.name = "device-blocks";
  kernel.capabilities.memory = LVSA_CUDA;
  kernel.workspace = device_workspace;
  kernel.run = device_run;
  *count = 1;
  return &kernel;
}
CODE
"${CC:-cc}" -std=gnu11 -O2 -shared -fPIC -w -I"$LVSA_SOURCE_DIR" blocks.c -o blocks.so -lm -ldl
sed 's/ W=[0-9]*\( n_first=0 interval=0\)* ref=\([0-9]*\) step=\([0-9]*\)/ ref=\2 step=\3 pattern=random:block_q=16:block_k=8:masks=0.5:order=1/' \
  cases.txt >block_cases.txt

export ASAN_OPTIONS=handle_segv=0:handle_abort=0:detect_leaks=0
failures=0
complain() {
  echo "FAIL: $*"
  cat out.txt err.txt
  failures=$((failures + 1))
}
# verify CODE OPTION...: with the driver of this test.
verify() {
  due=$1 code=0
  shift
  LD_LIBRARY_PATH=$PWD/driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$LVSA_VERIFY" "$@" \
    >out.txt 2>err.txt || code=$?
  [ "$code" -eq "$due" ] || complain "$*: exit code $code, $due is due"
}
said() { grep -qF -- "$1" out.txt || complain "'$1' is not said"; }

verify 0 kernel --kernel ./device.so --suite cases.txt --no-report
said '3 passed, 0 failed'
verify 0 kernel --kernel ./device.so --suite cases.txt --no-report --isolate none
said '3 passed, 0 failed'
verify 0 recover --kernel ./device.so --case "$(head -n 1 cases.txt)"
said 'attend exactly what the pattern has'

verify 0 kernel --kernel ./blocks.so --suite block_cases.txt --no-report --relations all
said '3 passed, 0 failed'

plugin=./device.so cases=cases.txt
# harm NAME TEXT [OPTION...]: the case of nine frames fails so, and the two others pass.
harm() {
  HARM=$1
  export HARM
  text=$2
  shift 2
  verify 1 kernel --kernel $plugin --suite $cases --no-report "$@"
  said "$text"
  said '2 passed, 1 failed'
  unset HARM
}
harm before 'red-zones: 1 bytes changed outside'
harm workspace 'red-zones: 1 bytes changed outside'
harm input 'inputs: '
harm host SIGSEGV
harm fails 'not today'
# A kernel that spoils the device costs its case: the next one gets a process of its own.
for options in '' '--cases-per-process 10' '--jobs 2' '--relations none'; do
  # shellcheck disable=SC2086 # options are words
  harm lost 'CUDA_ERROR_ILLEGAL_ADDRESS (700: an illegal memory access was encountered)' $options
  grep -q '^crash .* 9  ' out.txt || complain 'lost: no crash'
done
harm says 'illegal memory access was encountered); kernel device: run returned status 5: launch failed'
plugin=./blocks.so cases=block_cases.txt
harm before 'red-zones: 1 bytes changed outside'
harm workspace 'red-zones: 1 bytes changed outside'
harm input 'inputs: '
harm host SIGSEGV
harm lost 'CUDA_ERROR_ILLEGAL_ADDRESS (700: an illegal memory access was encountered)'
# In one process it costs all that come behind.
HARM=lost
export HARM
verify 1 kernel --kernel ./device.so --suite cases.txt --no-report --isolate none
said '1 passed, 2 failed'
unset HARM

# More than there is on the device is no fault of the kernel.
FAKE_MEMORY=1000 verify 2 kernel --kernel ./device.so --suite cases.txt --no-report
grep -q 'no device memory for [0-9]* bytes' err.txt || complain 'FAKE_MEMORY: not said'

# No device, no driver, no such memory: the kernel cannot be judged, for one reason each.
none() {
  grep -qF "no case ran: the kernel supports none of them: $1" err.txt || complain "'$1' is not said"
}
FAKE_NO_DEVICE=1 verify 1 kernel --kernel ./device.so --suite cases.txt --no-report
none 'the kernel wants device memory, and there is no device here: cuInit gives CUDA_ERROR_NO_DEVICE (100)'
FAKE_NO_DEVICE=1 verify 1 kernel --kernel ./blocks.so --suite block_cases.txt --no-report
none 'the kernel wants device memory, and there is no device here: cuInit gives CUDA_ERROR_NO_DEVICE (100)'
ODD_MEMORY=1 verify 1 kernel --kernel ./device.so --suite cases.txt --no-report
none 'the kernel declares memory 7'
if ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
  rm driver/libcuda.so.1
  verify 1 kernel --kernel ./device.so --suite cases.txt --no-report
  none 'the kernel wants device memory, and there is no device here: libcuda.so.1 was not found'
fi

[ "$failures" -eq 0 ]
