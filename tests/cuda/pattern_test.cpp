// Patterns built on the device against core's.

#include "cuda/pattern/pattern.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "tests/cuda/device_memory.hpp"
#include "tests/cuda/pattern_batch.hpp"

namespace lvsa::cuda::test {
namespace {

using Batch = std::vector<Configuration>;

Batch any_batch(std::int32_t most_frames) {
  return *rc::gen::nonEmpty(rc::gen::container<Batch>(any_configuration(most_frames)));
}

Configuration wan(std::int32_t frames) {
  Configuration c;
  c.settings = {.frames = frames,
                .window_frames = 3,
                .n_first_frames = 1,
                .interval = kAutoInterval,
                .reference_frames = 21,
                .expand_window = 1,
                .offset_is_step = 1,
                .extra_begin = 0,
                .extra_end = 0,
                .sparsity_scale = 1.0,
                .offset = 0};
  return c;
}

// A batch that fails shrinks to the one configuration that differs.
TEST(DevicePattern, IsCoresForBatchesOfRandomConfigurations) {
  LVSA_NEEDS_DEVICE();
  const bool holds = rc::check("device patterns are core's", [] {
    const Batch batch = any_batch(200);
    const std::int64_t patches = *rc::gen::inRange<std::int64_t>(1, 2000);
    const std::vector<Answer> got = device_answers(batch, patches);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::string found = difference(core_answer(batch[i], patches), got[i]);
      if (!found.empty()) RC_FAIL(text(batch[i]) + " P=" + std::to_string(patches) + ": " + found);
    }
  });
  EXPECT_TRUE(holds);
}

TEST(DevicePattern, SummariesAreCoresForBatchesOfRandomConfigurations) {
  LVSA_NEEDS_DEVICE();
  const bool holds = rc::check("device summaries are core's", [] {
    const Batch batch = any_batch(2000);
    const std::vector<PatternSummary> got = device_summaries(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::string found = difference(core_answer(batch[i], 1).summary, got[i]);
      if (!found.empty()) RC_FAIL(text(batch[i]) + ": " + found);
    }
  });
  EXPECT_TRUE(holds);
}

TEST(DevicePattern, IsCoresAtEveryStepOfTheKnownModels) {
  LVSA_NEEDS_DEVICE();
  Batch batch;
  for (const std::int32_t frames : {1, 20, 21, 22, 31, 32, 33, 41, 49, 63, 64, 65, 81, 121, 128}) {
    for (std::int64_t step = 0; step < 50; ++step) {
      batch.push_back(wan(frames));
      batch.back().settings.offset = step;
    }
  }
  const std::vector<Answer> got = device_answers(batch, 1560);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(difference(core_answer(batch[i], 1560), got[i]), "") << text(batch[i]);
  }
}

TEST(DevicePattern, IsCoresForTheLongestVideo) {
  LVSA_NEEDS_DEVICE();
  Configuration longest = wan(kMaxPatternFrames);
  longest.extra = {0, 5, kMaxPatternFrames - 1, kMaxPatternFrames};
  for (const std::int32_t interval : {3, 4096}) {
    longest.settings.interval = interval;
    longest.settings.offset = 12345;
    const PatternSummary got = device_summaries({longest}).front();
    EXPECT_EQ(difference(core_answer(longest, 1).summary, got), "") << text(longest);
  }
}

TEST(DevicePattern, SweepsAMillionConfigurationsInOneLaunch) {
  LVSA_NEEDS_DEVICE();
  Batch batch;
  for (std::int32_t i = 0; i < 1'000'000; ++i) {
    batch.push_back(wan(1 + i % 250));
    PatternSettings& s = batch.back().settings;
    s.window_frames = i / 250 % 8;
    s.n_first_frames = i / 2000 % 5;
    s.sparsity_scale = 0.25 + 0.01 * (i / 10000);
    s.offset = i;
  }
  const std::vector<PatternSummary> got = device_summaries(batch);
  for (std::size_t i = 0; i < batch.size(); i += 997) {
    ASSERT_EQ(difference(core_answer(batch[i], 1).summary, got[i]), "") << text(batch[i]);
  }
}

