// The hint that only some query tokens are wanted.

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/reference/tiled_case.hpp"

namespace tiled_test {
namespace {

Shape tall() {
  Shape shape;
  shape.frames = 5;
  shape.patches = 700;  // several items a frame
  shape.text = 90;
  shape.heads = 4;
  shape.kv_heads = 2;
  shape.dim = 24;
  shape.dtype = LVSA_BF16;
  return shape;
}

// Runs with the list of wanted tokens.
lvsa_status run_wanted(Case& c, const lvsa_kernel& kernel,
                       const std::vector<std::int64_t>& wanted) {
  lvsa_problem problem = c.problem();
  problem.wanted_tokens = wanted.data();
  problem.wanted_count = static_cast<std::int64_t>(wanted.size());
  std::size_t bytes = 0;
  const lvsa_status status = kernel.workspace(&problem, &bytes);
  if (status != LVSA_OK) return status;
  std::vector<char> workspace(bytes);
  std::array<char, 256> message{};
  return kernel.run(&problem, workspace.data(), bytes, nullptr, message.data(), message.size());
}

TEST(TiledKernel, GivesWantedRowsTheBitsOfAFullRun) {
  const std::vector<std::int64_t> wanted = {0, 47, 48, 699, 700, 1999, 3499, 3500, 3589};
  for (const lvsa_kernel* kernel : all_levels()) {
    Case full(tall());
    ASSERT_NO_FATAL_FAILURE(full.run(*kernel));
    Case part(tall());
    ASSERT_EQ(run_wanted(part, *kernel, wanted), LVSA_OK);
    for (const std::int64_t token : wanted) {
      for (std::int64_t h = 0; h < 4; ++h) {
        for (std::int64_t d = 0; d < 24; ++d) {
          ASSERT_EQ(part.out.get(0, token, h, d), full.out.get(0, token, h, d)) << token;
        }
      }
    }
  }
}

TEST(TiledKernel, LeavesOutMostOfWhatIsNotWanted) {
  Case part(tall());
  for (std::int64_t token = 0; token < part.tokens(); ++token) part.out.set(0, token, 0, 0, -77.0);
  ASSERT_EQ(run_wanted(part, lvsa::reference::cpu_kernel(), {1000}), LVSA_OK);
  std::int64_t untouched = 0;
  for (std::int64_t token = 0; token < part.tokens(); ++token) {
    untouched += part.out.get(0, token, 0, 0) == -77.0 ? 1 : 0;
  }
  EXPECT_GT(untouched, part.tokens() * 4 / 5);
  EXPECT_NE(part.out.get(0, 1000, 0, 0), -77.0);
}

TEST(TiledKernel, RefusesAListOfWantedTokensThatIsNone) {
  Case c(tall());
  const lvsa_kernel& kernel = lvsa::reference::cpu_kernel();
  EXPECT_EQ(run_wanted(c, kernel, {5, 5}), LVSA_INVALID);
  EXPECT_EQ(run_wanted(c, kernel, {-1}), LVSA_INVALID);
  EXPECT_EQ(run_wanted(c, kernel, {c.tokens()}), LVSA_INVALID);
}

}  // namespace
}  // namespace tiled_test
