// What explain says of maps: held against the map itself and against kernels with known defects.
#include "analysis/blocks/explain_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/blocks/explain_pair.hpp"
#include "core/error.hpp"
#include "reference/attention/blocks/block_mutants.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using reference::BlockDefect;

constexpr const char* kMasked =
    "pattern=random:block_q=16:block_k=32:density=0.6:masks=0.5:order=1 T=4 P=40 text=9 H=2 Hkv=1 "
    "D=32 dtype=bf16 ref=21 step=0 input=gauss seed=1 rows=0";
constexpr const char* kSkipping =
    "pattern=random:block_q=16:block_k=16:density=0.9:skip=-1 T=4 P=40 H=2 Hkv=1 D=32 dtype=bf16 "
    "ref=21 step=0 input=gauss sigma=2 seed=1 rows=0";

const HeadPattern& head_of(const MapSubject& subject, std::int64_t head) {
  return subject.made.heads[static_cast<std::size_t>(head)];
}

std::vector<std::int64_t> tokens_of(const std::vector<KeyRange>& ranges) {
  std::vector<std::int64_t> tokens;
  for (const auto& [begin, end] : ranges) {
    for (std::int64_t token = begin; token < end; ++token) tokens.push_back(token);
  }
  return tokens;
}

Explanation explained(const MapSubject& subject, const ElementId& at,
                      const lvsa_block_kernel* kernel = nullptr, const std::string& other = {}) {
  std::optional<ElementCall> call;
  if (kernel != nullptr) call = element_of(call_maps(subject, *kernel, {at.row.token}), at);
  return explain_map_element(subject, at, call, 3, other);
}

double sum_of(const std::vector<ExplainedTerm>& terms) {
  double sum = 0.0;
  for (const ExplainedTerm& term : terms) sum += term.value;
  return sum;
}

TEST(ExplainMap, ListsTheKeysThatTheRowAttends) {
  const MapSubject subject = map_subject(parse_case(kMasked));
  for (const std::int64_t token : {0, 57, 168}) {
    const Explanation e = explained(subject, {{0, token, 1}, 3});
    std::vector<std::int64_t> listed;
    double share = 0.0;
    for (const ExplainedBlock& block : e.map->blocks) {
      listed.insert(listed.end(), block.keys.begin(), block.keys.end());
      share += block.share;
      EXPECT_EQ(std::count(block.bits.begin(), block.bits.end(), '#'),
                block.mask < 0 ? 0 : static_cast<std::int64_t>(block.keys.size()));
    }
    std::sort(listed.begin(), listed.end());
    EXPECT_EQ(listed, tokens_of(visible_tokens(head_of(subject, 1), token)));
    EXPECT_EQ(e.row.keys, static_cast<std::int64_t>(listed.size()));
    EXPECT_NEAR(share, listed.empty() ? 0.0 : 1.0, 1e-12);
  }
}

TEST(ExplainMap, ItsTermsAddUpAndItsVerdictIsThatOfTheJudge) {
  for (const char* line : {kMasked, kSkipping}) {
    const MapSubject subject = map_subject(parse_case(line));
    for (const std::int64_t token : {3, 100, 159}) {
      const Explanation e = explained(subject, {{0, token, 0}, 5}, &reference::cpu_blocks_kernel());
      EXPECT_NEAR(sum_of(e.terms) * e.factor, e.tolerance.total, 1e-12 * e.tolerance.total);
      EXPECT_NEAR(sum_of(e.lse_terms) * e.factor, e.lse_tolerance.total,
                  1e-12 * e.lse_tolerance.total);
      EXPECT_TRUE(e.accepted.contains(*e.got)) << line;
      EXPECT_EQ(e.declared_by, "cpu-blocks");
    }
  }
}

TEST(ExplainMap, ShowsWhichBlocksTheSkipLeavesOut) {
  const MapSubject subject = map_subject(parse_case(kSkipping));
  std::int64_t skipped = 0;
  for (std::int64_t token = 0; token < 160; token += 16) {
    const Explanation e = explained(subject, {{0, token, 0}, 0});
    EXPECT_EQ(e.map->head.threshold, -1.0);
    ASSERT_FALSE(e.map->blocks.empty());
    EXPECT_EQ(e.map->blocks.back().skip.state, reference::SkipState::kKept);
    std::int64_t keys = 0;
    for (const ExplainedBlock& block : e.map->blocks) {
      const bool out = block.skip.state == reference::SkipState::kSkipped;
      skipped += out ? 1 : 0;
      if (out) {
        EXPECT_EQ(block.share, 0.0);
        EXPECT_LE(block.skip.delta_high - 1.0, 0.0);
      } else {
        keys += static_cast<std::int64_t>(block.keys.size());
      }
    }
    EXPECT_EQ(e.row.keys, keys);
  }
  EXPECT_GT(skipped, 0);
}