// The settings lie in device memory: a captured launch follows the step without being captured
// anew.
TEST(DevicePattern, FollowsTheStepInACapturedGraph) {
  LVSA_NEEDS_DEVICE();
  Configuration c = wan(121);
  const std::size_t frames = 121;
  DeviceArray<PatternSettings> settings(1);
  const DeviceArray<PatternSummary> summary(1);
  const DeviceArray<std::int32_t> globals(frames), list(frames * frames);
  const DeviceArray<std::int64_t> offsets(frames + 1);
  const PatternBatch batch{settings.get(), 1, nullptr, 0, 121};
  const PatternArrays out{.summary = summary.get(),
                          .globals = globals.get(),
                          .offsets = offsets.get(),
                          .list = list.get(),
                          .list_capacity = static_cast<std::int64_t>(frames * frames)};
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "begin capture");
  build_patterns(batch, out, stream);
  check(cudaStreamEndCapture(stream, &graph), "end capture");
  check(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
  for (const std::int64_t step : {0, 1, 8, 9, 49}) {
    c.settings.offset = step;
    settings.set({c.settings});
    check(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
    const Answer due = core_answer(c, 1);
    EXPECT_EQ(difference(due.summary, summary.read().front()), "") << text(c);
    EXPECT_EQ(offsets.read(), due.offsets) << text(c);
    auto row = list.read();
    row.resize(due.list.size());
    EXPECT_EQ(row, due.list) << text(c);
  }
  check(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

TEST(DevicePattern, NamesBadSettingsAndLeavesEmptyLists) {
  LVSA_NEEDS_DEVICE();
  const auto status = [](auto change) {
    Configuration c = wan(21);
    change(c.settings);
    const PatternStatus summarised = device_summaries({wan(30), c}).back().status;
    EXPECT_EQ(device_answers({wan(30), c}, 1).back().summary.status, summarised) << text(c);
    return summarised;
  };
  EXPECT_EQ(status([](PatternSettings& s) { s.frames = 0; }), PatternStatus::kBadFrames);
  EXPECT_EQ(status([](PatternSettings& s) { s.frames = -5; }), PatternStatus::kBadFrames);
  EXPECT_EQ(status([](PatternSettings& s) { s.window_frames = -1; }), PatternStatus::kBadWindow);
  EXPECT_EQ(status([](PatternSettings& s) { s.n_first_frames = -1; }), PatternStatus::kBadFirst);
  EXPECT_EQ(status([](PatternSettings& s) { s.interval = -2; }), PatternStatus::kBadInterval);
  for (const double scale :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e308}) {
    EXPECT_EQ(status([&](PatternSettings& s) { s.sparsity_scale = scale; }),
              PatternStatus::kBadScale);
  }
}

TEST(DevicePattern, RefusesAListThatIsTooSmall) {
  LVSA_NEEDS_DEVICE();
  const DeviceArray<PatternSettings> settings(std::vector<PatternSettings>{wan(41).settings});
  const Answer due = core_answer(wan(41), 1);
  const DeviceArray<PatternSummary> summary(1);
  const DeviceArray<std::int32_t> globals(41), list(41 * 41);
  const DeviceArray<std::int64_t> offsets(42);
  const auto build = [&](std::int64_t capacity) {
    build_patterns({settings.get(), 1, nullptr, 0, 41},
                   {.summary = summary.get(),
                    .globals = globals.get(),
                    .offsets = offsets.get(),
                    .list = list.get(),
                    .list_capacity = capacity},
                   nullptr);
    return summary.read().front();
  };
  EXPECT_EQ(build(due.summary.pairs).status, PatternStatus::kOk);
  list.read();
  const PatternSummary refused = build(due.summary.pairs - 1);
  EXPECT_EQ(refused.status, PatternStatus::kListTooSmall);
  EXPECT_EQ(refused.pairs, due.summary.pairs);
  EXPECT_EQ(offsets.read(), std::vector<std::int64_t>(42, 0));
}

// These come before any launch, so they hold without a device too.
TEST(DevicePattern, RefusesNullPointersAndSizesOutOfRange) {
  PatternSettings settings{};
  PatternSummary summary{};
  const auto refused = [&](const PatternBatch& batch, PatternSummary* out) {
    try {
      summarise_patterns(batch, out, nullptr);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kValue;
    }
    return false;
  };
  EXPECT_TRUE(refused({nullptr, 1, nullptr, 0, 21}, &summary));
  EXPECT_TRUE(refused({&settings, 1, nullptr, 0, 21}, nullptr));
  EXPECT_TRUE(refused({&settings, -1, nullptr, 0, 21}, &summary));
  EXPECT_TRUE(refused({&settings, 1, nullptr, 3, 21}, &summary));
  EXPECT_TRUE(refused({&settings, 1, nullptr, 0, 0}, &summary));
  EXPECT_TRUE(refused({&settings, 1, nullptr, 0, kMaxPatternFrames + 1}, &summary));
}

}  // namespace
}  // namespace lvsa::cuda::test
