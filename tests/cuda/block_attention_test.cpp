// The block-sparse kernels of the library on small problems, each against the oracle over maps; and
// that for the host, which tests the tests where there is no device.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <ostream>

#include "core/tensor/tensor.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "tests/cuda/block_case.hpp"
#include "tests/cuda/device_memory.hpp"

namespace lvsa::cuda::test {
namespace {

struct Subject {
  const char* name;
  const lvsa_block_kernel& (*kernel)();
};

// Without it, names of tests hold the addresses above.
void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name; }

using Size = std::pair<std::int64_t, std::int64_t>;

class BlockAttention : public testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    if (is_cpu()) return;
    const Device device = current_device();
    if (!device.usable) GTEST_SKIP() << device.reason;
    if (is_hopper() && device.major != 9) {
      GTEST_SKIP() << "cuda-blocks needs compute capability 9.0, " << device.name << " has "
                   << device.major << "." << device.minor;
    }
  }
  static const lvsa_block_kernel& kernel() { return GetParam().kernel(); }
  static bool is_hopper() { return std::string(kernel().name) == "cuda-blocks"; }
  static bool is_cpu() { return kernel().capabilities.memory == LVSA_HOST; }
  static std::vector<Size> hopper_sizes() {
    if (is_cpu()) return {{128, 64}};
    return {{128, 64}, {64, 128}, {128, 128}};
  }
  static std::vector<Size> block_sizes() {
    std::vector<Size> sizes = hopper_sizes();
    if (is_hopper() || is_cpu()) return sizes;
    for (const Size& size : {Size{64, 64}, {1, 1}, {16, 32}, {100, 30}, {7, 127}, {128, 65}}) {
      sizes.push_back(size);
    }
    return sizes;
  }
  static BlockShape shape_of(Size size) {
    BlockShape s;
    s.block_rows = size.first;
    s.block_columns = size.second;
    return s;
  }
  static BlockOutputs expect_right(const BlockCase& c, BlockCounts* counts = nullptr) {
    const BlockOutputs outputs = run_blocks(kernel(), c);
    EXPECT_EQ(compare(c, outputs, counts), "");
    return outputs;
  }
  static BlockOutputs expect_right(const BlockShape& s, const MapStyle& style,
                                   std::uint64_t seed = 1) {
    return expect_right(BlockCase(s, random_maps(s, style, seed), seed));
  }
};

TEST_P(BlockAttention, IsRightAtEveryBlockSizeHeadSizeAndTypeSmall) {
  for (const Size& size : block_sizes()) {
    BlockShape s = shape_of(size);
    if (size.first == 1) s.queries = s.keys = 40;
    for (const std::int64_t head_dim : {64, 128}) {
      for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16}) {
        s.head_dim = head_dim;
        s.dtype = dtype;
        expect_right(s, {});
      }
    }
  }
}

TEST_P(BlockAttention, IsRightAtHeadSizesBetweenTheInstancesAndForOutputsInFp32) {
  if (is_hopper()) return;
  for (const std::int64_t head_dim : {8, 16, 40, 72, 104, 128}) {
    BlockShape s = shape_of({128, 64});
    s.head_dim = head_dim;
    s.heads_first = head_dim % 16 == 8;
    s.f32_out = head_dim > 64;
    expect_right(s, {.masks = head_dim % 3 == 0});
  }
}

TEST_P(BlockAttention, IsRightAroundTheBlockSizes) {
  for (const Size& size : block_sizes()) {
    BlockShape s = shape_of(size);
    for (const std::int64_t tokens : {1, 7, 63, 64, 65, 127, 128, 129, 257}) {
      s.queries = s.keys = tokens;
      expect_right(s, {.kept = 80}, static_cast<std::uint64_t>(tokens));
      s.keys = 300 - tokens;
      expect_right(s, {.kept = 80}, static_cast<std::uint64_t>(tokens));
    }
  }
}

TEST_P(BlockAttention, IsRightWithMasksOrdersAndBlocksThatEndEarlySmall) {
  for (const Size& size : hopper_sizes()) {
    for (const unsigned which : {1U, 2U, 4U, 7U}) {
      BlockShape s = shape_of(size);
      s.head_dim = which == 7U ? 128 : 64;
      expect_right(s, {.kept = 70,
                       .masks = (which & 1U) != 0,
                       .order = (which & 2U) != 0,
                       .cuts = (which & 4U) != 0 ? 3U : 0U});
    }
  }
}

TEST_P(BlockAttention, IsRightForGroupedHeadsInBothLayoutsAndTwoBatchElements) {
  for (const std::int64_t group : {1, 2, 4}) {
    for (const bool heads_first : {false, true}) {
      BlockShape s = shape_of({128, 64});
      s.batch = 2;
      s.heads = 4;
      s.kv_heads = 4 / group;
      s.queries = s.keys = 200;
      s.heads_first = heads_first;
      s.want_lse = group != 2;
      expect_right(s, {.masks = true, .order = heads_first});
    }
  }
}

