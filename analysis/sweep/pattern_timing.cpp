#include "analysis/sweep/pattern_timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/blocks/block_case.hpp"
#include "analysis/blocks/block_invoke.hpp"
#include "analysis/speed/block_order.hpp"
#include "analysis/speed/device_room.hpp"
#include "analysis/speed/median_statistics.hpp"
#include "analysis/sweep/pattern_device.hpp"
#include "core/blocks/block_problem.hpp"
#include "core/error.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostCalls = 1000.0;
constexpr int kPredictions = 3;
constexpr std::int64_t kDeviceHeads = 8;  // enough to fill a GPU at the lengths of short videos

bool takes(const lvsa_block_kernel& kernel, DType dtype) {
  return (kernel.capabilities.dtypes & LVSA_DTYPE_BIT(dtype)) != 0;
}

DType timed_dtype(const lvsa_block_kernel& kernel, DType own) {
  if (takes(kernel, own)) return own;
  for (const DType dtype : {LVSA_BF16, LVSA_F16, LVSA_F32}) {
    if (takes(kernel, dtype)) return dtype;
  }
  throw Error(ErrorKind::kKernel,
              fmt::format("--time: kernel {} takes neither bf16 nor fp16 nor fp32", kernel.name));
}

// [1, S, heads, D], every head the same.
Tensor copies_of(const TensorView& from, DType dtype, std::int64_t heads) {
  const std::int64_t dim = from.shape[3];
  Tensor made(dtype, {1, from.shape[1], heads, dim}, Layout::kBSHD);
  const std::size_t width = dtype_bytes(dtype);
  std::vector<double> row(static_cast<std::size_t>(dim));
  std::vector<std::byte> bits(row.size() * width);
  std::byte* to = made.bytes();
  for (std::int64_t s = 0; s < from.shape[1]; ++s) {
    from.read_row(0, s, 0, row.data());
    for (std::size_t d = 0; d < row.size(); ++d) encode(dtype, row[d], bits.data() + d * width);
    for (std::int64_t h = 0; h < heads; ++h) to = std::copy(bits.begin(), bits.end(), to);
  }
  return made;
}

HeadPattern all_blocks(const HeadPattern& pattern) {
  HeadPattern dense;
  dense.map = full_block_map(pattern.map.rows, pattern.map.columns);
  return dense;
}

}  // namespace

// Maps that a kernel is called with, and the problem that has them.
struct CalledMaps {
  BlockProblem arrays;
  lvsa_block_problem problem;
  std::size_t workspace_bytes = 0;
  std::unique_ptr<DevicePlan> plan;  // of cuda-blocks; null: the kernel is called with the maps
};

struct PatternTimer::Parts {
  const lvsa_block_kernel& kernel;
  TimingOptions options;
  bool on_device = false;
  lvsa_block_problem tensors{};  // without maps
  std::vector<Tensor> host;
  std::vector<std::unique_ptr<DeviceRoom>> rooms;
  std::unique_ptr<DeviceRoom> device_workspace;
  std::size_t device_workspace_bytes = 0;
  std::optional<GuardedBytes> host_workspace;
  std::optional<DeviceLibrary> library;
  std::optional<DevicePrediction> prediction;

  Parts(const lvsa_block_kernel& k, const TimingOptions& o) : kernel(k), options(o) {
    on_device = declared_memory(table_of(kernel).capabilities) == LVSA_CUDA;
    if (options.heads == 0) options.heads = on_device ? kDeviceHeads : 1;
    if (options.blocks < 1 || options.heads < 1) {
      throw Error(ErrorKind::kValue,
                  fmt::format("--time: {} blocks and {} heads: at least 1 of each is due",
                              options.blocks, options.heads));
    }
    if (!on_device) return;
    DeviceMemory::first().enter();
    if (options.library.empty()) return;
    library.emplace(options.library);
    prediction.emplace(*library);
  }

  void set(lvsa_tensor& tensor, Tensor values) {
    tensor = values.c_tensor();
    if (!on_device) {
      host.push_back(std::move(values));
      return;
    }
    rooms.push_back(std::make_unique<DeviceRoom>(values.size_bytes()));
    rooms.back()->fill_from(values.bytes(), values.size_bytes());
    tensor.data = rooms.back()->address();
  }

