// Tier B: kernels that compute what they declare are never accused, whatever the declaration leaves
// open; kernels that do something else are found.
#include "analysis/verify/tier_b.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <optional>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/run_case.hpp"
#include "reference/attention/shadow_loops.hpp"
#include "reference/attention/simd_level.hpp"
#include "tests/analysis/schedule_emulation.hpp"

namespace lvsa::analysis {
namespace {

using schedule_test::Drawn;
using schedule_test::EmulatedRow;
using schedule_test::Liberty;
using schedule_test::plain_schedule;

// A small problem with the oracle's results of some of its rows.
struct Problem {
  enum class Values { kOfTheCase, kOne };
  explicit Problem(const std::string& line, Values values = Values::kOfTheCase)
      : c(parse_case(line)), tensors(make_inputs(c)), rows(sample_rows(c)) {
    if (values == Values::kOne) {
      for (std::size_t i = 0; i < tensors.v.size_bytes(); i += 2) {
        encode(LVSA_BF16, 1.0, tensors.v.bytes() + i);
      }
    }
    problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
    exact = attend_rows(problem, rows, {});
  }
  Case c;
  AttentionTensors tensors;
  std::vector<reference::RowId> rows;
  reference::AttentionProblem problem;
  std::vector<reference::RowResult> exact;
};

struct Judged {
  double worst = 0.0;  ///< largest share of a tolerance
  double worst_lse = 0.0;
  double tolerance = 0.0;  ///< mean
  double tier_a = 0.0;     ///< mean tolerance of tier A
};

// What emulated rows are by the declaration; `does` is what is computed.
Judged judge(const Problem& p, const lvsa_numerics& declared, const lvsa_numerics& does,
             const Liberty& liberty) {
  const auto judge = make_schedule_judge(&declared, p.c.dtype, p.c.head_dim);
  const auto shadows = judge->replay(p.problem, p.rows, p.exact);
  Judged found;
  double count = 0.0;
  for (std::size_t r = 0; r < p.rows.size(); ++r) {
    if (!shadow_is_sound(shadows[r])) continue;
    const EmulatedRow row =
        emulate(p.problem, p.rows[r], does, liberty, static_cast<std::uint32_t>(r));
    for (std::size_t i = 0; i < row.out.size(); ++i) {
      const double t = schedule_tolerance(judge->model(), shadows[r], p.exact[r], i).total;
      const double error = std::fabs(static_cast<double>(row.out[i]) - shadows[r].out[i]);
      // NaN counts as the worst.
      if (!(error <= 0.0)) found.worst = std::max(found.worst, error <= 1e300 ? error / t : 1e300);
      found.tolerance += t;
      const RowSteps steps = row_steps(judge->model(), shadows[r].keys, shadows[r].tiles);
      found.tier_a += output_tolerance(judge->model(), p.exact[r], i, steps).total;
      count += 1.0;
    }
    const double t = schedule_lse_tolerance(judge->model(), shadows[r]);
    const double error = std::fabs(static_cast<double>(row.lse) - shadows[r].lse);
    // Its own rounding to fp32 is the interval's, not the tolerance's.
    const double own = std::fabs(shadows[r].lse) * 0x1p-24;
    if (!(error <= own)) found.worst_lse = std::max(found.worst_lse, (error - own) / t);
  }
  found.tolerance /= std::max(1.0, count);
  found.tier_a /= std::max(1.0, count);
  return found;
}

const char* const kInputs[] = {"gauss", "indicator", "ties", "sink", "beacon", "large", "uniform"};

std::string line(const char* input, unsigned seed, const char* more = "") {
  return fmt::format(
      "T=6 P=11 text={} H=2 Hkv=1 D=32 dtype=bf16 W=1 ref=3 step={} input={} seed={} rows=14 {}",
      seed % 3 * 5, seed % 4, input, seed, more);
}

TEST(TierB, AcceptsWhateverADeclaredScheduleLeavesOpen) {
  std::mt19937 random(20261121);
  for (unsigned i = 0; i < 98; ++i) {
    const Problem problem(line(kInputs[i % 7], i));
    const Drawn drawn = schedule_test::draw_schedule(random);
    ASSERT_TRUE(declared_schedule(drawn.numerics)) << drawn.text();
    const Judged judged = judge(problem, drawn.numerics, drawn.numerics, drawn.liberty);
    EXPECT_LE(judged.worst, 1.0) << problem.c.seed << " " << kInputs[i % 7] << " " << drawn.text();
    EXPECT_LE(judged.worst_lse, 1.0) << kInputs[i % 7] << " " << drawn.text();
  }
}

TEST(TierB, FindsAKernelThatComputesAnotherScheduleThanItDeclares) {
  const std::pair<const char*, void (*)(lvsa_numerics&)> changes[] = {
      {"another tile", [](lvsa_numerics& n) { n.key_tile = 5; }},
      {"tiles cross frames", [](lvsa_numerics& n) { n.tiles_cross_frames = 1; }},
      {"descending", [](lvsa_numerics& n) { n.key_order = LVSA_KEYS_DESCENDING; }},
      {"text first", [](lvsa_numerics& n) { n.key_order = LVSA_KEYS_TEXT_FIRST; }},
      {"final maximum", [](lvsa_numerics& n) { n.max_rule = LVSA_MAX_FINAL; }},
      {"P in fp16", [](lvsa_numerics& n) { n.p_dtype = LVSA_F16; }},
      {"P not rounded", [](lvsa_numerics& n) { n.p_dtype = LVSA_F32; }},
      {"P toward zero", [](lvsa_numerics& n) { n.p_rounding = LVSA_P_TOWARD_ZERO; }},
      {"sum of rounded P", [](lvsa_numerics& n) { n.sum_rounded_p = 1; }},
      {"normalised first",
       [](lvsa_numerics& n) {
         n.max_rule = LVSA_MAX_FINAL;
         n.normalise_first = 1;
       }},
      {"split",
       [](lvsa_numerics& n) {
         n.split_keys = 2;
         n.split_rule = LVSA_SPLIT_ROUND_ROBIN;
       }},
  };
  const Problem problem(line("gauss", 4, "sigma=1.5"));
  const lvsa_numerics declared = plain_schedule();
  EXPECT_LE(judge(problem, declared, declared, {}).worst, 1.0);
  for (const auto& [name, change] : changes) {
    lvsa_numerics does = declared;
    change(does);
    EXPECT_GT(judge(problem, declared, does, {}).worst, 3.0) << name;
  }
}

TEST(TierB, IsTensOfTimesTighterThanTierAOnRandomData) {
  const Problem problem(
      "T=8 P=257 H=1 Hkv=1 D=128 dtype=bf16 W=1 ref=4 step=1 input=gauss seed=3 rows=4");
  const Judged judged = judge(problem, plain_schedule(), plain_schedule(), {});
  EXPECT_GT(judged.tier_a / judged.tolerance, 30.0);
  EXPECT_LE(judged.worst, 1.0);
}

TEST(TierB, IsReachedByARightKernelWhoseRoundingsInDoubtFallTheOtherWay) {
  double worst = 0.0;
  for (unsigned seed = 0; seed < 8; ++seed) {
    const Problem problem(fmt::format(
        "T=5 P=33 H=1 Hkv=1 D=16 dtype=bf16 W=1 ref=3 input=gauss seed={} rows=0", seed));
    worst = std::max(worst, judge(problem, plain_schedule(), plain_schedule(), {}).worst);
  }
  EXPECT_GT(worst, 0.5);
  EXPECT_LE(worst, 1.0);
}

TEST(TierB, CountsAFactorThatIsNotExactlyOne) {
  const Problem problem(
      "T=8 P=129 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=4 step=1 input=gauss sigma=2 seed=3 rows=4");
  lvsa_numerics n = plain_schedule();
  n.key_tile = 1;
  Liberty liberty;
  liberty.fused_shift = true;
  n.rescale_exact = 0;
  const Judged honest = judge(problem, n, n, liberty);
  EXPECT_LE(honest.worst, 1.0);
  lvsa_numerics claims = n;
  claims.rescale_exact = 1;
  EXPECT_GT(honest.tolerance, 1.5 * judge(problem, claims, n, liberty).tolerance);
}

// P is divided by a sum that 2,000 additions cut off, which carries weights that many keys share
// over a border of bf16.
TEST(TierB, CountsEveryAdditionOfACarriedSumThatPIsDividedBy) {
  lvsa_numerics n = plain_schedule();
  n.key_tile = 64;
  n.sum_step = 1;
  n.max_rule = LVSA_MAX_FINAL;
  n.normalise_first = 1;
  n.accumulator_roundoff = 0x1p-23;
  Liberty liberty;
  liberty.truncates = true;
  liberty.carried = true;
  // With B + 2 N steps for the sum, the tolerance of these would be exceeded up to four times.
  for (const unsigned seed : {41U, 44U, 50U, 69U}) {
    const Problem problem(fmt::format("T=4 P={} H=1 Hkv=1 D=16 dtype=bf16 W=4 ref=4 input=ties "
                                      "seed={} rows=12",
                                      501 + 7 * seed, seed),
                          Problem::Values::kOne);
    const Judged judged = judge(problem, n, n, liberty);
    EXPECT_GT(judged.tolerance, 0.0) << "no row was judged";
    EXPECT_LE(judged.worst, 1.0) << seed;
  }
}

TEST(TierB, GivesTheSameBitsWithAnyInstructionsAndThreads) {
  const Problem problem(
      "T=6 P=37 text=5 H=2 Hkv=1 D=40 dtype=bf16 W=1 ref=3 step=1 input=gauss seed=5 rows=0");
  const std::int64_t dim = 37;
  std::vector<double> query(dim);
  std::vector<double> panel(static_cast<std::size_t>(dim * reference::kShadowPanel));
  for (std::size_t i = 0; i < panel.size(); ++i) {
    panel[i] = static_cast<double>(bell(random_bits(1, 2, i)));
  }
  for (std::size_t i = 0; i < query.size(); ++i) {
    query[i] = static_cast<double>(bell(random_bits(1, 3, i)));
  }
  std::vector<std::vector<double>> results;
  std::vector<const reference::ShadowLoops*> levels = {&reference::kShadowBaselineLoops};
#if LVSA_SIMD_X86
  if (machine_has(reference::SimdLevel::kAvx2)) levels.push_back(&reference::kShadowAvx2Loops);
  if (machine_has(reference::SimdLevel::kAvx512)) levels.push_back(&reference::kShadowAvx512Loops);
#endif
  for (const reference::ShadowLoops* loops : levels) {
    std::vector<double> out(3 * reference::kShadowPanel + dim, 0.0);
    const reference::ShadowScoreArgs args = {query.data(),
                                             panel.data(),
                                             dim,
                                             5,
                                             out.data(),
                                             out.data() + reference::kShadowPanel,
                                             out.data() + 2 * reference::kShadowPanel};
    loops->score(&args);
    loops->add_values(query.data(), panel.data(), 13, dim,
                      out.data() + 3 * reference::kShadowPanel);
    results.push_back(out);
    EXPECT_EQ(results.front(), out);
  }
  const lvsa_numerics schedule = plain_schedule();
  const auto judge = make_schedule_judge(&schedule, LVSA_BF16, 40);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = judge->replay(problem.problem, problem.rows, problem.exact);
  omp_set_num_threads(3);
  const auto three = judge->replay(problem.problem, problem.rows, problem.exact);
  omp_set_num_threads(before);
  for (std::size_t r = 0; r < one.size(); ++r) {
    ASSERT_EQ(one[r].out, three[r].out);
    ASSERT_EQ(one[r].doubts, three[r].doubts);
  }
}

}  // namespace
}  // namespace lvsa::analysis
