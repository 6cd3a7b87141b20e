// Replay files of block cases: small, complete, failing again with the kernel that failed and
// passing with a sound one; edited files are refused.

#include <gtest/gtest.h>

#include <string>

#include "analysis/blocks/block_replay.hpp"
#include "analysis/verify/replay_case.hpp"
#include "core/error.hpp"
#include "reference/attention/blocks/block_mutants.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"
#include "tests/support/refusal.hpp"

namespace lvsa::analysis {
namespace {

using reference::BlockDefect;

const ShrinkBudget kLittle{6, 5.0, 0x1p32};

Case small_case(const std::string& words) {
  return parse_case(
      "ref=21 step=0 rows=0 seed=5 input=gauss T=2 P=40 H=2 Hkv=1 D=8 dtype=bf16 "
      "pattern=random:block_q=16:block_k=16:" +
      words);
}

// The replay as it is after a file.
ReplayCase saved(const ReplayCase& replay) {
  const std::string text = replay_to_json(replay);
  ReplayCase read = replay_from_json(text, "replay.json");
  EXPECT_EQ(replay_to_json(read), text);
  return read;
}

TEST(BlockReplay, FailsAgainFromItsFileAndPassesWithASoundKernel) {
  for (const auto& [defect, words] :
       {std::pair(BlockDefect::kMaskTransposed, "masks=0.5"),
        std::pair(BlockDefect::kInverseForgotten, "density=0.5:order=1"),
        std::pair(BlockDefect::kSkipSign, "density=1:skip=1"),
        std::pair(BlockDefect::kMapOfHeadZero, "density=0.4")}) {
    const auto& kernel = reference::block_mutant_kernel(defect);
    const ReplayCase replay =
        saved(smallest_block_replay(small_case(words), kernel, "output", kLittle));
    EXPECT_EQ(replay.check, "output");
    EXPECT_FALSE(replay.message.empty());
    EXPECT_LE(replay.rows.size(), 4U);
    EXPECT_EQ(judge_block_replay(replay, kernel).check, "output") << words;
    EXPECT_EQ(judge_block_replay(replay, reference::cpu_blocks_kernel()).check, "") << words;
  }
}

TEST(BlockReplay, KeepsARelationAndADeclaredSchedule) {
  const auto& cut = reference::block_mutant_kernel(BlockDefect::kKeysCutAtQueries);
  const ReplayCase relation = saved(
      smallest_block_replay(small_case("density=0.9"), cut, "fewer-queries", {4, 5.0, 0x1p32}));
  EXPECT_EQ(judge_block_replay(relation, cut).check, "fewer-queries");
  EXPECT_EQ(judge_block_replay(relation, reference::cpu_blocks_kernel()).check, "");

  lvsa_block_kernel lying = reference::cpu_blocks_kernel();
  lying.numerics = [](const lvsa_block_problem* p, lvsa_numerics* n) {
    const lvsa_status status = reference::cpu_blocks_kernel().numerics(p, n);
    n->p_dtype = LVSA_BF16;
    return status;
  };
  const ReplayCase schedule =
      saved(smallest_block_replay(small_case("density=0.9"), lying, "schedule", kLittle));
  EXPECT_EQ(judge_block_replay(schedule, lying).check, "schedule");
}

// Of a file with one thing changed.
std::string refusal(const ReplayCase& replay, const std::string& from, const std::string& to) {
  std::string text = replay_to_json(replay);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return test_support::refusal_of([&] { replay_from_json(text, "r.json"); });
}

TEST(BlockReplay, RefusesMapsThatAreNone) {
  const ReplayCase replay = smallest_block_replay(
      small_case("masks=0.5"), reference::block_mutant_kernel(BlockDefect::kMaskTransposed),
      "output", kLittle);
  EXPECT_EQ(refusal(replay, "\"maps\"", "\"mats\""), "r.json: no 'maps'");
  EXPECT_EQ(refusal(replay, "\"indptr\": [\n     0", "\"indptr\": [\n     1"),
            "r.json: 'maps': a pattern: indptr begins with 1, 0 is due");
  EXPECT_NE(refusal(replay, "\"block_rows\": 16", "\"block_rows\": 8").find("exceed the nominal"),
            std::string::npos);
  EXPECT_NE(refusal(replay, "\"block_rows\": 16", "\"block_rows\": 2147483647")
                .find("more than a replay file holds"),
            std::string::npos);
  EXPECT_NE(refusal(replay, "\"mask_bits\": \"", "\"mask_bits\": \"z").find("hexadecimal"),
            std::string::npos);
  EXPECT_NE(refusal(replay, "\"of_head\": [\n   0", "\"of_head\": [\n   7").find("pattern 7 of"),
            std::string::npos);
}

}  // namespace
}  // namespace lvsa::analysis
