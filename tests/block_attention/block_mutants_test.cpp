#include "reference/attention/blocks/block_mutants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "reference/attention/blocks/block_oracle.hpp"
#include "tests/block_attention/block_case.hpp"

namespace block_test {
namespace {

using lvsa::BlockAxis;
using lvsa::HeadPattern;
using lvsa::reference::BlockDefect;

// Cases that between them reach every defect: blocks of unequal sizes, segments, masks wider than a
// word, orders, skip, groups, batches, an empty row, and inputs that are not centred.
std::vector<Case> all_cases() {
  const double thresholds[4] = {50.0, -0.5, -3.0, -1.5};
  std::vector<Case> cases;
  const BlockAxis rows = BlockAxis::of_begins({0, 24, 48, 60, 84, 90});
  const BlockAxis columns =
      BlockAxis::of_begins({0, 8, 16, 24, 32, 40, 48, 52, 60, 68, 76, 84, 90});
  Shape shape;
  shape.batch = 2;
  shape.heads = 4;
  shape.kv_heads = 2;
  shape.queries = shape.keys = 90;
  shape.dim = 8;
  shape.p_dtype = LVSA_BF16;
  shape.scale = 0.5;
  for (const bool order : {false, true}) {
    for (const bool skip : {false, true}) {
      std::vector<HeadPattern> patterns;
      for (unsigned i = 0; i < 8; ++i) {
        patterns.push_back(random_pattern(100 + i, rows, columns, i % 2 == 0, order));
        if (skip) patterns.back().skip = lvsa::SkipRule{thresholds[i % 4]};
      }
      cases.emplace_back(shape, patterns, 3U);
    }
  }
  // All scores far below 0.
  const std::vector<HeadPattern> last = cases.back().patterns;
  cases.emplace_back(shape, last, 4U);
  for (lvsa::Tensor* t : {&cases.back().q, &cases.back().k}) {
    for (std::int64_t i = 0; i < t->elements(); ++i) {
      const double value = 0.3 * lvsa::decode(LVSA_F32, t->bytes() + 4 * i);
      lvsa::encode(LVSA_F32, value + (t == &cases.back().q ? 1.0 : -1.0), t->bytes() + 4 * i);
    }
  }
  Shape wide = shape;
  wide.batch = 1;
  wide.heads = wide.kv_heads = 1;
  wide.queries = wide.keys = 200;
  wide.spread = 3.0;  // some scores far above others
  cases.emplace_back(wide, std::vector{random_pattern(5, BlockAxis::uniform(200, 96),
                                                      BlockAxis::uniform(200, 96), true, false)});
  // Fewer queries than keys.
  Shape unequal = shape;
  unequal.queries = 60;
  std::vector<HeadPattern> short_rows;
  for (unsigned i = 0; i < 8; ++i) {
    short_rows.push_back(
        random_pattern(300 + i, BlockAxis::of_begins({0, 24, 48, 60}), columns, true, false));
  }
  cases.emplace_back(unequal, short_rows, 5U);
  return cases;
}

// Largest difference of the outputs from those of the healthy kernel; infinite where only one is
// finite.
double apart(const Case& a, const Case& b) {
  double worst = 0.0;
  const auto join = [&worst](double x, double y) {
    if (x == y || (std::isnan(x) && std::isnan(y))) return;
    const double d = std::fabs(x - y);
    worst = std::isfinite(d) ? std::max(worst, d) : HUGE_VAL;
  };
  for (std::int64_t i = 0; i < a.out.elements(); ++i) {
    join(lvsa::decode(LVSA_F32, a.out.bytes() + 4 * i),
         lvsa::decode(LVSA_F32, b.out.bytes() + 4 * i));
  }
  for (std::size_t i = 0; i < a.lses.size(); ++i) {
    join(static_cast<double>(a.lses[i]), static_cast<double>(b.lses[i]));
  }
  return worst;
}

TEST(BlockMutants, TheHealthyOneAgreesWithSumsOverVisibleTokens) {
  for (Case& c : all_cases()) {
    if (c.arrays.has_skip()) continue;
    ASSERT_NO_FATAL_FAILURE(c.run(block_mutant_kernel(BlockDefect::kNone)));
    EXPECT_EQ(compare(c), "");
  }
}

TEST(BlockMutants, TheHealthyOneSkipsAsTheOracleDoes) {
  for (Case& c : all_cases()) {
    if (!c.arrays.has_skip()) continue;
    ASSERT_NO_FATAL_FAILURE(c.run(block_mutant_kernel(BlockDefect::kNone)));
    lvsa::reference::BlockOracle oracle(
        {c.q.view(), c.k.view(), c.v.view(), c.shape.scale, c.patterns}, {});
    std::vector<lvsa::reference::RowId> rows;
    for (std::int64_t t = 0; t < 90; ++t) rows.push_back({t % 2, t, t % 4});
    const auto due = oracle.attend_rows(rows);
    std::vector<double> out(8);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      c.out.view().read_row(rows[i].batch, rows[i].token, rows[i].head, out.data());
      for (std::size_t d = 0; d < 8; ++d) {
        ASSERT_NEAR(out[d], due[i].row.out[d], due[i].doubt[d] + 0.02) << i;
      }
    }
  }
}

TEST(BlockMutants, EachDefectShowsInSomeCase) {
  std::vector<Case> healthy = all_cases();
  for (Case& c : healthy) {
    ASSERT_NO_FATAL_FAILURE(c.run(block_mutant_kernel(BlockDefect::kNone)));
  }
  std::vector<Case> sick = all_cases();
  for (const auto& info : lvsa::reference::all_block_defects()) {
    const bool stale = info.defect == BlockDefect::kMapStale ||
                       info.defect == BlockDefect::kMapByAddress ||
                       info.defect == BlockDefect::kOrderStale;
    if (stale) continue;
    double worst = 0.0;
    for (std::size_t i = 0; i < sick.size() && worst < 1e-3; ++i) {
      ASSERT_NO_FATAL_FAILURE(sick[i].run(block_mutant_kernel(info.defect)));
      worst = std::max(worst, apart(sick[i], healthy[i]));
    }
    EXPECT_GE(worst, 1e-3) << info.name;
  }
}

TEST(BlockMutants, StaleOnesAnswerWithWhatTheySawFirst) {
  Shape shape;
  shape.queries = shape.keys = 64;
  shape.p_dtype = LVSA_BF16;
  const BlockAxis axis = BlockAxis::uniform(64, 16);
  for (const BlockDefect defect :
       {BlockDefect::kMapStale, BlockDefect::kOrderStale, BlockDefect::kMapByAddress}) {
    lvsa::reference::forget_previous_block_calls();
    const bool order = defect == BlockDefect::kOrderStale;
    Case first(shape, {random_pattern(1, axis, axis, false, order)});
    ASSERT_NO_FATAL_FAILURE(first.run(block_mutant_kernel(defect)));
    HeadPattern other = first.patterns.front();
    if (order) {
      other.order = random_pattern(2, axis, axis, false, true).order;
    } else {  // as many blocks, others
      for (auto& column : other.map.indices) column = 3 - column;
      for (std::int64_t r = 0; r < 4; ++r) {
        std::reverse(other.map.indices.begin() + other.map.indptr[static_cast<std::size_t>(r)],
                     other.map.indices.begin() + other.map.indptr[static_cast<std::size_t>(r) + 1]);
      }
    }
    Case second(shape, {other});
    if (defect == BlockDefect::kMapByAddress) {  // written over the first one's
      lvsa_block_problem from{}, to{};
      second.arrays.fill(from);
      first.arrays.fill(to);
      std::copy(from.maps[0].indices, from.maps[0].indices + from.maps[0].indptr[4],
                const_cast<std::int32_t*>(to.maps[0].indices));
      first.patterns = {other};
      ASSERT_NO_FATAL_FAILURE(first.run(block_mutant_kernel(defect)));
      EXPECT_NE(compare(first), "");
    } else {
      ASSERT_NO_FATAL_FAILURE(second.run(block_mutant_kernel(defect)));
      EXPECT_NE(compare(second), "");
    }
    lvsa::reference::forget_previous_block_calls();
    ASSERT_NO_FATAL_FAILURE(second.run(block_mutant_kernel(defect)));
    EXPECT_EQ(compare(second), "");
  }
}

TEST(BlockMutants, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& info : lvsa::reference::all_block_defects()) {
    const lvsa_block_kernel& kernel = block_mutant_kernel(info.defect);
    EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name;
    EXPECT_EQ(kernel.name, "emulated-blocks-" + std::string(info.name));
    EXPECT_EQ(lvsa::reference::find_block_mutant(kernel.name), &kernel);
    EXPECT_NE(std::string(info.description), "");
  }
  EXPECT_GE(names.size(), 25U);
  EXPECT_EQ(lvsa::reference::find_block_mutant("emulated-blocks-none"), nullptr);
}

}  // namespace
}  // namespace block_test
