#include "analysis/sweep/sweep_ranks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.hpp"
#include "tests/sweep/sweep_support.hpp"

namespace lvsa::analysis {
namespace {

/// Ranks that are threads, with a letter box each.
struct Post {
  std::mutex mutex;
  std::map<int, std::deque<RankMessage>> boxes;
};

class PostLink : public RankLink {
 public:
  PostLink(Post& post, int rank, int size) : post_(post), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string description() const override { return "post"; }
  void send(int to, const std::string& bytes) override {
    const std::lock_guard lock(post_.mutex);
    post_.boxes[to].push_back({rank_, bytes});
  }
  std::optional<RankMessage> poll() override {
    const std::lock_guard lock(post_.mutex);
    auto& box = post_.boxes[rank_];
    if (box.empty()) return std::nullopt;
    const RankMessage message = box.front();
    box.pop_front();
    return message;
  }

 private:
  Post& post_;
  int rank_;
  int size_;
};

struct Ranks {
  Post post;
  std::vector<std::thread> threads;
  explicit Ranks(int size, const std::string& plan, const ComputeUnit& compute) {
    for (int rank = 1; rank < size; ++rank) {
      threads.emplace_back([this, rank, size, plan, compute] {
        PostLink link(post, rank, size);
        compute_for_root(link, plan, compute);
      });
    }
  }
  ~Ranks() {
    for (std::thread& thread : threads) thread.join();
  }
};

std::vector<std::int64_t> all_units(const PlainSweep& sweep) {
  std::vector<std::int64_t> units;
  for (std::int64_t unit = 1; unit <= sweep.units.count(); ++unit) units.push_back(unit);
  return units;
}

TEST(SweepRanks, ShareTheUnitsAndLoseNone) {
  const PlainSweep sweep;
  const auto compute = [&](std::int64_t unit) { return sweep.compute(unit); };
  for (const int size : {1, 2, 5}) {
    std::map<std::int64_t, UnitResult> taken;
    Ranks ranks(size, "plan", compute);
    PostLink link(ranks.post, 0, size);
    EXPECT_TRUE(serve_ranks(
        link, "plan",
        {all_units(sweep), compute,
         [&](const UnitResult& result) { EXPECT_TRUE(taken.emplace(result.unit, result).second); },
         [] { return false; }}));
    ASSERT_EQ(static_cast<std::int64_t>(taken.size()), sweep.units.count());
    const SweepResults results =
        finish_sweep(sweep.plan, sweep.patterns, sweep.units,
                     [&](std::int64_t unit) { return taken[unit].values; });
    EXPECT_EQ(results.values, sweep.results().values);
  }
}

TEST(SweepRanks, AllEndWhenOneFails) {
  const PlainSweep sweep;
  std::atomic<bool> failed = false;
  const auto bad = [&](std::int64_t) -> UnitResult {
    failed = true;
    throw Error(ErrorKind::kIo, "the disk is gone");
  };
  // Ends when the other one has failed.
  const auto patient = [&](std::int64_t unit) {
    while (!failed) std::this_thread::yield();
    return sweep.compute(unit);
  };
  for (const bool own : {false, true}) {
    failed = false;
    Ranks ranks(2, "plan", own ? ComputeUnit(patient) : ComputeUnit(bad));
    PostLink link(ranks.post, 0, 2);
    std::string text;
    try {
      serve_ranks(link, "plan",
                  {all_units(sweep), own ? ComputeUnit(bad) : ComputeUnit(patient),
                   [](const UnitResult&) {}, [] { return false; }});
    } catch (const Error& error) {
      text = error.what();
    }
    EXPECT_NE(text.find(own ? "the disk is gone" : "rank 1: the disk is gone"), std::string::npos)
        << text;
  }
}

TEST(SweepRanks, WithAnotherPlanAreRefused) {
  const PlainSweep sweep;
  const auto compute = [&](std::int64_t unit) { return sweep.compute(unit); };
  Ranks ranks(2, "another plan", compute);
  PostLink link(ranks.post, 0, 2);
  EXPECT_THROW(
      serve_ranks(link, "plan",
                  {all_units(sweep), compute, [](const UnitResult&) {}, [] { return false; }}),
      Error);
}

TEST(SweepRanks, StopAfterTheUnitsInHand) {
  const PlainSweep sweep;
  const auto compute = [&](std::int64_t unit) { return sweep.compute(unit); };
  std::size_t taken = 0;
  Ranks ranks(2, "plan", compute);
  PostLink link(ranks.post, 0, 2);
  EXPECT_FALSE(serve_ranks(link, "plan",
                           {all_units(sweep), compute, [&](const UnitResult&) { ++taken; },
                            [&] { return taken >= 4; }}));
  EXPECT_GE(taken, 4u);
}

TEST(SweepRanks, AreDismissedWithoutUnits) {
  Ranks ranks(3, "plan", [](std::int64_t) -> UnitResult { throw Error(ErrorKind::kIo, "asked"); });
  PostLink link(ranks.post, 0, 3);
  dismiss_ranks(link);
}

}  // namespace
}  // namespace lvsa::analysis
