// The kernels of SpargeAttn's prediction, run thread by thread on the CPU, against core/sparse.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/sparse/sparge_blocks.hpp"
#include "core/tensor/tensor.hpp"
#include "tests/prediction/simt.hpp"
// Behind it, since it gives CUDA's names a meaning:
#include "cuda/prediction/mean.cuh"
#include "cuda/prediction/pool.cuh"
#include "cuda/prediction/score.cuh"
#include "cuda/prediction/select.cuh"
#include "cuda/prediction/tables.cuh"
#include "tests/support/prediction_case.hpp"

namespace lvsa::cuda::prediction {
namespace {

using test_support::PredictedMaps;
using test_support::PredictionCase;
using test_support::PredictionFill;
using test_support::PredictionTensor;

// What cuda/launch/sparge_prediction.cpp queues.
template <typename Type, int kDim>
class Prediction {
 public:
  explicit Prediction(const PredictionCase& c)
      : c_(c),
        tensors_(make_tensors(c)),
        heads_(c.batch * c.heads),
        kv_heads_(c.batch * c.kv_heads),
        parts_((c.tokens - 1) / kMeanTokens + 1),
        numbers_(size(c.heads)),
        sums_(size(kv_heads_ * parts_ * kDim)),
        largest_(sums_.size() / 2),
        flipped_(sums_.size() / 2),
        centre_(size(kv_heads_ * kDim)),
        q_means_(size(heads_ * c.row_blocks() * kDim)),
        k_means_(size(kv_heads_ * c.column_blocks() * kDim)),
        q_spans_(size(heads_ * c.row_blocks())),
        k_spans_(size(kv_heads_ * c.column_blocks())),
        q_alike_(size(heads_ * c.row_blocks()), 7),
        k_alike_(size(heads_ * c.column_blocks()), 7),
        q_faults_(size(heads_), 7),
        k_faults_(size(kv_heads_), 7),
        maps_(unwritten_maps(c)) {}

  std::vector<float> centres() {
    tables();
    centre();
    return centre_;
  }
  PredictedMaps run() {
    tables();
    if (c_.smooth_k) centre();
    pool(q_work(), c_.block_rows);
    pool(k_work(), c_.block_columns);
    score();
    select();
    return maps_;
  }

 private:
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
  static Rows rows_of(const PredictionTensor& t) {
    return {t.bits.data(), {t.strides[0], t.strides[1], t.strides[2]}};
  }
  static double of_head(const std::vector<double>& numbers, std::int64_t head) {
    return numbers.size() == 1 ? numbers[0] : numbers[size(head)];
  }

