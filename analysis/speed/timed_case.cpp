#include "analysis/speed/timed_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "analysis/speed/device_room.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/kernel_call.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "analysis/verify/problem_extent.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/kernel/loader.hpp"
#include "core/pattern/frame_pattern.hpp"

namespace lvsa::analysis {
namespace {

std::vector<std::int64_t> wanted_tokens(const Case& c) {
  std::vector<std::int64_t> wanted;
  if (!c.only_wanted) return wanted;
  for (const reference::RowId& row : sample_rows(c)) wanted.push_back(row.token);
  return wanted;
}

}  // namespace

std::optional<std::string> untimed_reason(const lvsa_kernel& a, const lvsa_kernel& b,
                                          const Case& c) {
  for (const lvsa_kernel* kernel : {&a, &b}) {
    if (const auto reason = unsupported_reason(*kernel, c)) {
      return fmt::format("kernel {}: {}", kernel->name, *reason);
    }
  }
  return std::nullopt;
}

struct TimedCase::Parts {
  // One kernel's problem. Their memories may differ, when that was asked for.
  struct Subject {
    const lvsa_kernel* kernel = nullptr;
    lvsa_problem problem{};
    std::size_t workspace_bytes = 0;
    void* workspace = nullptr;
    bool on_device = false;
  };

  AttentionTensors tensors;
  FramePattern pattern;
  KernelCall call;
  std::optional<GuardedBytes> host_workspace;
  std::vector<std::unique_ptr<DeviceRoom>> rooms;
  std::array<Subject, 2> subjects;

  Parts(const lvsa_kernel& a, const lvsa_kernel& b, const Case& c, std::int32_t threads)
      : tensors(case_tensors(c)),
        pattern(build_frame_pattern(case_pattern_spec(c))),
        call(a, c, tensors, pattern, threads, wanted_tokens(c)) {
    subjects[0].kernel = &a;
    subjects[1].kernel = &b;
    bool device = false;
    for (Subject& subject : subjects) {
      subject.problem = call.problem();
      if (a.capabilities.lse == 0 || b.capabilities.lse == 0) subject.problem.lse = nullptr;
      subject.on_device = declared_memory(subject.kernel->capabilities) == LVSA_CUDA;
      device = device || subject.on_device;
    }
    if (device) move_to_device(c);
    make_workspaces();
  }

  void* copied(const void* host, std::size_t bytes) {
    if (host == nullptr) return nullptr;
    rooms.push_back(std::make_unique<DeviceRoom>(bytes));
    rooms.back()->fill_from(host, bytes);
    return rooms.back()->address();
  }

  const float* copied_scales(const float* scales, std::int64_t count) {
    return static_cast<const float*>(
        copied(scales, static_cast<std::size_t>(count) * sizeof(float)));
  }

  void move_to_device(const Case& c) {
    DeviceMemory::first().enter();
    lvsa_problem p = subjects[subjects[0].on_device ? 0 : 1].problem;
    const auto move = [&](lvsa_tensor& tensor, std::int64_t heads, DType dtype) {
      tensor.data = copied(tensor.data, tensor_extent(p, tensor, heads, dtype));
    };
    move(p.q, c.heads, p.dtype);
    move(p.k, c.kv_heads, p.dtype);
    move(p.v, c.kv_heads, p.dtype);
    move(p.out, c.heads, p.out_dtype);
    p.lse = static_cast<float*>(copied(p.lse, p.lse != nullptr ? lse_extent(p) : 0));
    p.q_scale = copied_scales(p.q_scale, c.batch * c.heads);
    p.k_scale = copied_scales(p.k_scale, c.batch * c.kv_heads);
    p.v_scale = copied_scales(p.v_scale, c.batch * c.kv_heads);
    p.memory = LVSA_CUDA;
    for (Subject& subject : subjects) {
      if (subject.on_device) subject.problem = p;
    }
    DeviceMemory::first().wait();
  }

  void make_workspaces() {
    std::size_t on_host = 0;
    std::size_t on_device = 0;
    for (Subject& subject : subjects) {
      const KernelStatus asked =
          workspace_in_place(*subject.kernel, subject.problem, subject.workspace_bytes);
      if (asked.status != LVSA_OK) throw KernelFailed(asked);
      std::size_t& most = subject.on_device ? on_device : on_host;
      most = std::max(most, subject.workspace_bytes);
    }
    if (on_host > 0) host_workspace.emplace(make_workspace(*subjects[0].kernel, on_host, 0));
    if (on_device > 0) rooms.push_back(std::make_unique<DeviceRoom>(on_device));
    for (Subject& subject : subjects) {
      if (subject.workspace_bytes == 0) continue;
      subject.workspace =
          subject.on_device ? rooms.back()->address() : static_cast<void*>(host_workspace->data());
    }
  }
};

TimedCase::TimedCase(const lvsa_kernel& a, const lvsa_kernel& b, const Case& c,
                     std::int32_t threads)
    : parts_(std::make_unique<Parts>(a, b, c, threads)) {}

TimedCase::~TimedCase() = default;

double TimedCase::seconds(Side side, std::int64_t calls, TimeSource source) {
  const Parts::Subject& subject = parts_->subjects[side == Side::kB ? 1 : 0];
  void* stream = nullptr;
  if (subject.on_device) {
    DeviceMemory::first().enter();
    stream = DeviceMemory::first().stream();
  }
  const auto now = source == TimeSource::kWall ? wall_s : cpu_s;
  const double start = now();
  for (std::int64_t i = 0; i < calls; ++i) {
    const KernelStatus done = invoke_in_place(*subject.kernel, subject.problem, subject.workspace,
                                              subject.workspace_bytes, stream, {});
    if (done.status != LVSA_OK) throw KernelFailed(done);
  }
  if (subject.on_device) DeviceMemory::first().wait();
  return now() - start;
}

}  // namespace lvsa::analysis
