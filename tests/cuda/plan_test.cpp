// Plans on patterns that are built on the device.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cuda/launch/hopper_kernel.hpp"
#include "cuda/launch/hopper_plan.h"
#include "tests/cuda/attention_case.hpp"
#include "tests/cuda/device_memory.hpp"
#include "tests/cuda/pattern_batch.hpp"

namespace lvsa::cuda::test {
namespace {

Configuration settings_of(const AttentionCase& c, std::int64_t step) {
  Configuration one;
  one.settings = {.frames = static_cast<std::int32_t>(c.frames),
                  .window_frames = 2,
                  .n_first_frames = 1,
                  .interval = kAutoInterval,
                  .reference_frames = 9,
                  .expand_window = 1,
                  .offset_is_step = 1,
                  .extra_begin = 0,
                  .extra_end = 0,
                  .sparsity_scale = 1.0,
                  .offset = step};
  return one;
}

std::vector<std::vector<std::int32_t>> lists_of(const Answer& pattern) {
  std::vector<std::vector<std::int32_t>> lists;
  for (std::size_t f = 0; f + 1 < pattern.offsets.size(); ++f) {
    lists.emplace_back(pattern.list.begin() + pattern.offsets[f],
                       pattern.list.begin() + pattern.offsets[f + 1]);
  }
  return lists;
}

// Everything that a step of a pipeline queues: the pattern of the step, then attention on it.
class RebuiltPattern {
 public:
  RebuiltPattern(const AttentionCase& c, const AttentionInputs& inputs)
      : case_(c),
        settings_(1),
        summary_(1),
        offsets_(static_cast<std::size_t>(c.frames) + 1),
        list_(static_cast<std::size_t>(c.frames * c.frames)),
        q_(inputs.q.bits),
        k_(inputs.k.bits),
        v_(inputs.v.bits),
        out_(inputs.q.bits.size()) {
    lvsa_problem p = problem_of(c, {}, {});
    const auto tensor = [](const DeviceArray<std::uint16_t>& data, const HostTensor& like) {
      lvsa_tensor t{};
      t.data = data.get();
      std::copy(std::begin(like.strides), std::end(like.strides), std::begin(t.strides));
      return t;
    };
    p.q = tensor(q_, inputs.q);
    p.k = tensor(k_, inputs.k);
    p.v = tensor(v_, inputs.v);
    p.out = tensor(out_, inputs.q);
    std::size_t bytes = 0;
    due(lvsa_hopper_scratch_bytes(&p, &bytes, message_.data(), message_.size()));
    scratch_.emplace(bytes);
    const lvsa_device_lists lists{offsets_.get(), 1, list_.get()};
    due(lvsa_hopper_plan_create(&p, &lists, scratch_->get(), &plan_, message_.data(),
                                message_.size()));
  }
  ~RebuiltPattern() { lvsa_hopper_plan_destroy(plan_); }
  RebuiltPattern(const RebuiltPattern&) = delete;
  RebuiltPattern& operator=(const RebuiltPattern&) = delete;

  void queue(cudaStream_t stream) {
    build_patterns({settings_.get(), 1, nullptr, 0, static_cast<std::int32_t>(case_.frames)},
                   {.summary = summary_.get(),
                    .offsets = offsets_.get(),
                    .list = list_.get(),
                    .list_capacity = case_.frames * case_.frames},
                   stream);
    due(lvsa_hopper_plan_run(plan_, stream, message_.data(), message_.size()));
  }
  void set_step(std::int64_t step) { settings_.set({settings_of(case_, step).settings}); }
  std::vector<std::uint16_t> out() const { return out_.read(); }

 private:
  void due(lvsa_status status) const { ASSERT_EQ(status, LVSA_OK) << message_.data(); }

  AttentionCase case_;
  DeviceArray<PatternSettings> settings_;
  DeviceArray<PatternSummary> summary_;
  DeviceArray<std::int64_t> offsets_;
  DeviceArray<std::int32_t> list_;
  DeviceArray<std::uint16_t> q_, k_, v_, out_;
  std::optional<DeviceArray<char>> scratch_;
  std::array<char, 256> message_{};
  lvsa_hopper_plan* plan_ = nullptr;
};

// One graph, replayed for other steps: the host hands over the number of the step and nothing else,
// and waits for nothing.
TEST(PlanHopper, FollowsThePatternThatTheSameGraphRebuilds) {
  LVSA_NEEDS_DEVICE();
  if (current_device().major != 9) GTEST_SKIP() << "no Hopper device";
  AttentionCase c;
  c.frames = 30;
  c.patches = 40;
  c.heads = 4;
  c.kv_heads = 2;
  c.head_dim = 128;
  c.text = 5;
  const AttentionInputs inputs = make_inputs(c);
  RebuiltPattern pipeline(c, inputs);
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "begin capture");
  pipeline.queue(stream);
  check(cudaStreamEndCapture(stream, &graph), "end capture");
  check(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
  for (const std::int64_t step : {0, 1, 2, 7, 1}) {
    pipeline.set_step(step);
    check(cudaGraphLaunch(executable, stream), "cudaGraphLaunch");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    c.lists = lists_of(core_answer(settings_of(c, step), 1));
    const AttentionOutputs due = run_on_device(hopper_kernel(), c, inputs, false);
    ASSERT_EQ(due.message, "");
    const std::vector<std::uint16_t> got = pipeline.out();
    for (std::int64_t s = 0; s < c.seq_len(); ++s) {
      for (std::int64_t h = 0; h < c.heads; ++h) {
        const std::size_t at = due.out.at(0, s, h, 0);
        ASSERT_TRUE(std::equal(got.begin() + static_cast<std::ptrdiff_t>(at),
                               got.begin() + static_cast<std::ptrdiff_t>(at) + c.head_dim,
                               due.out.bits.begin() + static_cast<std::ptrdiff_t>(at)))
            << "step " << step << " token " << s << " head " << h;
      }
    }
  }
  check(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
  check(cudaGraphDestroy(graph), "cudaGraphDestroy");
  check(cudaStreamDestroy(stream), "cudaStreamDestroy");
}

}  // namespace
}  // namespace lvsa::cuda::test
