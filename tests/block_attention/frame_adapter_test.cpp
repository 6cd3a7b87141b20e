#include "reference/attention/blocks/frame_adapter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "core/tensor/tensor.hpp"
#include "reference/attention/tiled/cpu_kernel.hpp"

namespace lvsa::reference {
namespace {

struct Call {
  Call(std::int64_t frames, std::int64_t patches, std::int64_t text)
      : tokens(frames * patches + text),
        q(LVSA_BF16, {2, tokens, 4, 24}, Layout::kBSHD),
        k(LVSA_BF16, {2, tokens, 2, 24}, Layout::kBHSD),
        v(LVSA_BF16, {2, tokens, 2, 24}, Layout::kBSHD),
        out(LVSA_F32, {2, tokens, 4, 24}, Layout::kBSHD),
        lse(static_cast<std::size_t>(2 * tokens * 4)) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    for (Tensor* t : {&q, &k, &v}) {
      for (std::int64_t i = 0; i < t->elements(); ++i) {
        encode(LVSA_BF16, normal(random), t->bytes() + i * 2);
      }
    }
    // Frame f attends every third frame and itself; frame 1 nothing but text.
    offsets = {0};
    for (std::int32_t f = 0; f < frames; ++f) {
      for (std::int32_t g = 0; g < frames; ++g) {
        if (f != 1 && (g % 3 == 0 || g == f)) list.push_back(g);
      }
      offsets.push_back(static_cast<std::int64_t>(list.size()));
    }
    p.struct_size = sizeof p;
    p.batch = 2;
    p.frames = frames;
    p.patches_per_frame = patches;
    p.text_tokens = text;
    p.heads = 4;
    p.kv_heads = 2;
    p.head_dim = 24;
    p.scale = 0.2;
    p.dtype = LVSA_BF16;
    p.out_dtype = LVSA_F32;
    p.q = q.c_tensor();
    p.k = k.c_tensor();
    p.v = v.c_tensor();
    p.out = out.c_tensor();
    p.lse = lse.data();
    p.lse_strides[0] = tokens * 4;
    p.lse_strides[1] = 4;
    p.lse_strides[2] = 1;
    p.frame_lists = {offsets.data(), list.data()};
  }

  std::vector<float> run(const lvsa_kernel& kernel) {
    std::size_t bytes = 0;
    EXPECT_EQ(kernel.workspace(&p, &bytes), LVSA_OK);
    std::vector<char> workspace(bytes);
    char message[200] = "";
    EXPECT_EQ(kernel.run(&p, workspace.data(), bytes, nullptr, message, sizeof message), LVSA_OK)
        << message;
    std::vector<float> result(static_cast<std::size_t>(out.elements()));
    std::memcpy(result.data(), out.bytes(), out.size_bytes());
    result.insert(result.end(), lse.begin(), lse.end());
    return result;
  }

  std::int64_t tokens;
  Tensor q, k, v, out;
  std::vector<float> lse;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;
  lvsa_problem p{};
};

TEST(FrameAdapter, FrameBlocksGiveTheBitsOfTheKernelForFrameLists) {
  for (const auto& [frames, patches, text] :
       {std::array<std::int64_t, 3>{5, 30, 0}, std::array<std::int64_t, 3>{7, 9, 13},
        std::array<std::int64_t, 3>{1, 140, 3}}) {
    Call call(frames, patches, text);
    const auto due = call.run(cpu_kernel());
    const auto got = call.run(cpu_blocks_frame_kernel(FrameBlocks::kFrames));
    ASSERT_EQ(std::memcmp(due.data(), got.data(), due.size() * sizeof(float)), 0);
  }
}

TEST(FrameAdapter, TilesWithMasksAgreeUpToRounding) {
  Call call(7, 45, 13);
  const auto due = call.run(cpu_kernel());
  const auto got = call.run(cpu_blocks_frame_kernel(FrameBlocks::kTiles));
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (due[i] != got[i]) {
      ASSERT_NEAR(due[i], got[i], 1e-5);
    }
  }
}

TEST(FrameAdapter, BothWaysOfBlocksAttendTheSamePairs) {
  const Call call(7, 45, 13);
  const HeadPattern tiles = pattern_of_frames(call.p, FrameBlocks::kTiles);
  const HeadPattern frames = pattern_of_frames(call.p, FrameBlocks::kFrames);
  for (std::int64_t token = 0; token < call.tokens; token += 5) {
    EXPECT_EQ(visible_tokens(tiles, token), visible_tokens(frames, token)) << token;
  }
  EXPECT_EQ(visible_tokens(frames, 50), (std::vector<KeyRange>{{315, 328}}));
}

TEST(FrameAdapter, PassesARefusalOn) {
  Call call(5, 4, 0);
  call.list[0] = 9;
  char message[200] = "";
  std::vector<char> workspace(1 << 20);
  EXPECT_EQ(cpu_blocks_frame_kernel(FrameBlocks::kTiles)
                .run(&call.p, workspace.data(), workspace.size(), nullptr, message, sizeof message),
            LVSA_INVALID);
  EXPECT_NE(std::strstr(message, "frame_lists.list[0] = 9"), nullptr) << message;
}

}  // namespace
}  // namespace lvsa::reference
