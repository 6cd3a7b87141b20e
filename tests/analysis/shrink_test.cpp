// Failures of the corpus, made small, saved, and run again.
#include "analysis/verify/shrink.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"

namespace lvsa::analysis {
namespace {

using reference::Defect;

// Between them they fail every defect that one call can show.
constexpr const char* kCases[] = {
    "T=9 P=5 text=5 B=2 H=4 Hkv=2 D=16 dtype=bf16 layout=bhsd W=1 ref=4 step=1 input=gauss seed=1 "
    "rows=128",
    "T=20 P=3 H=1 Hkv=1 D=32 dtype=bf16 W=2 interval=6 ref=9 step=5 input=indicator seed=4 rows=60",
    "T=12 P=3 H=1 Hkv=1 D=32 dtype=bf16 W=0 n_first=0 interval=0 ref=5 step=0 condition=3,8 "
    "input=indicator seed=12 rows=0",
    "T=15 P=3 H=1 Hkv=1 D=32 dtype=bf16 W=2 ref=7 expand=0 step=1 input=indicator seed=14 rows=0",
    "T=3 P=40 H=1 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1 input=gauss seed=8 rows=0",
    "T=3 P=40 H=1 Hkv=1 D=32 dtype=bf16 W=1 ref=4 step=1 input=large seed=8 rows=0",
    "T=3 P=5 text=3 H=2 Hkv=2 D=32 dtype=bf16 W=1 ref=4 step=1 input=phantom seed=7 rows=0",
    "T=5 P=3 H=1 Hkv=1 D=8 dtype=f32 W=1 n_first=0 interval=0 ref=5 step=0 input=indicator seed=5 "
    "rows=0",
    "T=40 P=10 H=2 Hkv=2 D=32 dtype=bf16 W=1 ref=9 step=1 input=indicator seed=1 rows=80",
    // Rows without a key.
    "T=5 P=4 H=1 Hkv=1 D=8 dtype=bf16 W=0 n_first=0 interval=0 ref=5 step=0 input=gauss seed=2 "
    "rows=0"};

std::string kind_of(const Case& c, const lvsa_kernel& kernel) {
  reference::forget_previous_calls();
  return failure_kind(run_case(c, kernel, {}));
}

// The defect's first failing case and its kind; an empty kind when it fails none.
std::pair<Case, std::string> failing_case(const lvsa_kernel& kernel) {
  for (const char* line : kCases) {
    const Case c = parse_case(line);
    const std::string kind = kind_of(c, kernel);
    if (!kind.empty()) return {c, kind};
  }
  return {};
}

// What these defects do shows only in what several calls have to do with each other, or hangs on
// where the call's memory lies.
bool shows_in_one_call(Defect defect) {
  for (const Defect other :
       {Defect::kStalePattern, Defect::kEqualChecksums, Defect::kMaskBiasFinite,
        Defect::kMaskByZeroWeight, Defect::kPreviousCall, Defect::kOrderVaries,
        Defect::kTensorEndOverrun, Defect::kDataByAddress}) {
    if (defect == other) return false;
  }
  return true;
}

class Shrinks : public testing::TestWithParam<reference::DefectInfo> {};

TEST_P(Shrinks, ToATinyCaseWhoseReplayFailsHereAndPassesOnTheHealthyKernel) {
  const lvsa_kernel& kernel = reference::mutant_kernel(GetParam().defect);
  const auto [c, kind] = failing_case(kernel);
  if (!shows_in_one_call(GetParam().defect)) return;
  ASSERT_FALSE(kind.empty()) << "no case fails";
  std::int64_t trials = 0;
  const auto fails = [&, &due = kind](const Case& candidate) {
    ++trials;
    return kind_of(candidate, kernel) == due;
  };
  const Case small = shrink_case(c, fails, {});
  EXPECT_EQ(kind_of(small, kernel), kind);
  EXPECT_LE(trials, 300);
  const std::int64_t tokens = small.batch * small.grid.seq_len() * small.heads;
  // The offset that wraps at 2^14 elements needs that many.
  EXPECT_LE(tokens, GetParam().defect == Defect::kOffsetOverflow ? 1024 : 32) << to_line(small);

  reference::forget_previous_calls();
  const std::string text = replay_to_json(smallest_replay(small, kernel, kind, {}));
  EXPECT_LT(text.size(), 20'000U);
  const ReplayCase replay = replay_from_json(text, "replay");
  reference::forget_previous_calls();
  const ReplayVerdict verdict = judge_replay(replay, kernel);
  EXPECT_EQ(verdict.check, replay.check);
  EXPECT_EQ(verdict.message, replay.message);
  const ReplayVerdict healthy = judge_replay(replay, reference::mutant_kernel(Defect::kNone));
  EXPECT_EQ(healthy.check, "") << healthy.message << " " << to_line(small);
}

INSTANTIATE_TEST_SUITE_P(Corpus, Shrinks,
                         testing::ValuesIn(reference::all_defects().begin(),
                                           reference::all_defects().end()),
                         [](const auto& parameter) {
                           std::string name = parameter.param.name;
                           for (char& c : name) c = std::isalnum(c) != 0 ? c : '_';
                           return name;
                         });

TEST(ShrinkCase, AsksForNothingSmallerThanWhatFails) {
  // A made-up failure: three frames of at least seven tokens and two heads.
  const Case c = parse_case(
      "model=m T=21 P=64 text=7 B=3 H=8 Hkv=4 D=64 dtype=bf16 layout=bhsd W=3 ref=9 step=4 "
      "condition=2,3 input=gauss seed=9 rows=64");
  const Case small =
      shrink_case(c,
                  [](const Case& x) {
                    return x.grid.frames >= 3 && x.grid.patches_per_frame >= 7 && x.heads >= 2;
                  },
                  {});
  EXPECT_EQ(
      to_line(small),
      "model=custom T=3 P=7 H=2 Hkv=1 D=1 dtype=bf16 W=0 n_first=0 ref=1 step=0 input=uniform "
      "seed=1 rows=0");
}

TEST(ShrinkCase, StaysWithinItsBudget) {
  const Case c = parse_case(kCases[0]);
  std::int64_t asked = 0;
  ShrinkBudget budget;
  budget.trials = 5;
  shrink_case(
      c,
      [&](const Case&) {
        ++asked;
        return true;
      },
      budget);
  EXPECT_LE(asked, 5);
  const Case same = shrink_case(c, [](const Case&) { return false; }, {});
  EXPECT_EQ(same.grid.frames, c.grid.frames);
}

class ReplayFile : public testing::Test {
 protected:
  ReplayFile() {
    const lvsa_kernel& kernel = reference::mutant_kernel(Defect::kTextMissing);
    const Case c = parse_case(
        "T=2 P=2 text=2 H=1 Hkv=1 D=4 dtype=bf16 ref=4 step=0 input=gauss seed=1 rows=0");
    json_ = nlohmann::json::parse(replay_to_json(smallest_replay(c, kernel, "output", {})));
  }
  void refused(const std::string& said) const {
    try {
      replay_from_json(json_.dump(), "file");
      ADD_FAILURE() << "accepted; '" << said << "' is due";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.rfind("file: ", 0), 0U) << message;
      EXPECT_NE(message.find(said), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
  nlohmann::json json_;
};

TEST_F(ReplayFile, SurvivesTheRoundTrip) {
  const ReplayCase once = replay_from_json(json_.dump(), "file");
  const ReplayCase twice = replay_from_json(replay_to_json(once), "file");
  EXPECT_EQ(replay_to_json(once), replay_to_json(twice));
  EXPECT_EQ(once.rows.size(), twice.rows.size());
  ASSERT_FALSE(once.rows.empty());
  EXPECT_EQ(once.rows[0].low, twice.rows[0].low);
}

TEST_F(ReplayFile, IsRefusedWhenAPartIsMissingOrWrong) {
  const nlohmann::json good = json_;
  for (const auto& item : good.items()) {
    json_ = good;
    json_.erase(item.key());
    refused("");
    json_ = good;
    json_[item.key()] = nlohmann::json::array({nullptr, -1, "x"});
    refused("");
  }
  json_ = good;
  json_["version"] = 2;
  refused("version 2");
  json_ = good;
  json_["case"] = "T=2 P=2";
  refused("D");
  json_ = good;
  json_["case"] =
      "T=1000000 P=1000000 H=1 Hkv=1 D=64 dtype=bf16 ref=4 step=0 input=gauss seed=1 rows=0";
  refused("more than a replay file holds");
  json_ = good;
  json_["lists"] = {{0, 1}, {1, 1}};
  refused("list 1: ascending frames 0 .. 1");
  json_ = good;
  json_["lists"] = {{0, 1}, {5}};
  refused("list 1");
  json_ = good;
  json_["rows"][0]["token"] = 6;
  refused("'token' is 6; 0 .. 5 is due");
  json_ = good;
  json_["q"] = json_["q"].get<std::string>() + "A";
  refused("'q' is cut");
  json_ = good;
  json_["k"] = "!!!!";
  refused("no base 64");
  json_ = good;
  json_["v"] = "AAAA";
  refused("does not unpack");
}

TEST_F(ReplayFile, IsRefusedWhenCutAnywhere) {
  const std::string text = json_.dump();
  for (std::size_t size = 0; size < text.size(); size += 7) {
    EXPECT_THROW(replay_from_json(text.substr(0, size), "file"), Error) << size;
  }
  EXPECT_THROW(read_replay("no-such-file.json"), Error);
  EXPECT_THROW(read_replay("."), Error);
}

TEST(Replay, OfARightKernelCannotBeMade) {
  const lvsa_kernel& healthy = reference::mutant_kernel(Defect::kNone);
  EXPECT_THROW(smallest_replay(parse_case(kCases[1]), healthy, "output", {}), Error);
}

}  // namespace
}  // namespace lvsa::analysis