  void tables() {
    Tables t;
    t.numbers = numbers_.data();
    t.zeroed[0] = q_faults_.data();
    t.zeroed[1] = k_faults_.data();
    t.zeroed[2] = maps_.faults.data();
    t.zeroed_count[0] = t.zeroed_count[2] = heads_;
    t.zeroed_count[1] = kv_heads_;
    HeadNumbersPart part;
    part.count = static_cast<int>(c_.heads);
    const std::int64_t columns = c_.column_blocks();
    for (std::int64_t h = 0; h < c_.heads; ++h) {
      HeadNumbers& one = part.numbers[h];
      one.least = static_cast<float>(of_head(c_.simthreshd1, h));
      if (c_.topk.empty()) {
        one.most = static_cast<float>(of_head(c_.cdfthreshd, h));
      } else {
        const float taken = static_cast<float>(of_head(c_.topk, h)) * static_cast<float>(columns);
        one.taken =
            std::clamp(static_cast<std::int32_t>(taken), 1, static_cast<std::int32_t>(columns));
      }
    }
    simt::run(1, kTableThreads, [&] { write_tables_kernel(t, part); });
  }
  void centre() {
    MeanWork w;
    w.x = rows_of(tensors_.k);
    w.heads = static_cast<int>(c_.kv_heads);
    w.tokens = static_cast<int>(c_.tokens);
    w.parts = static_cast<int>(parts_);
    w.batch_heads = kv_heads_;
    w.sums = sums_.data();
    w.largest = largest_.data();
    w.flipped = flipped_.data();
    w.centre = centre_.data();
    w.faults = k_faults_.data();
    simt::run(kv_heads_ * parts_, kMeanThreads, [&] { add_up_tokens_kernel<Type, kDim>(w); });
    simt::run(kv_heads_, kDim * kCentreGroups, [&] { take_centre_kernel<Type, kDim>(w); });
  }
  PoolWork q_work() {
    PoolWork w;
    w.x = rows_of(tensors_.q);
    w.heads = static_cast<int>(c_.heads);
    w.tokens = static_cast<int>(c_.tokens);
    w.blocks = static_cast<int>(c_.row_blocks());
    w.batch_heads = heads_;
    w.partial_kept = c_.partial_kept;
    w.likeness = std::any_of(c_.simthreshd1.begin(), c_.simthreshd1.end(),
                             [](double least) { return static_cast<float>(least) >= 0.0F; });
    w.numbers = numbers_.data();
    w.means = q_means_.data();
    w.spans = q_spans_.data();
    w.alike = q_alike_.data();
    w.faults = q_faults_.data();
    return w;
  }
  PoolWork k_work() {
    PoolWork w = q_work();
    w.x = rows_of(tensors_.k);
    w.heads = static_cast<int>(c_.kv_heads);
    w.heads_per_x = static_cast<int>(c_.heads / c_.kv_heads);
    w.blocks = static_cast<int>(c_.column_blocks());
    w.batch_heads = kv_heads_;
    w.backwards = c_.smooth_k;
    w.centre = c_.smooth_k ? centre_.data() : nullptr;
    w.means = k_means_.data();
    w.spans = k_spans_.data();
    w.alike = k_alike_.data();
    w.faults = k_faults_.data();
    return w;
  }
  void pool(const PoolWork& w, std::int64_t rows) {
    const auto kernel = rows == 64 ? (w.likeness ? &pool_blocks_kernel<Type, kDim, 64, true>
                                                 : &pool_blocks_kernel<Type, kDim, 64, false>)
                                   : (w.likeness ? &pool_blocks_kernel<Type, kDim, 128, true>
                                                 : &pool_blocks_kernel<Type, kDim, 128, false>);
    const std::int64_t at_once = kPoolWarps * kPoolWarpRows / rows;
    simt::run((w.batch_heads * w.blocks + at_once - 1) / at_once, kPoolThreads, [&] { kernel(w); });
  }
  void score() {
    ScoreWork w;
    w.heads = static_cast<int>(c_.heads);
    w.heads_per_kv = static_cast<int>(c_.heads / c_.kv_heads);
    w.row_blocks = static_cast<int>(c_.row_blocks());
    w.column_blocks = static_cast<int>(c_.column_blocks());
    w.batch_heads = heads_;
    w.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(kDim)));
    w.round_p = c_.round_p;
    w.q_means = q_means_.data();
    w.k_means = k_means_.data();
    w.q_spans = q_spans_.data();
    w.k_spans = k_spans_.data();
    w.k_alike = k_alike_.data();
    scores_.resize(maps_.indices.size());
    w.scores = scores_.data();
    const auto tiles = [](std::int64_t n) { return (n + kScoreTile - 1) / kScoreTile; };
    const std::int64_t warps = heads_ * tiles(c_.row_blocks()) * tiles(c_.column_blocks());
    simt::run((warps + kScoreWarps - 1) / kScoreWarps, kScoreThreads,
              [&] { score_blocks_kernel<Type, kDim>(w); });
    std::memcpy(maps_.indices.data(), scores_.data(), scores_.size() * sizeof(float));
  }
  void select() {
    SelectWork w;
    w.heads = static_cast<int>(c_.heads);
    w.heads_per_kv = static_cast<int>(c_.heads / c_.kv_heads);
    w.row_blocks = static_cast<int>(c_.row_blocks());
    w.column_blocks = static_cast<int>(c_.column_blocks());
    w.rows = heads_ * c_.row_blocks();
    w.round_p = c_.round_p;
    w.sink = c_.attention_sink;
    w.numbers = numbers_.data();
    w.q_alike = q_alike_.data();
    w.k_alike = k_alike_.data();
    w.q_faults = q_faults_.data();
    w.k_faults = k_faults_.data();
    w.faults = maps_.faults.data();
    w.row_count = maps_.row_count.data();
    w.indices = maps_.indices.data();
    const auto kernel = w.column_blocks <= 32    ? &select_blocks_kernel<Type, 1>
                        : w.column_blocks <= 128 ? &select_blocks_kernel<Type, 4>
                                                 : &select_blocks_kernel<Type, 0>;
    simt::run((w.rows + 3) / 4, 4 * 32, [&] { kernel(w); });
  }

  const PredictionCase& c_;
  test_support::PredictionTensors tensors_;
  std::int64_t heads_;
  std::int64_t kv_heads_;
  std::int64_t parts_;
  std::vector<HeadNumbers> numbers_;
  std::vector<double> sums_;
  std::vector<std::uint32_t> largest_;
  std::vector<std::uint32_t> flipped_;
  std::vector<float> centre_;
  std::vector<float> q_means_;
  std::vector<float> k_means_;
  std::vector<MeanSpan> q_spans_;
  std::vector<MeanSpan> k_spans_;
  std::vector<std::uint8_t> q_alike_;
  std::vector<std::uint8_t> k_alike_;
  std::vector<std::int32_t> q_faults_;
  std::vector<std::int32_t> k_faults_;
  std::vector<float> scores_;
  PredictedMaps maps_;
};

// The first head.
TensorView view_of(const PredictionCase& c, const PredictionTensor& tensor) {
  TensorView view;
  view.data = tensor.bits.data();
  view.dtype = c.dtype;
  view.shape = {1, c.tokens, 1, c.head_dim};
  view.strides = {0, tensor.strides[1], 0, 1};
  return view;
}

