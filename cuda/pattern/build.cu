// The whole pattern of a configuration in one launch: one block for everything but the mask, whose
// T^2 bytes others write at the same time. Each works out the global frames for itself, so none
// waits for another.
#include "core/error.hpp"
#include "cuda/error.hpp"
#include "cuda/pattern/batch.hpp"
#include "cuda/pattern/rules.cuh"

namespace lvsa::cuda {
namespace {

using rules::FrameSet;
using rules::kWarp;
using rules::Plan;

constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / kWarp;
static_assert(kWarps == kWarp, "a warp adds up what all warps found, a lane each");
static_assert(kMaxPatternFrames <= 0x10000, "frames are kept as 16 bits in shared memory");

// The global frames in shared memory: as a set, and as an ascending list.
struct Globals {
  FrameSet set;
  std::uint16_t* list;
  int count;
};

constexpr std::size_t shared_bytes(int frames) {
  return static_cast<std::size_t>(rules::set_words(frames)) * 2 * sizeof(std::uint32_t) +
         static_cast<std::size_t>(frames) * sizeof(std::uint16_t);
}

// The arrays of one configuration.
__device__ PatternArrays arrays_of(PatternArrays a, std::int64_t c, std::int64_t frames) {
  const auto move = [](auto*& pointer, std::int64_t by) {
    if (pointer != nullptr) pointer += by;
  };
  move(a.summary, c);
  move(a.globals, c * frames);
  move(a.is_global, c * frames);
  move(a.windows, c * frames);
  move(a.offsets, c * (frames + 1));
  move(a.list, c * a.list_capacity);
  move(a.mask, c * frames * frames);
  move(a.indptr, c * (frames + 1));
  move(a.indices, c * a.list_capacity);
  move(a.column_frames, c * frames);
  move(a.global_copies, c * frames);
  move(a.local_copies, c * frames);
  return a;
}

__device__ void set_offset(const PatternArrays& out, int row, std::int64_t offset) {
  if (out.offsets != nullptr) out.offsets[row] = offset;
  if (out.indptr != nullptr) out.indptr[row] = static_cast<std::int32_t>(offset);
}

// All lists empty: what a reader finds when there is no pattern. `rows` may be any number.
__device__ void clear(const PatternArrays& out, PatternSummary summary, int rows) {
  for (int row = static_cast<int>(threadIdx.x); row <= rows; row += kThreads) {
    set_offset(out, row, 0);
  }
  if (threadIdx.x == 0) *out.summary = summary;
}

// A query frame attends itself as soon as there is a window, so then all frames are columns.
__device__ int column_of(const Plan& plan, const Globals& globals, int f) {
  return plan.window > 0 ? f : globals.set.below(f);
}

// What depends on one frame alone.
__device__ void write_frame(const Plan& plan, const Globals& globals, const PatternArrays& out,
                            int f, Window window) {
  const bool global = globals.set.has(f);
  const int rank = globals.set.below(f);
  if (global) globals.list[rank] = static_cast<std::uint16_t>(f);
  if (out.windows != nullptr) out.windows[f] = window;
  if (out.is_global != nullptr) out.is_global[f] = global ? 1 : 0;
  if (global && out.globals != nullptr) out.globals[rank] = f;
  if (!global && plan.window == 0) return;
  const int column = column_of(plan, globals, f);
  if (out.column_frames != nullptr) out.column_frames[column] = f;
  const std::int64_t p = out.patches_per_frame;
  if (global && out.global_copies != nullptr) out.global_copies[rank] = {rank * p, column * p};
  if (!global && out.local_copies != nullptr) out.local_copies[f - rank] = {f * p, column * p};
}

struct RowTotals {
  std::int64_t pairs;
  int least;
  int most;
};

// Writes what belongs to frames and the offsets of the rows.
__device__ RowTotals write_frames(const Plan& plan, const Globals& globals,
                                  const PatternArrays& out, int* warp_sums) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  RowTotals totals{0, plan.frames, 0};
  for (int base = 0; base < plan.frames; base += kThreads) {
    const int f = base + static_cast<int>(threadIdx.x);
    int size = 0;
    if (f < plan.frames) {
      const Window window = rules::window_of(plan, globals.set, globals.count, f);
      write_frame(plan, globals, out, f, window);
      size = rules::row_size(globals.set, globals.count, window);
    }
    const int through = rules::inclusive_scan(size);
    const int most = __reduce_max_sync(rules::kAllLanes, size);
    const int least = __reduce_min_sync(rules::kAllLanes, f < plan.frames ? size : plan.frames);
    if (rules::lane() == kWarp - 1) {
      warp_sums[warp] = through;
      warp_sums[kWarps + warp] = most;
      warp_sums[2 * kWarps + warp] = least;
    }
    __syncthreads();
    const int other = warp_sums[rules::lane()];
    const int others = rules::inclusive_scan(other);
    const int before = __shfl_sync(rules::kAllLanes, others - other, warp);
    if (f < plan.frames) set_offset(out, f, totals.pairs + before + through - size);
    totals.pairs += __shfl_sync(rules::kAllLanes, others, kWarp - 1);
    totals.most =
        max(totals.most, __reduce_max_sync(rules::kAllLanes, warp_sums[kWarps + rules::lane()]));
    totals.least = min(totals.least,
                       __reduce_min_sync(rules::kAllLanes, warp_sums[2 * kWarps + rules::lane()]));
    __syncthreads();  // warp_sums is written again
  }
  if (threadIdx.x == 0) set_offset(out, plan.frames, totals.pairs);
  return totals;
}

// One row of list and indices, by a warp.
__device__ void write_row(const Plan& plan, const Globals& globals, const PatternArrays& out, int f,
                          Window window, std::int64_t offset) {
  const int before = globals.set.below(window.lo);
  const int inside = window.hi < window.lo ? 0 : globals.set.below(window.hi + 1) - before;
  const int size = rules::row_size(globals.set, globals.count, window);
  for (int j = rules::lane(); j < size; j += kWarp) {
    const int key = rules::row_entry(globals.list, before, inside, window, j);
    if (out.list != nullptr) out.list[offset + j] = key;
    if (out.indices != nullptr) out.indices[offset + j] = column_of(plan, globals, key);
  }
}

// The rows of the mask, in turn over the warps of the blocks that write it.
__device__ void write_mask(const Plan& plan, const Globals& globals, const PatternArrays& out) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int blocks = static_cast<int>(gridDim.y) - 1;
  for (int f = (static_cast<int>(blockIdx.y) - 1) * kWarps + warp; f < plan.frames;
       f += blocks * kWarps) {
    const Window window = rules::window_of(plan, globals.set, globals.count, f);
    std::uint8_t* const row = out.mask + static_cast<std::int64_t>(f) * plan.frames;
    for (int key = rules::lane(); key < plan.frames; key += kWarp) {
      const bool in_window = key >= window.lo && key <= window.hi;
      row[key] = static_cast<std::uint8_t>((globals.set.has(key) ? kMaskGlobal : 0) |
                                           (in_window ? kMaskWindow : 0));
    }
  }
}