TEST_P(BlockAttention, OfARowWithoutKeysIsZeroAndItsLseMinusInfinitySmall) {
  for (const Size& size : {Size{128, 64}, Size{64, 128}}) {
    const BlockShape s = shape_of(size);
    expect_right(s, {.empty_rows = 50});
    expect_right(s, {.empty_rows = 100});
    // Masks of 5 % leave rows of kept blocks without keys.
    expect_right(s, {.kept = 20, .masks = true, .empty_rows = 20});
  }
}

TEST_P(BlockAttention, IsRightForScoresFromUniformToOneHot) {
  for (const double sigma : {0.0, 0.1, 3.0, 8.0}) {
    for (const lvsa_dtype dtype : {LVSA_BF16, LVSA_F16}) {
      BlockShape s = shape_of({64, 128});
      s.sigma = sigma;
      s.dtype = dtype;
      expect_right(s, {.masks = sigma > 1.0});
    }
  }
}

std::vector<HeadPattern> with_skip(std::vector<HeadPattern> maps, std::int64_t heads,
                                   std::initializer_list<double> thresholds) {
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::size_t head = i % static_cast<std::size_t>(heads);
    const double threshold = thresholds.begin()[head % thresholds.size()];
    if (threshold < std::numeric_limits<double>::infinity()) maps[i].skip = SkipRule{threshold};
  }
  return maps;
}

TEST_P(BlockAttention, SkipsWhatTheOracleSkipsSmall) {
  const double none = std::numeric_limits<double>::infinity();
  for (const Size& size : block_sizes()) {
    if (size.first == 1) continue;
    BlockShape s = shape_of(size);
    s.queries = 200;
    s.keys = 500;
    s.heads = 3;
    s.kv_heads = 1;
    s.sigma = 2.0;
    for (const bool masks : {false, true}) {
      const bool negative = masks;  // blocks are skipped that hold a row's maximum
      const BlockCase c(s, with_skip(random_maps(s, {.kept = 90, .masks = masks}, 5), s.heads,
                                     {0.0, none, negative ? -1.0 : 3.0}));
      expect_right(c);
    }
  }
}

TEST_P(BlockAttention, SkipsAlmostAllBlocksBehindABeacon) {
  for (const Size& size : hopper_sizes()) {
    BlockShape s = shape_of(size);
    s.keys = 1000;
    BlockCase c(s, with_skip(random_maps(s, {.kept = 100}, 3), s.heads, {2.0}));
    // The first key of all agrees with every query.
    std::uint16_t one = 0;
    lvsa::encode(s.dtype, 2.0, &one);
    for (std::int64_t h = 0; h < s.heads; ++h) {
      for (std::int64_t d = 0; d < s.head_dim; ++d) {
        c.k.bits[c.k.at(0, 0, h, d)] = one;
        for (std::int64_t i = 0; i < s.queries; ++i) {
          const std::size_t at = c.q.at(0, i, h, d);
          c.q.bits[at] = static_cast<std::uint16_t>(c.q.bits[at] & 0x7fff);
        }
      }
    }
    BlockCounts counts;
    expect_right(c, &counts);
    EXPECT_GT(counts.rows_with_skips * 2, counts.rows);
  }
}

TEST_P(BlockAttention, IsNotTouchedByWhatAMaskHidesSmall) {
  constexpr std::uint16_t kNan = 0x7fff;
  for (const Size& size : hopper_sizes()) {
    for (const bool order : {false, true}) {
      for (const bool skip : {false, true}) {
        BlockShape s = shape_of(size);
        s.head_dim = order ? 128 : 64;
        std::vector<HeadPattern> maps =
            random_maps(s, {.order = order, .cuts = 2, .hidden = 77}, order ? 11 : 12);
        if (skip) maps = with_skip(std::move(maps), s.heads, {1.0, 4.0});
        const BlockCase clean(s, maps, 9);
        BlockCase dirty(s, maps, 9);
        for (const std::uint16_t bits :
             {kNan, static_cast<std::uint16_t>(s.dtype == LVSA_BF16 ? 0x7f80 : 0x7c00)}) {
          dirty.poison(77, bits);
          EXPECT_EQ(compare(clean, run_blocks(kernel(), dirty)), "");
        }
      }
    }
  }
}

// A row's bits must not depend on which other rows have to be computed again.
TEST_P(BlockAttention, GivesARowTheSameBitsBesideAQueryThatIsNotANumberSmall) {
  BlockShape s = shape_of({128, 64});
  BlockCase c(s, random_maps(s, {.masks = true}, 4));
  const BlockOutputs clean = expect_right(c);
  for (std::int64_t d = 0; d < s.head_dim; ++d) c.q.bits[c.q.at(0, 70, 0, d)] = 0x7fff;
  const BlockOutputs dirty = run_blocks(kernel(), c);
  for (std::int64_t token = 0; token < s.queries; ++token) {
    for (std::int64_t d = 0; d < s.head_dim && token != 70; ++d) {
      const std::size_t at = clean.out.at(0, token, 0, d);
      ASSERT_EQ(clean.out.bits[at], dirty.out.bits[at]) << "token " << token;
    }
  }
}