TEST(ExplainMap, HoldsTheRowAgainstAnotherRule) {
  const MapSubject subject = map_subject(parse_case(kMasked));
  const ElementId at{{0, 57, 1}, 3};
  const Explanation same = explained(subject, at, nullptr, subject.c.pattern);
  EXPECT_TRUE(same.map->other->same_blocks);
  EXPECT_EQ(same.map->other->rows, 0);
  EXPECT_EQ(same.map->other->shared_keys, same.row.keys);
  EXPECT_EQ(same.map->other->out, same.row.out[3]);
  const Explanation dense =
      explained(subject, at, &reference::block_mutant_kernel(BlockDefect::kDense), "dense");
  const ExplainedOther& other = *dense.map->other;
  EXPECT_FALSE(other.same_blocks);
  EXPECT_EQ(other.keys, 169);
  EXPECT_EQ(other.shared_keys, dense.row.keys);
  EXPECT_EQ(static_cast<std::int64_t>(other.tokens_there.size()), 169 - dense.row.keys);
  EXPECT_TRUE(other.tokens_here.empty());
  EXPECT_TRUE(other.fits) << "a kernel that attends everything";
  EXPECT_FALSE(explained(subject, at, &reference::cpu_blocks_kernel(), "dense").map->other->fits);
}

TEST(ExplainPair, FindsWhichMistakeTheRowsOfTheQueryBlockFit) {
  const MapSubject subject = map_subject(parse_case(kMasked));
  const auto fitting = [&](BlockDefect defect) {
    const PairId at{0, 0, 2, 0};
    const LeftBehind left =
        call_maps(subject, reference::block_mutant_kernel(defect), query_tokens(subject, at));
    std::vector<std::string> fits;
    for (const ExplainedReading& reading : explain_pair(subject, at, left).readings) {
      if (reading.fits == 16) fits.push_back(reading.what);
    }
    return fits;
  };
  EXPECT_EQ(fitting(BlockDefect::kNone), std::vector<std::string>{"as the map has it"});
  EXPECT_EQ(fitting(BlockDefect::kMaskIgnored), std::vector<std::string>{"with no element mask"});
  const auto row = head_of(subject, 0).map.row(2);
  EXPECT_EQ(fitting(BlockDefect::kLastEntryMissed),
            std::vector<std::string>{"without key block " + std::to_string(row.back())});
}

TEST(ExplainPair, CountsPairsMasksAndKeepers) {
  const MapSubject subject = map_subject(parse_case(kMasked));
  const HeadPattern& head = head_of(subject, 0);
  std::int64_t pairs = 0;
  for (std::int64_t r = 0; r < head.map.rows.blocks(); ++r) {
    for (std::int64_t c = 0; c < head.map.columns.blocks(); ++c) {
      const ExplainedPair pair = explain_pair(subject, {0, 0, r, c}, std::nullopt);
      const auto row = head.map.row(r);
      EXPECT_EQ(pair.kept, std::find(row.begin(), row.end(), c) != row.end());
      EXPECT_EQ(pair.kept, std::count(pair.keepers.begin(), pair.keepers.end(), r) == 1);
      EXPECT_TRUE(pair.readings.empty());
      pairs += pair.pairs;
      EXPECT_EQ(pair.bits.size(), pair.mask < 0 ? 0 : pair.query_tokens.size());
    }
  }
  EXPECT_EQ(pairs, attended_pairs(head));
}

TEST(ExplainPair, NamesWhatIsOutsideOfTheCase) {
  const MapSubject subject = map_subject(parse_case(kMasked));
  try {
    explain_pair(subject, {0, 0, 0, 6}, std::nullopt);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "--block: key block 6 is outside this case; 0 .. 5 is due");
  }
}

}  // namespace
}  // namespace lvsa::analysis
