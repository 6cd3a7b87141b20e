// Times of patterns: what a timed kernel is called with, and what stands in the figures. No test
// asks how long something takes.

#include "analysis/sweep/pattern_timing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "analysis/sweep/pattern_compare.hpp"
#include "core/error.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "tests/compare/compare_support.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::int64_t kTokens = 3 * 4 * 4;

// What the kernel below was called with.
struct Called {
  std::int64_t kept = 0;
  std::int64_t heads = 0;
  lvsa_dtype dtype = LVSA_DTYPE_NONE;
  bool heads_equal = true;
  std::vector<float> first_row;
};
std::vector<Called> called;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
bool refuse_sparse = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

lvsa_status watch(const lvsa_block_problem* p, void* workspace, size_t bytes, void* /*stream*/,
                  char* message, size_t size) {
  Called one;
  one.kept = p->maps[0].indptr[p->row_blocks];
  one.heads = p->heads;
  one.dtype = p->dtype;
  const auto* const q = static_cast<const float*>(p->q.data);
  for (std::int64_t t = 0; t < p->query_tokens; ++t) {
    for (std::int64_t h = 1; h < p->heads; ++h) {
      const float* const row = q + t * p->q.strides[1];
      one.heads_equal = one.heads_equal &&
                        std::memcmp(row, row + h * p->q.strides[2],
                                    static_cast<std::size_t>(p->head_dim) * sizeof(float)) == 0;
    }
  }
  one.first_row.assign(q, q + p->head_dim);
  called.push_back(one);
  if (bytes != 256) return LVSA_OUT_OF_MEMORY;
  std::memset(workspace, 1, bytes);
  if (refuse_sparse && one.kept < p->row_blocks * p->column_blocks) {
    std::strncpy(message, "no such map", size - 1);
    return LVSA_UNSUPPORTED;
  }
  return LVSA_OK;
}

lvsa_block_kernel watcher() {
  lvsa_block_kernel kernel{};
  kernel.abi_version = LVSA_BLOCK_KERNEL_ABI_VERSION;
  kernel.struct_size = sizeof kernel;
  kernel.name = "watcher";
  kernel.capabilities.struct_size = sizeof kernel.capabilities;
  kernel.capabilities.dtypes = LVSA_DTYPE_BIT(LVSA_F32);
  kernel.capabilities.memory = LVSA_HOST;
  kernel.capabilities.head_dim_min = kernel.capabilities.head_dim_multiple = 8;
  kernel.capabilities.head_dim_max = 64;
  kernel.capabilities.block_max = 64;
  kernel.capabilities.segments = 1;
  kernel.workspace = [](const lvsa_block_problem*, size_t* bytes) {
    *bytes = 256;
    return LVSA_OK;
  };
  kernel.run = watch;
  called.clear();
  refuse_sparse = false;
  return kernel;
}

TimingOptions options(std::int64_t blocks, std::int64_t heads = 0) {
  TimingOptions made;
  made.blocks = blocks;
  made.heads = heads;
  made.slot_s = 1e-12;  // one call a time
  return made;
}

PatternInput input_of(const Sample& sample) {
  PatternInput input;
  input.video = {sample.grid, 4, 4};
  input.q = sample.q;
  input.k = sample.k;
  input.v = sample.v;
  input.scale = sample.scale;
  return input;
}

const char* const kHalf = "random density=0.5 block_q=8 block_k=8 seed=3";

MeasuredTime time_half(PatternTimer& timer, const Sample& sample) {
  timer.take(sample);
  const auto rule = make_rule(kHalf);
  const HeadPattern pattern = rule->make(input_of(sample));
  EXPECT_EQ(timer.untimed_reason(pattern, kHalf), "");
  return timer.time(pattern, {*rule, kHalf}, input_of(sample));
}

CompareOptions options_of(const std::string& words, TimesPatterns* timer) {
  CompareOptions options;
  options.rules = parse_compare_rules(words);
  options.rows.rows_per_frame = 1;
  options.height = options.width = 4;
  options.timer = timer;
  options.threads = 1;
  return options;
}