TEST_P(BlockAttention, DoesNotReadKeyBlocksThatNobodyAttendsSmall) {
  BlockShape s = shape_of({128, 64});
  std::vector<HeadPattern> maps = random_maps(s, {.kept = 100}, 1);
  for (HeadPattern& p : maps) {  // all but the third key block
    HeadPattern rest;
    rest.map.rows = p.map.rows;
    rest.map.columns = p.map.columns;
    rest.map.indptr = {0};
    for (std::int64_t r = 0; r < p.map.rows.blocks(); ++r) {
      for (const std::int32_t column : p.map.row(r)) {
        if (column != 2) rest.map.indices.push_back(column);
      }
      rest.map.indptr.push_back(static_cast<std::int32_t>(rest.map.indices.size()));
    }
    p = rest;
  }
  BlockCase c(s, maps);
  const BlockOutputs clean = expect_right(c);
  for (std::int64_t token = 128; token < 192; ++token) c.poison(token, 0x7fff);
  const BlockOutputs dirty = run_blocks(kernel(), c);
  EXPECT_EQ(clean.out.bits, dirty.out.bits);
  EXPECT_EQ(clean.lse, dirty.lse);
}

TEST_P(BlockAttention, GivesTheSameBitsOnEveryRun) {
  BlockShape s = shape_of({128, 128});
  s.queries = s.keys = 1500;
  s.heads = 8;
  s.kv_heads = 4;
  s.head_dim = 128;
  const BlockCase c(
      s, with_skip(random_maps(s, {.masks = true, .order = true}, 1), s.heads, {1.0, 5.0}));
  const BlockOutputs first = run_blocks(kernel(), c);
  EXPECT_EQ(first.message, "");
  for (int i = 0; i < 5; ++i) {
    const BlockOutputs again = run_blocks(kernel(), c);
    EXPECT_EQ(first.out.bits, again.out.bits);
    EXPECT_EQ(first.lse, again.lse);
  }
}

TEST_P(BlockAttention, IsRightForAnyMaps) {
  const auto any = [](std::int64_t low, std::int64_t high) {
    return *rc::gen::inRange<std::int64_t>(low, high + 1);
  };
  const auto flag = [] { return *rc::gen::arbitrary<bool>(); };
  const auto one_case = [&] {
    const std::vector<Size> sizes = block_sizes();
    BlockShape s = shape_of(
        sizes[static_cast<std::size_t>(any(0, static_cast<std::int64_t>(sizes.size()) - 1))]);
    MapStyle style;
    style.kept = static_cast<unsigned>(any(0, 100));
    style.masks = flag();
    style.order = flag();
    style.cuts = static_cast<unsigned>(any(0, 3));
    style.empty_rows = static_cast<unsigned>(any(0, 40));
    const std::int64_t most = s.block_rows == 1 ? 40 : is_cpu() ? 150 : 400;
    s.queries = any(1, most);
    s.keys = style.order ? s.queries : any(1, most);
    s.batch = any(1, 2);
    s.kv_heads = any(1, 2);
    s.heads = s.kv_heads * any(1, 2);
    s.head_dim = is_hopper() ? 64 * any(1, 2) : 8 * any(1, 16);
    s.dtype = flag() ? LVSA_BF16 : LVSA_F16;
    s.heads_first = flag();
    s.want_lse = any(0, 9) > 0;
    s.sigma = 0.5 * static_cast<double>(any(0, 8));
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    std::vector<HeadPattern> maps = random_maps(s, style, seed);
    if (flag()) maps = with_skip(std::move(maps), s.heads, {0.0, 2.0, 6.0});
    const BlockCase c(s, std::move(maps), seed);
    const std::string wrong = compare(c, run_blocks(kernel(), c));
    if (!wrong.empty()) RC_FAIL(wrong);
  };
  EXPECT_TRUE(rc::check("block-sparse kernels agree with the oracle", one_case));
}

const lvsa_block_kernel& hopper() { return block_kernel("cuda-blocks"); }
const lvsa_block_kernel& portable() { return block_kernel("cuda-blocks-portable"); }

INSTANTIATE_TEST_SUITE_P(Kernels, BlockAttention,
                         testing::Values(Subject{"BlocksCpu", &reference::cpu_blocks_kernel},
                                         Subject{"BlocksPortable", &portable},
                                         Subject{"BlocksMarked", &marked_kernel},
                                         Subject{"BlocksHopper", &hopper}),
                         [](const testing::TestParamInfo<Subject>& one) {
                           return std::string(one.param.name);
                         });

TEST(BlockHostMemory, GivesTheBitsOfTheKernelForDeviceMemory) {
  LVSA_NEEDS_DEVICE();
  BlockShape s;
  s.heads_first = true;
  const BlockCase c(s, random_maps(s, {.masks = true, .order = true}, 2));
  const BlockOutputs device = run_blocks(portable(), c);
  const BlockOutputs host = run_blocks(block_kernel("cuda-blocks-portable-host"), c);
  EXPECT_EQ(compare(c, device), "");
  EXPECT_EQ(host.message, "");
  EXPECT_EQ(device.out.bits, host.out.bits);
  EXPECT_EQ(device.lse, host.lse);
}

}  // namespace
}  // namespace lvsa::cuda::test
