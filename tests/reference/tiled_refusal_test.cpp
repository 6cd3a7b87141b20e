// Malformed problems are refused with one line, whatever they hold.

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/reference/tiled_case.hpp"

namespace tiled_test {
namespace {

constexpr auto kHuge = std::numeric_limits<std::int64_t>::max();

struct Refusal {
  const char* name;
  lvsa_status status;
  std::string message;  // must contain
  std::function<void(lvsa_problem&)> spoil;
};

std::vector<Refusal> refusals() {
  static const std::int64_t kUnsorted[] = {0, 2, 2, 2, 2, 2};
  static const std::int64_t kFalling[] = {0, 2, 1, 2, 2, 2};
  static const std::int64_t kLong[] = {0, 6, 6, 6, 6, 6};
  static const std::int64_t kFromOne[] = {1, 2, 2, 2, 2, 2};
  static const std::int32_t kAscending[] = {1, 3, 1, 1, 1, 1};
  static const std::int32_t kDescending[] = {3, 2, 1, 1, 1, 1};
  static const std::int32_t kTwice[] = {3, 3, 1, 1, 1, 1};
  static const std::int32_t kOutside[] = {1, 5, 1, 1, 1, 1};
  static const std::int32_t kNegative[] = {-1, 2, 1, 1, 1, 1};
  return {
      {"no frames", LVSA_INVALID, "frames = 0", [](auto& p) { p.frames = 0; }},
      {"negative batch", LVSA_INVALID, "batch = -1", [](auto& p) { p.batch = -1; }},
      {"no patches", LVSA_INVALID, "patches_per_frame = 0",
       [](auto& p) { p.patches_per_frame = 0; }},
      {"negative text", LVSA_INVALID, "text_tokens = -3", [](auto& p) { p.text_tokens = -3; }},
      {"no heads", LVSA_INVALID, "heads = 0", [](auto& p) { p.heads = 0; }},
      {"no kv heads", LVSA_INVALID, "kv_heads = 0", [](auto& p) { p.kv_heads = 0; }},
      {"no head dimension", LVSA_INVALID, "head_dim = 0", [](auto& p) { p.head_dim = 0; }},
      {"uneven groups", LVSA_INVALID, "heads = 3: must be a multiple of kv_heads = 2",
       [](auto& p) { p.heads = 3, p.kv_heads = 2; }},
      {"overflowing tokens", LVSA_INVALID, "must fit 64 bits",
       [](auto& p) { p.patches_per_frame = kHuge / 2; }},
      {"overflowing text", LVSA_INVALID, "must fit 64 bits",
       [](auto& p) { p.text_tokens = kHuge; }},
      {"overflowing batch", LVSA_INVALID, "must fit 64 bits", [](auto& p) { p.batch = kHuge / 3; }},
      {"too many frames", LVSA_INVALID, "frames = 4294967296",
       [](auto& p) { p.frames = std::int64_t{1} << 32; }},
      {"head dimension beyond the kernel", LVSA_UNSUPPORTED, "head_dim = 2000",
       [](auto& p) { p.head_dim = 2000; }},
      {"fp8 input", LVSA_UNSUPPORTED, "dtype = 5", [](auto& p) { p.dtype = LVSA_E4M3; }},
      {"fp64 output", LVSA_UNSUPPORTED, "out_dtype = 1", [](auto& p) { p.out_dtype = LVSA_F64; }},
      {"fp8 P", LVSA_UNSUPPORTED, "p_dtype = 6", [](auto& p) { p.p_dtype = LVSA_E5M2; }},
      {"device memory", LVSA_UNSUPPORTED, "memory = 1", [](auto& p) { p.memory = LVSA_CUDA; }},
      {"negative threads", LVSA_INVALID, "threads = -2", [](auto& p) { p.threads = -2; }},
      {"scale not a number", LVSA_INVALID, "scale = nan",
       [](auto& p) { p.scale = std::numeric_limits<double>::quiet_NaN(); }},
      {"old struct", LVSA_INVALID, "struct_size = 8", [](auto& p) { p.struct_size = 8; }},
      {"no q", LVSA_INVALID, "q.data = null", [](auto& p) { p.q.data = nullptr; }},
      {"no k", LVSA_INVALID, "k.data = null", [](auto& p) { p.k.data = nullptr; }},
      {"no v", LVSA_INVALID, "v.data = null", [](auto& p) { p.v.data = nullptr; }},
      {"no out", LVSA_INVALID, "out.data = null", [](auto& p) { p.out.data = nullptr; }},
      {"overflowing stride", LVSA_INVALID, "k.strides[1]",
       [](auto& p) { p.k.strides[1] = kHuge / 4; }},
      {"least stride", LVSA_INVALID, "q.strides[3]",
       [](auto& p) { p.q.strides[3] = std::numeric_limits<std::int64_t>::min(); }},
      {"output rows in one place", LVSA_INVALID, "out.strides[1] = 0",
       [](auto& p) { p.out.strides[1] = 0; }},
      {"output rows overlapping", LVSA_INVALID, "out.strides[1] = 15",
       [](auto& p) { p.out.strides[1] = 15; }},
      {"lse in one place", LVSA_INVALID, "lse.strides[1] = 0",
       [](auto& p) { p.lse_strides[1] = 0; }},
      {"no offsets", LVSA_INVALID, "frame_lists.offsets = null",
       [](auto& p) { p.frame_lists.offsets = nullptr; }},
      {"no list", LVSA_INVALID, "frame_lists.list = null",
       [](auto& p) { p.frame_lists.list = nullptr; }},
      {"first offset", LVSA_INVALID, "frame_lists.offsets[0] = 1",
       [](auto& p) { p.frame_lists.offsets = kFromOne; }},
      {"falling offsets", LVSA_INVALID, "frame_lists.offsets[2] = 1",
       [](auto& p) {
         p.frame_lists = {kFalling, kAscending};
       }},
      {"row longer than the video", LVSA_INVALID, "frame_lists.offsets[1] = 6",
       [](auto& p) { p.frame_lists.offsets = kLong; }},
      {"descending row", LVSA_INVALID, "frame_lists.list[1] = 2",
       [](auto& p) {
         p.frame_lists = {kUnsorted, kDescending};
       }},
      {"duplicate", LVSA_INVALID, "frame_lists.list[1] = 3",
       [](auto& p) {
         p.frame_lists = {kUnsorted, kTwice};
       }},
      {"frame beyond the last", LVSA_INVALID, "frame_lists.list[1] = 5",
       [](auto& p) {
         p.frame_lists = {kUnsorted, kOutside};
       }},
      {"negative frame", LVSA_INVALID, "frame_lists.list[0] = -1",
       [](auto& p) {
         p.frame_lists = {kUnsorted, kNegative};
       }},
  };
}

TEST(TiledKernel, RefusesAMalformedProblemAndSaysWhy) {
  const lvsa_kernel& kernel = lvsa::reference::cpu_kernel();
  std::vector<unsigned char> workspace(1 << 22);
  for (const Refusal& refusal : refusals()) {
    Case c{Shape{}};
    const auto before = c.out.bytes();
    lvsa_problem problem = c.problem();
    refusal.spoil(problem);
    char message[400] = "";
    EXPECT_EQ(
        kernel.run(&problem, workspace.data(), workspace.size(), nullptr, message, sizeof(message)),
        refusal.status)
        << refusal.name;
    const std::string text = message;
    EXPECT_NE(text.find(refusal.message), std::string::npos) << refusal.name << ": " << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << refusal.name;
    EXPECT_EQ(c.out.bytes(), before) << refusal.name;
    std::size_t bytes = 1;
    EXPECT_EQ(kernel.workspace(&problem, &bytes), refusal.status) << refusal.name;
  }
}

TEST(TiledKernel, RefusesNullArgumentsAndASmallWorkspace) {
  const lvsa_kernel& kernel = lvsa::reference::cpu_kernel();
  Case c{Shape{}};
  const lvsa_problem problem = c.problem();
  std::size_t bytes = 0;
  ASSERT_EQ(kernel.workspace(&problem, &bytes), LVSA_OK);
  std::vector<unsigned char> workspace(bytes);
  char message[200] = "";
  EXPECT_EQ(kernel.run(nullptr, workspace.data(), bytes, nullptr, message, sizeof(message)),
            LVSA_INVALID);
  EXPECT_EQ(kernel.run(&problem, nullptr, bytes, nullptr, message, sizeof(message)), LVSA_INVALID);
  EXPECT_EQ(kernel.run(&problem, workspace.data(), bytes - 1, nullptr, message, sizeof(message)),
            LVSA_OUT_OF_MEMORY);
  EXPECT_NE(std::string(message).find("workspace_bytes = " + std::to_string(bytes - 1)),
            std::string::npos)
      << message;
  EXPECT_EQ(kernel.run(&problem, workspace.data(), bytes - 1, nullptr, nullptr, 0),
            LVSA_OUT_OF_MEMORY);
  EXPECT_EQ(kernel.workspace(&problem, nullptr), LVSA_INVALID);
  EXPECT_EQ(kernel.numerics(&problem, nullptr), LVSA_INVALID);
}

TEST(TiledKernel, CutsItsMessageToTheRoomThereIs) {
  Case c{Shape{}};
  lvsa_problem problem = c.problem();
  problem.frames = 0;
  char message[8] = "1234567";
  EXPECT_EQ(lvsa::reference::cpu_kernel().run(&problem, nullptr, 0, nullptr, message, 5),
            LVSA_INVALID);
  EXPECT_EQ(std::string(message), "fram");
  EXPECT_EQ(message[5], '6');
}

TEST(TiledKernel, NeedsMemoryForTilesOnly) {
  const lvsa_kernel& kernel = lvsa::reference::cpu_kernel();
  Shape shape;
  shape.patches = 1560;
  shape.dim = 128;
  Case small(shape);
  lvsa_problem problem = small.problem();
  std::size_t bytes = 0;
  ASSERT_EQ(kernel.workspace(&problem, &bytes), LVSA_OK);
  EXPECT_LT(bytes, std::size_t{2} * 640 * 1024) << "two threads";
}

}  // namespace
}  // namespace tiled_test
