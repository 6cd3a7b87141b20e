// What the portable kernel refuses: the status, one line that names the field, and no launch. All
// but the last test hold without a device.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "cuda/launch/portable_kernel.hpp"
#include "tests/cuda/attention_case.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

struct Refused {
  lvsa_status status;
  std::string message;
};

// A sound problem on made-up addresses, changed by `change`.
Refused refused(const std::function<void(lvsa_problem&)>& change) {
  AttentionCase c;
  c.frames = 3;
  c.patches = 4;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  flatten(c, offsets, list);
  lvsa_problem p = problem_of(c, offsets, list);
  for (lvsa_tensor* t : {&p.q, &p.k, &p.v, &p.out}) {
    t->data = reinterpret_cast<void*>(std::uintptr_t{4096});
    t->strides[0] = 12 * 64;
    t->strides[1] = 64;
    t->strides[2] = 64;
    t->strides[3] = 1;
  }
  change(p);
  std::array<char, 256> message{};
  const lvsa_status status =
      portable_kernel().run(&p, nullptr, 0, nullptr, message.data(), message.size());
  return {status, message.data()};
}

void expect(lvsa_status status, const std::string& part,
            const std::function<void(lvsa_problem&)>& change) {
  const Refused got = refused(change);
  EXPECT_EQ(got.status, status) << got.message;
  EXPECT_NE(got.message.find(part), std::string::npos) << got.message;
  EXPECT_EQ(got.message.find('\n'), std::string::npos) << got.message;
}

TEST(PortableKernel, RefusesSizes) {
  expect(LVSA_INVALID, "batch is 0", [](lvsa_problem& p) { p.batch = 0; });
  expect(LVSA_INVALID, "frames is -1", [](lvsa_problem& p) { p.frames = -1; });
  expect(LVSA_INVALID, "text_tokens is -1", [](lvsa_problem& p) { p.text_tokens = -1; });
  expect(LVSA_INVALID, "no multiple of kv_heads", [](lvsa_problem& p) {
    p.heads = 3;
    p.kv_heads = 2;
  });
  expect(LVSA_UNSUPPORTED, "head_dim is 60", [](lvsa_problem& p) { p.head_dim = 60; });
  expect(LVSA_UNSUPPORTED, "head_dim is 264", [](lvsa_problem& p) { p.head_dim = 264; });
  expect(LVSA_UNSUPPORTED, "is above 2147483647", [](lvsa_problem& p) {
    p.frames = 3;
    p.patches_per_frame = std::int64_t{1} << 62;
  });
  expect(LVSA_UNSUPPORTED, "query tiles", [](lvsa_problem& p) {
    p.heads = 1 << 30;
    p.kv_heads = 1;
  });
}

TEST(PortableKernel, RefusesTypes) {
  expect(LVSA_UNSUPPORTED, "input type", [](lvsa_problem& p) { p.dtype = LVSA_F32; });
  expect(LVSA_UNSUPPORTED, "output type", [](lvsa_problem& p) { p.out_dtype = LVSA_F16; });
  expect(LVSA_UNSUPPORTED, "P rounded", [](lvsa_problem& p) { p.p_dtype = LVSA_F16; });
  expect(LVSA_UNSUPPORTED, "device memory", [](lvsa_problem& p) { p.memory = LVSA_HOST; });
  expect(LVSA_INVALID, "scale", [](lvsa_problem& p) { p.scale = NAN; });
}

TEST(PortableKernel, RefusesPointersAndStrides) {
  expect(LVSA_INVALID, "v is null", [](lvsa_problem& p) { p.v.data = nullptr; });
  expect(LVSA_INVALID, "k is not aligned",
         [](lvsa_problem& p) { p.k.data = reinterpret_cast<void*>(std::uintptr_t{4096 + 8}); });
  expect(LVSA_UNSUPPORTED, "token stride is 65", [](lvsa_problem& p) { p.q.strides[1] = 65; });
  expect(LVSA_UNSUPPORTED, "element stride is 2", [](lvsa_problem& p) { p.out.strides[3] = 2; });
  expect(LVSA_INVALID, "out has a stride of 0", [](lvsa_problem& p) { p.out.strides[1] = 0; });
  expect(LVSA_INVALID, "lse is not aligned", [](lvsa_problem& p) {
    p.lse = reinterpret_cast<float*>(std::uintptr_t{4097});
    p.lse_strides[1] = 1;
  });
}

TEST(PortableKernel, RefusesLists) {
  static constexpr std::array<std::int64_t, 4> kOffsets = {0, 2, 1, 3};
  static constexpr std::array<std::int64_t, 4> kSound = {0, 2, 2, 3};
  static constexpr std::array<std::int32_t, 3> kTwice = {1, 1, 0};
  static constexpr std::array<std::int32_t, 3> kOutside = {1, 3, 0};
  expect(LVSA_INVALID, "offsets is null", [](lvsa_problem& p) { p.frame_lists.offsets = nullptr; });
  expect(LVSA_INVALID, "list is null", [](lvsa_problem& p) { p.frame_lists.list = nullptr; });
  expect(LVSA_INVALID, "frame list 1: its offsets descend",
         [](lvsa_problem& p) { p.frame_lists.offsets = kOffsets.data(); });
  expect(LVSA_INVALID, "frame list 0 is not ascending: 1 follows 1", [](lvsa_problem& p) {
    p.frame_lists = {kSound.data(), kTwice.data()};
  });
  expect(LVSA_INVALID, "frame list 0 holds frame 3, 0 .. 2 is due", [](lvsa_problem& p) {
    p.frame_lists = {kSound.data(), kOutside.data()};
  });
}

// In a process of its own, where no device is visible.
TEST(PortableKernel, RefusesAMissingDevice) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        setenv("CUDA_VISIBLE_DEVICES", "", 1);
        const Refused got = refused([](lvsa_problem&) {});
        std::fprintf(stderr, "%d %s\n", got.status, got.message.c_str());
        std::exit(got.status == LVSA_NO_DEVICE ? 0 : 1);
      },
      testing::ExitedWithCode(0), "no usable CUDA device");
}

TEST(PortableKernel, RefusesHostMemoryAndASmallWorkspace) {
  LVSA_NEEDS_DEVICE();
  expect(LVSA_OUT_OF_MEMORY, "the workspace has 0 bytes", [](lvsa_problem&) {});
  AttentionCase c;
  AttentionInputs inputs = make_inputs(c);
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  flatten(c, offsets, list);
  lvsa_problem p = problem_of(c, offsets, list);
  alignas(16) static std::array<std::uint16_t, 64> host{};
  for (lvsa_tensor* t : {&p.q, &p.k, &p.v, &p.out}) *t = {host.data(), {64, 64, 64, 1}};
  const DeviceArray<char> workspace(4096);
  std::array<char, 256> message{};
  EXPECT_EQ(
      portable_kernel().run(&p, workspace.get(), 4096, nullptr, message.data(), message.size()),
      LVSA_INVALID);
  EXPECT_NE(std::string(message.data()).find("q is not in memory that the device reaches"),
            std::string::npos)
      << message.data();
}

}  // namespace
}  // namespace lvsa::cuda::test