// All rows, in turn over the warps. A warp finds windows and offsets of its next 32 rows at once, a
// lane each, before it writes them one by one: row after row they would be a chain of latencies.
__device__ void write_rows(const Plan& plan, const Globals& globals, const PatternArrays& out) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  for (int base = 0; base < plan.frames; base += kWarps * kWarp) {
    const int own = base + rules::lane() * kWarps + warp;
    Window window{0, -1};
    std::int64_t offset = 0;
    if (own < plan.frames) {
      window = rules::window_of(plan, globals.set, globals.count, own);
      if (out.offsets != nullptr) {
        offset = out.offsets[own];
      } else if (out.indptr != nullptr) {
        offset = out.indptr[own];
      }
    }
    for (int i = 0; i < kWarp; ++i) {
      const int f = base + i * kWarps + warp;
      if (f >= plan.frames) break;
      write_row(plan, globals, out, f,
                {__shfl_sync(rules::kAllLanes, window.lo, i),
                 __shfl_sync(rules::kAllLanes, window.hi, i)},
                __shfl_sync(rules::kAllLanes, offset, i));
    }
  }
}

__global__ void __launch_bounds__(kThreads) build_kernel(PatternBatch batch, PatternArrays all) {
  extern __shared__ std::uint32_t memory[];
  __shared__ int warp_sums[3 * kWarps];
  __shared__ int shared_count;
  const int words = rules::set_words(batch.frame_capacity);
  Globals globals{{memory, reinterpret_cast<std::int32_t*>(memory + words)},
                  reinterpret_cast<std::uint16_t*>(memory + 2 * words),
                  0};
  const auto c = static_cast<std::int64_t>(blockIdx.x);
  const PatternArrays out = arrays_of(all, c, batch.frame_capacity);
  const PatternSettings settings = batch.settings[c];
  const int warp = static_cast<int>(threadIdx.x) / kWarp;

  // Every warp works the plan out for itself: cheaper than handing it round.
  const Plan plan = rules::make_plan(settings, batch);
  PatternSummary summary{};
  summary.status = plan.status;
  const bool mask_only = blockIdx.y > 0;
  if (plan.status != PatternStatus::kOk) {
    if (!mask_only) clear(out, summary, max(0, min(settings.frames, batch.frame_capacity)));
    return;
  }
  rules::fill_grid(plan, globals.set.words, warp, kWarps);
  __syncthreads();
  rules::join_extra(plan, settings, batch.extra_frames, globals.set.words,
                    static_cast<int>(threadIdx.x), kThreads);
  __syncthreads();
  if (warp == 0) {
    const int count = rules::count_set(plan, globals.set);
    if (threadIdx.x == 0) shared_count = count;
  }
  __syncthreads();
  globals.count = shared_count;
  if (mask_only) {
    write_mask(plan, globals, out);
    return;
  }

  const RowTotals totals = write_frames(plan, globals, out, warp_sums);
  __syncthreads();  // rows read what other warps wrote: the list of globals, the offsets
  const bool lists = out.list != nullptr || out.indices != nullptr;
  if (lists && totals.pairs > out.list_capacity) {
    summary.status = PatternStatus::kListTooSmall;
    summary.pairs = totals.pairs;
    clear(out, summary, plan.frames);
    return;
  }
  if (lists) write_rows(plan, globals, out);
  if (threadIdx.x == 0) {
    *out.summary = {PatternStatus::kOk,
                    plan.interval,
                    plan.start,
                    globals.count,
                    plan.window > 0 ? plan.frames : globals.count,
                    totals.least,
                    totals.most,
                    0,
                    totals.pairs};
  }
}

}  // namespace

void build_patterns(const PatternBatch& batch, const PatternArrays& out, cudaStream_t stream) {
  check_batch(batch, out.summary);
  const bool lists = out.list != nullptr || out.indices != nullptr;
  if (lists && out.offsets == nullptr && out.indptr == nullptr) {
    throw Error(ErrorKind::kValue, "pattern lists are asked for without offsets or indptr");
  }
  if (lists && out.list_capacity < 0) {
    throw Error(ErrorKind::kValue,
                "list_capacity is " + std::to_string(out.list_capacity) + "; 0 or more is due");
  }
  if (batch.count == 0) return;
  static_assert(shared_bytes(kMaxPatternFrames) <= 48 * 1024, "more must be asked for");
  const auto mask_blocks =
      out.mask == nullptr ? 0u
                          : static_cast<unsigned>((batch.frame_capacity + kWarps - 1) / kWarps);
  const dim3 grid(static_cast<unsigned>(batch.count), 1 + mask_blocks);
  build_kernel<<<grid, kThreads, shared_bytes(batch.frame_capacity), stream>>>(batch, out);
  check_launch("build_patterns");
}

}  // namespace lvsa::cuda