TEST(PatternTiming, AlternatesThePatternWithAllBlocksInTheKernelsTypeOnEqualHeads) {
  const lvsa_block_kernel kernel = watcher();
  PatternTimer timer(kernel, options(2, 3));
  const Sample sample = testing::noise_sample({3, 16, 0}, 16, 5);
  const MeasuredTime time = time_half(timer, sample);
  const std::int64_t all = (kTokens / 8) * (kTokens / 8);
  std::vector<bool> dense;
  for (const Called& one : called) {
    EXPECT_EQ(one.heads, 3);
    EXPECT_EQ(one.dtype, LVSA_F32);
    EXPECT_TRUE(one.heads_equal);
    EXPECT_LE(one.kept, all);
    dense.push_back(one.kept == all);
  }
  // Three calls to warm up, then A B B A and B A A B.
  EXPECT_EQ(dense, (std::vector<bool>{true, false, false, true, false, false, true, false, true,
                                      true, false}));
  std::vector<double> row(16);
  sample.q.read_row(0, 0, 0, row.data());
  for (std::size_t d = 0; d < row.size(); ++d) {
    EXPECT_EQ(called.front().first_row[d], static_cast<float>(row[d]));
  }
  EXPECT_EQ(time.prediction_ms, 0.0);
  EXPECT_EQ(time.total_ms, time.attention_ms);
  EXPECT_NEAR(time.speedup * time.ratio, 1.0, 1e-12);
}

TEST(PatternTiming, SaysWhatTheKernelCannotTake) {
  const lvsa_block_kernel kernel = watcher();
  PatternTimer timer(kernel, options(1));
  timer.take(testing::noise_sample({3, 16, 0}, 16, 5));
  const auto reason = [&](const std::string& words) {
    return timer.untimed_reason(
        make_rule(words)->make(input_of(testing::noise_sample({3, 16, 0}, 16, 5))), words);
  };
  EXPECT_EQ(reason(kHalf), "");
  EXPECT_NE(reason("random block_q=8 block_k=8 order=1").find("no orders"), std::string::npos);
  EXPECT_NE(reason("random block_q=128 block_k=8").find("no blocks of 128 x 8"), std::string::npos);
  timer.take(testing::noise_sample({3, 16, 0}, 12, 5));
  EXPECT_NE(reason(kHalf).find("no head size 12"), std::string::npos);
}

TEST(PatternTiming, AComparisonKeepsTheMetricsOfPatternsThatCannotBeTimed) {
  const lvsa_block_kernel kernel = watcher();
  PatternTimer watched(kernel, options(1));
  LocalTimer timer(watched, make_rule);
  refuse_sparse = true;
  const testing::NoiseSource source({3, 16, 0}, 16, 2);
  const CompareResults results = compare_patterns(
      source, options_of(std::string(kHalf) + "; dense block_q=8 block_k=8", &timer));
  ASSERT_EQ(results.untimed.size(), 2U);  // the first pattern of both heads
  EXPECT_EQ(results.untimed[1].entry, 0U);
  EXPECT_EQ(results.untimed[1].sample, 1U);
  EXPECT_NE(results.untimed[0].reason.find("no such map"), std::string::npos);
  EXPECT_TRUE(results.failures.empty());
  const CompareFigures sparse = pooled_figures(results, 0);
  const CompareFigures dense = pooled_figures(results, 1);
  EXPECT_TRUE(std::isnan(sparse.measured.total_ms));
  EXPECT_TRUE(std::isfinite(sparse.metrics[static_cast<std::size_t>(Metric::kRelativeL2)]));
  EXPECT_TRUE(std::isfinite(dense.measured.total_ms));
  EXPECT_NE(results.time_source.find("watcher"), std::string::npos);
}

TEST(PatternTiming, WithoutAKernelNothingIsMeasured) {
  const testing::NoiseSource source({3, 16, 0}, 16, 1);
  const CompareResults results = compare_patterns(source, options_of("dense", nullptr));
  EXPECT_TRUE(std::isnan(results.values[0].measured.speedup));
  EXPECT_TRUE(results.time_source.empty());
  const lvsa_block_kernel kernel = watcher();
  EXPECT_THROW(PatternTimer(kernel, options(0)), Error);
}

}  // namespace
}  // namespace lvsa::analysis