  void take(const Sample& sample) {
    if (on_device) DeviceMemory::first().enter();
    host.clear();
    rooms.clear();
    const DType dtype = timed_dtype(kernel, sample.q.dtype);
    tensors = {};
    tensors.struct_size = sizeof tensors;
    tensors.kv_heads = options.heads;
    tensors.head_dim = sample.q.shape[3];
    tensors.scale = sample.scale;
    tensors.dtype = tensors.out_dtype = dtype;
    tensors.memory = on_device ? LVSA_CUDA : LVSA_HOST;
    tensors.threads = options.threads;
    set(tensors.q, copies_of(sample.q, dtype, options.heads));
    set(tensors.k, copies_of(sample.k, dtype, options.heads));
    set(tensors.v, copies_of(sample.v, dtype, options.heads));
    set(tensors.out, copies_of(sample.q, dtype, options.heads));
    if (on_device) DeviceMemory::first().wait();
  }

  CalledMaps called(const HeadPattern& pattern, const BlockSize& nominal) const {
    const std::vector<HeadPattern> heads(static_cast<std::size_t>(options.heads), pattern);
    CalledMaps maps{
        BlockProblem(heads, 1, options.heads, nominal.rows, nominal.columns), tensors, 0, {}};
    maps.arrays.fill(maps.problem);
    if (library && std::string_view(kernel.name) == "cuda-blocks") {
      maps.plan = DevicePlan::make(*library, maps.problem);
      if (maps.plan) return maps;
    }
    const KernelStatus asked = block_workspace(kernel, maps.problem, maps.workspace_bytes);
    if (asked.status != LVSA_OK) throw KernelFailed(asked);
    return maps;
  }

  void* workspace(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    if (!on_device) {
      if (!host_workspace || host_workspace->size() < bytes) host_workspace.emplace(bytes, 0);
      return host_workspace->data();
    }
    if (device_workspace_bytes < bytes) {
      device_workspace.reset();
      device_workspace = std::make_unique<DeviceRoom>(bytes);
      device_workspace_bytes = bytes;
    }
    return device_workspace->address();
  }

  // Of so many calls in a row, the last one waited for.
  double seconds(const CalledMaps& maps, std::int64_t calls) {
    void* const room = workspace(maps.workspace_bytes);  // nothing, of a plan
    void* const stream = on_device ? DeviceMemory::first().stream() : nullptr;
    const double start = wall_s();
    for (std::int64_t i = 0; i < calls; ++i) {
      if (maps.plan) {
        maps.plan->run();
        continue;
      }
      const KernelStatus done =
          call_contained(kernel.name, "run", [&](char* message, std::size_t size) {
            return static_cast<int>(
                kernel.run(&maps.problem, room, maps.workspace_bytes, stream, message, size));
          });
      if (done.status != LVSA_OK) throw KernelFailed(done);
    }
    if (on_device) DeviceMemory::first().wait();
    return wall_s() - start;
  }

  // A sign of life, and what a crash from now on is in.
  void tell(std::string_view part) const {
    if (options.part) options.part(part);
  }

  void measure(const CalledMaps& dense, const CalledMaps& sparse, MeasuredTime& time) {
    // The first calls have everything to prepare.
    workspace(std::max(dense.workspace_bytes, sparse.workspace_bytes));
    tell("its first call over all blocks");
    seconds(dense, 1);
    tell("its first call over the pattern");
    seconds(sparse, 1);
    const double least = std::max(seconds(sparse, 1), 1e-9);
    const auto calls =
        static_cast<std::int64_t>(std::min(std::ceil(options.slot_s / least), kMostCalls));
    std::vector<double> ratios, of_dense, of_sparse;
    for (std::int64_t block = 0; block < options.blocks; ++block) {
      BlockTimes times;
      for (const BlockSlot slot : block_order(block)) {
        if (slot.noise) continue;
        tell(slot.side == Side::kB ? "calls over the pattern" : "calls over all blocks");
        add_time(times, slot, seconds(slot.side == Side::kB ? sparse : dense, calls));
      }
      const double to_ms = 1e3 / (2.0 * static_cast<double>(calls * options.heads));
      ratios.push_back(block_ratio(times));
      of_dense.push_back(times.compared[0] * to_ms);
      of_sparse.push_back(times.compared[1] * to_ms);
    }
    time.dense_ms = median_of(of_dense);
    time.attention_ms = median_of(of_sparse);
    time.ratio = median_of(ratios);
  }