std::string difference_to_rule(const PredictionCase& c) {
  PredictedMaps maps;
  if (c.dtype == LVSA_BF16) {
    maps = c.head_dim == 64 ? Prediction<Bf16, 64>(c).run() : Prediction<Bf16, 128>(c).run();
  } else {
    maps = c.head_dim == 64 ? Prediction<F16, 64>(c).run() : Prediction<F16, 128>(c).run();
  }
  return difference(c, rule_maps(c, make_tensors(c)), maps);
}

TEST(SpargeKernels, GiveTheRulesMapsForRandomCases) {
  const bool holds = rc::check("maps are the rule's", [] {
    const PredictionCase c = test_support::any_prediction_case(300);
    const std::string found = difference_to_rule(c);
    if (!found.empty()) RC_FAIL(text(c) + ": " + found);
  });
  EXPECT_TRUE(holds);
}

TEST(SpargeKernels, GiveTheRulesMapsForEveryKindOfNumbers) {
  for (int fill = 0; fill < test_support::kPredictionFills; ++fill) {
    PredictionCase c;
    c.tokens = 330;
    c.heads = 2;
    if (fill % 4 == 3) c.dtype = LVSA_F16;
    c.q_fill = c.k_fill = static_cast<PredictionFill>(fill);
    c.partial_kept = false;
    c.simthreshd1 = {-1.0, 0.9};
    c.topk = {fill % 2 == 0 ? 0.4 : 0.8};
    if (fill % 3 == 0) std::swap(c.topk, c.cdfthreshd);
    EXPECT_EQ(difference_to_rule(c), "") << text(c);
  }
}

// Scores that differ where probabilities do not, more than a few.
TEST(SpargeKernels, BreakTiesOfProbabilitiesNotOfScores) {
  for (const double share : {0.4, 0.9}) {
    PredictionCase c;
    c.tokens = 1200;
    c.q_fill = PredictionFill::kFaint;
    c.k_fill = PredictionFill::kNoise;
    c.topk = {share};
    EXPECT_EQ(difference_to_rule(c), "") << text(c);
    c.q_fill = c.k_fill = PredictionFill::kPeaked;  // most are 0
    EXPECT_EQ(difference_to_rule(c), "") << text(c);
  }
}

// More columns than a warp has lanes, all of them ties.
TEST(SpargeKernels, TakeTheFirstOfManyTies) {
  PredictionCase c;
  c.tokens = 64 * 40;
  c.smooth_k = false;
  c.k_fill = PredictionFill::kConstant;
  c.topk = {0.9};
  EXPECT_EQ(difference_to_rule(c), "") << text(c);
}

// Sums of products that cancel: what is left depends on the order.
TEST(SpargeKernels, AddUpInTheRulesOrder) {
  PredictionCase c;
  c.tokens = 1200;
  c.smooth_k = false;
  c.q_fill = PredictionFill::kPaired;
  c.k_fill = PredictionFill::kOpposed;
  EXPECT_EQ(difference_to_rule(c), "") << text(c);
  c.smooth_k = true;
  c.q_fill = c.k_fill = PredictionFill::kCancel;
  EXPECT_EQ(difference_to_rule(c), "") << text(c);
}

// Thresholds that the likeness of a block equals, or misses by an ulp. All keys are alike.
TEST(SpargeKernels, DecideLikenessAtTheThresholdAsTheRuleDoes) {
  PredictionCase c;
  c.tokens = 256;
  c.block_columns = 128;
  c.smooth_k = false;
  c.k_fill = PredictionFill::kConstant;
  for (c.seed = 1; c.seed < 7; ++c.seed) {
    const PredictionTensor q = make_tensors(c).q;
    const float likeness =
        sparse::pool_blocks(view_of(c, q), BlockAxis::uniform(c.tokens, c.block_rows), {})
            .likeness[1];
    for (const float least :
         {likeness, std::nextafter(likeness, 0.0F), std::nextafter(likeness, 1.0F)}) {
      c.simthreshd1 = {static_cast<double>(least)};
      EXPECT_EQ(difference_to_rule(c), "") << text(c);
    }
  }
}

// A centre that is off shows in few maps, since it moves all scores of a row alike.
TEST(SpargeKernels, TakeTheRulesMeanOfAllKeys) {
  for (const PredictionFill fill : {PredictionFill::kNoise, PredictionFill::kDust,
                                    PredictionFill::kCancel, PredictionFill::kWide}) {
    PredictionCase c;
    c.tokens = 700;
    c.k_fill = fill;
    const auto keys = make_tensors(c).k;
    const std::vector<double> due = sparse::mean_row(view_of(c, keys));
    const std::vector<float> got = Prediction<Bf16, 64>(c).centres();
    for (std::size_t d = 0; d < due.size(); ++d) {
      EXPECT_EQ(static_cast<double>(got[d]), due[d]) << text(c) << " column " << d;
    }
  }
}

}  // namespace
}  // namespace lvsa::cuda::prediction
