// What the block-sparse kernels refuse: the status, one line that names the field (row and column
// of a map), and no launch. Needs no device.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/cuda/block_case.hpp"

namespace lvsa::cuda::test {
namespace {

// A sound problem on made-up addresses; its maps may be written to.
struct Writable {
  BlockCase c;
  lvsa_block_problem p;
  std::vector<std::int32_t> indptr, indices;
  lvsa_block_map map{};
  std::vector<float> thresholds = {1.0F, 2.0F};

  static BlockShape shape() {
    BlockShape s;
    s.queries = s.keys = 200;
    return s;
  }
  Writable() : c(shape(), random_maps(shape(), {.kept = 100}, 1)), p(c.problem()) {
    for (lvsa_tensor* t : {&p.q, &p.k, &p.v, &p.out}) {
      t->data = reinterpret_cast<void*>(std::uintptr_t{4096});
      t->strides[0] = 200 * 128;
      t->strides[1] = 128;
      t->strides[2] = 64;
      t->strides[3] = 1;
    }
    indptr.assign(p.maps[0].indptr, p.maps[0].indptr + p.row_blocks + 1);
    indices.assign(p.maps[0].indices, p.maps[0].indices + indptr.back());
    map.indptr = indptr.data();
    map.indices = indices.data();
    p.maps = &map;
    p.map_count = 1;
    p.skip_threshold_log2 = thresholds.data();
  }
};

class BlockRefusal : public testing::TestWithParam<const char*> {
 protected:
  static void expect(lvsa_status due, const std::string& part,
                     const std::function<void(Writable&)>& change) {
    Writable w;
    change(w);
    std::array<char, 512> message{};
    const lvsa_block_kernel& kernel = block_kernel(GetParam());
    EXPECT_EQ(kernel.run(&w.p, nullptr, 0, nullptr, message.data(), message.size()), due);
    const std::string line = message.data();
    EXPECT_NE(line.find(part), std::string::npos) << "due: " << part << "\ngot: " << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    if (due == LVSA_OUT_OF_MEMORY) return;
    std::size_t bytes = 1;
    EXPECT_EQ(kernel.workspace(&w.p, &bytes), due);
  }
};

TEST_P(BlockRefusal, TakesTheProblemThatTheOthersSpoil) {
  expect(LVSA_OUT_OF_MEMORY, "the workspace has 0 bytes", [](Writable&) {});
}

TEST_P(BlockRefusal, NamesRowAndColumnOfABadMap) {
  expect(LVSA_INVALID, "maps[0]: row 1: column 0 after 1: columns must ascend and be unique",
         [](Writable& w) { std::swap(w.indices[2], w.indices[3]); });
  expect(LVSA_INVALID, "maps[0]: row 0: column 2 is out of range, must be in 0 .. 1",
         [](Writable& w) { w.indices[1] = 2; });
  expect(LVSA_INVALID, "maps[0].indptr[1] = 7", [](Writable& w) { w.indptr[1] = 7; });
  expect(LVSA_INVALID, "skip_threshold_log2[1] = nan",
         [](Writable& w) { w.thresholds[1] = std::numeric_limits<float>::quiet_NaN(); });
  expect(LVSA_INVALID, "maps = null", [](Writable& w) { w.p.maps = nullptr; });
  expect(LVSA_INVALID, "order_of_head[0] = 3", [](Writable& w) {
    static constexpr std::int32_t kOrders[] = {3, -1};
    w.p.order_of_head = kOrders;
  });
}

TEST_P(BlockRefusal, NamesSizesTypesAndStrides) {
  expect(LVSA_INVALID, "kv_heads = 0", [](Writable& w) { w.p.kv_heads = 0; });
  expect(LVSA_INVALID, "struct_size = 8", [](Writable& w) { w.p.struct_size = 8; });
  expect(LVSA_UNSUPPORTED, "memory = 0", [](Writable& w) { w.p.memory = LVSA_HOST; });
  expect(LVSA_UNSUPPORTED, "dtype = 2", [](Writable& w) { w.p.dtype = LVSA_F32; });
  expect(LVSA_UNSUPPORTED, "out_dtype = 3", [](Writable& w) { w.p.out_dtype = LVSA_F16; });
  expect(LVSA_UNSUPPORTED, "p_dtype = 2", [](Writable& w) { w.p.p_dtype = LVSA_F32; });
  expect(LVSA_UNSUPPORTED, "head_dim = 12", [](Writable& w) { w.p.head_dim = 12; });
  expect(LVSA_UNSUPPORTED, "head_dim = 192", [](Writable& w) { w.p.head_dim = 192; });
  expect(LVSA_UNSUPPORTED, "block_rows x block_columns = 512 x 128",
         [](Writable& w) { w.p.block_rows = 512; });
  expect(LVSA_INVALID, "k is not aligned to 16 bytes",
         [](Writable& w) { w.p.k.data = reinterpret_cast<void*>(std::uintptr_t{4104}); });
  expect(LVSA_INVALID, "v.data = null", [](Writable& w) { w.p.v.data = nullptr; });
  expect(LVSA_UNSUPPORTED, "q.strides[1] = 132", [](Writable& w) { w.p.q.strides[1] = 132; });
  expect(LVSA_UNSUPPORTED, "k.strides[3] = 2", [](Writable& w) { w.p.k.strides[3] = 2; });
  expect(LVSA_INVALID, "elements would share a place",
         [](Writable& w) { w.p.out.strides[1] = 64; });
  expect(LVSA_INVALID,
         "scale = ", [](Writable& w) { w.p.scale = std::numeric_limits<double>::infinity(); });
}

INSTANTIATE_TEST_SUITE_P(Kernels, BlockRefusal,
                         testing::Values("cuda-blocks", "cuda-blocks-portable"),
                         [](const testing::TestParamInfo<const char*>& one) {
                           return std::string(one.param) == "cuda-blocks" ? "Hopper" : "Portable";
                         });

TEST(BlockRefusalHopper, NamesTheBlockSizesThatTheKernelHas) {
  Writable w;
  w.p.block_columns = 129;
  w.p.block_rows = 64;
  std::array<char, 512> message{};
  EXPECT_EQ(
      block_kernel("cuda-blocks").run(&w.p, nullptr, 0, nullptr, message.data(), message.size()),
      LVSA_UNSUPPORTED);
  EXPECT_STREQ(message.data(),
               "block_rows x block_columns = 64 x 129: must be 128 x 64 or 64 x 128 or 128 x 128 "
               "for this kernel");
}

}  // namespace
}  // namespace lvsa::cuda::test