  double prediction_ms(const CalledMaps& maps, const TimedRule& rule, const PatternInput& input) {
    if (!rule.rule.needs_tensors()) return 0.0;
    tell("finding the pattern");
    std::vector<double> times;
    if (on_device) {
      if (!prediction || !prediction->prepare(maps.problem, rule.words, input.head)) return kNan;
      prediction->seconds(1);
      const double least = std::max(prediction->seconds(1), 1e-9);
      const auto calls =
          static_cast<std::int64_t>(std::min(std::ceil(options.slot_s / least), kMostCalls));
      const double to_ms = 1e3 / static_cast<double>(calls * options.heads);
      for (std::int64_t i = 0; i < options.blocks; ++i) {
        times.push_back(prediction->seconds(calls) * to_ms);
      }
      return median_of(times);
    }
    for (int i = 0; i < kPredictions; ++i) {
      const double start = wall_s();
      rule.rule.make(input);
      times.push_back((wall_s() - start) * 1e3);
    }
    return median_of(times);
  }
};

PatternTimer::PatternTimer(const lvsa_block_kernel& kernel, const TimingOptions& options)
    : parts_(std::make_unique<Parts>(kernel, options)) {}

PatternTimer::~PatternTimer() = default;

void PatternTimer::take(const Sample& sample) { parts_->take(sample); }

std::string PatternTimer::untimed_reason(const HeadPattern& pattern,
                                         const std::string& words) const {
  const lvsa_block_capabilities& can = parts_->kernel.capabilities;
  const std::int64_t dim = parts_->tensors.head_dim;
  const std::int64_t multiple = std::max<std::int64_t>(can.head_dim_multiple, 1);
  if (dim < can.head_dim_min || dim > can.head_dim_max || dim % multiple != 0) {
    return fmt::format("kernel {}: no head size {}", parts_->kernel.name, dim);
  }
  BlockCase made;
  made.heads = {pattern};
  made.nominal = nominal_blocks(words, made.heads);
  const auto reason = unsupported_maps(parts_->kernel, made);
  return reason ? fmt::format("kernel {}: {}", parts_->kernel.name, *reason) : std::string();
}

MeasuredTime PatternTimer::time(const HeadPattern& pattern, const TimedRule& rule,
                                const PatternInput& input) {
  const BlockSize nominal = nominal_blocks(rule.words, {pattern});
  if (parts_->on_device) DeviceMemory::first().enter();
  const CalledMaps dense = parts_->called(all_blocks(pattern), nominal);
  const CalledMaps sparse = parts_->called(pattern, nominal);
  MeasuredTime time;
  parts_->measure(dense, sparse, time);
  time.prediction_ms = parts_->prediction_ms(sparse, rule, input);
  time.total_ms = time.attention_ms + time.prediction_ms;
  // By the paired ratio: what disturbs a block disturbs both of its sides.
  time.speedup = 1.0 / (time.ratio + time.prediction_ms / time.dense_ms);
  return time;
}

bool PatternTimer::on_device() const { return parts_->on_device; }

std::int64_t PatternTimer::heads() const { return parts_->options.heads; }

std::string PatternTimer::source() const {
  const Parts& p = *parts_;
  const std::string where = p.on_device ? DeviceMemory::first().name() : std::string("this host");
  return fmt::format(
      "kernel {} on {}, {} {} a call, medians of {} blocks A B B A against its own dense map",
      p.kernel.name, where, p.options.heads, p.options.heads == 1 ? "head" : "equal heads",
      p.options.blocks);
}

void LocalTimer::take(const PatternInput& input) {
  input_ = input;
  Sample sample;
  sample.grid = input.video.grid;
  sample.scale = input.scale;
  sample.q = input.q;
  sample.k = input.k;
  sample.v = input.v;
  timer_.take(sample);
}

TimedPattern LocalTimer::measure(const HeadPattern& pattern, const std::string& words) {
  TimedPattern timed;
  timed.untimed = timer_.untimed_reason(pattern, words);
  if (!timed.untimed.empty()) return timed;
  try {
    const auto rule = make_(words);
    timed.time = timer_.time(pattern, {*rule, words}, input_);
  } catch (const Error& error) {
    timed.untimed = error.what();
  }
  return timed;
}

}  // namespace lvsa::analysis
