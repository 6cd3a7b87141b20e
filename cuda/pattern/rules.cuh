#pragma once
// The published rules as device functions. The set of global frames is a bit set in shared memory
// with a running count a word, so that every question about it is one population count.

#include <cstdint>

#include "cuda/pattern/pattern.hpp"

namespace lvsa::cuda::rules {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

/// Words of a set over `frames` frames; one more than needed, so that below(frames) has a word.
__host__ __device__ constexpr int set_words(int frames) { return frames / 32 + 1; }

__device__ inline int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

/// A set of frames.
struct FrameSet {
  std::uint32_t* words;  // [set_words]
  std::int32_t* counts;  // [set_words]: members below the word

  __device__ bool has(int f) const { return (words[f >> 5] >> (f & 31)) & 1u; }
  /// Members among 0 .. f - 1.
  __device__ int below(int f) const {
    return counts[f >> 5] + __popc(words[f >> 5] & ((1u << (f & 31)) - 1u));
  }
};

/// Settings that were checked, with the interval and the start of the grid worked out.
struct Plan {
  PatternStatus status;
  int frames;
  int window;    // at most T: a wider one is all frames too
  int n_first;   // at most T
  int interval;  // 0: none
  int start;     // frame of the grid's first anchor
  bool expand;
};

/// A division of 64-bit numbers takes five times as long as one of 32 bits, and a step fits in 32.
__device__ inline int floor_mod(std::int64_t a, int b) {
  if (a >= 0 && a <= INT32_MAX) return static_cast<int>(a) % b;
  const auto r = static_cast<int>(a % b);
  return r < 0 ? r + b : r;
}

__device__ inline int div_up(int a, int b) { return (a + b - 1) / b; }

/// The automatic interval; 0 for a scale that gives no budget. Called by whole warps: the lanes try
/// 32 intervals at a time.
__device__ inline int auto_interval(const PatternSettings& s) {
  const std::int64_t frames = s.frames;
  const std::int64_t n_first = s.n_first_frames;
  const std::int64_t both_sides = 2 * static_cast<std::int64_t>(s.window_frames);
  // One IEEE product, never fused with what follows.
  const double product = __dmul_rn(static_cast<double>(s.reference_frames), s.sparsity_scale);
  if (!isfinite(product)) return 0;
  // T is far below 2^40: beyond it only the side matters, and the conversion stays defined.
  const auto scaled = static_cast<std::int64_t>(trunc(fmin(fmax(product, -0x1p40), 0x1p40)));
  const std::int64_t budget = max(n_first + 1, scaled);
  if (frames <= budget) return 1;

  const std::int64_t target = max(n_first, budget - min(both_sides + 1, frames));
  // From the longest interval down; T > budget > n_first, so the first frames all exist.
  int strict = 1;
  for (int longest = s.frames; longest >= 1; longest -= kWarp) {
    const int k = longest - lane();
    const bool enough =
        k >= 1 && s.n_first_frames + div_up(s.frames, k) - div_up(s.n_first_frames, k) >= target;
    const unsigned found = __ballot_sync(kAllLanes, enough);
    if (found != 0) {
      strict = longest - (__ffs(static_cast<int>(found)) - 1);
      break;
    }
  }
  const std::int64_t mandatory = both_sides + n_first;
  const std::int64_t spare = budget - mandatory;
  const double quotient = __ddiv_rn(static_cast<double>(max(frames - mandatory, spare)),
                                    static_cast<double>(max(spare, std::int64_t{1})));
  return max(strict, static_cast<int>(ceil(quotient)));  // the quotient is below T
}

__device__ inline PatternStatus check_settings(const PatternSettings& s,
                                               const PatternBatch& batch) {
  if (s.frames < 1 || s.frames > batch.frame_capacity) return PatternStatus::kBadFrames;
  if (s.window_frames < 0) return PatternStatus::kBadWindow;
  if (s.n_first_frames < 0) return PatternStatus::kBadFirst;
  if (s.interval < kAutoInterval) return PatternStatus::kBadInterval;
  if (s.extra_begin < 0 || s.extra_end < s.extra_begin || s.extra_end > batch.extra_count) {
    return PatternStatus::kBadExtra;
  }
  return PatternStatus::kOk;
}

/// Called by whole warps; every lane gets the same plan.
__device__ inline Plan make_plan(const PatternSettings& s, const PatternBatch& batch) {
  Plan plan{};
  plan.status = check_settings(s, batch);
  if (plan.status != PatternStatus::kOk) return plan;
  plan.frames = s.frames;
  plan.window = min(s.window_frames, s.frames);
  plan.n_first = min(s.n_first_frames, s.frames);
  plan.expand = s.expand_window != 0;
  plan.interval = s.interval;
  if (s.interval == kAutoInterval) {
    plan.interval = auto_interval(s);
    if (plan.interval == 0) {
      plan.status = PatternStatus::kBadScale;
      return plan;
    }
  }
  std::int64_t offset = s.offset;
  if (s.offset_is_step != 0) offset = plan.interval > 0 ? floor_mod(offset, plan.interval) : 0;
  plan.start = plan.interval > 0 ? floor_mod(offset, plan.frames) : 0;
  return plan;
}

/// Whether f is one of the first frames or an anchor. The anchors start + i * interval, i below
/// ceil(T / interval), wrap at T at most once: seen from the start they are the multiples.
__device__ inline bool in_grid(const Plan& plan, int f) {
  if (f < plan.n_first) return true;
  if (plan.interval == 0) return false;
  const int distance = f >= plan.start ? f - plan.start : f - plan.start + plan.frames;
  return distance % plan.interval == 0;
}

/// Fills words `first`, `first + step`, ... of the set with the first frames and the anchors, a
/// word at a time by a whole warp.
__device__ inline void fill_grid(const Plan& plan, std::uint32_t* words, int first, int step) {
  for (int w = first; w < set_words(plan.frames); w += step) {
    const int f = w * kWarp + lane();
    const unsigned word = __ballot_sync(kAllLanes, f < plan.frames && in_grid(plan, f));
    if (lane() == 0) words[w] = word;
  }
}

/// Joins the condition frames and guards: thread `rank` of `size` takes each size-th of them.
__device__ inline void join_extra(const Plan& plan, const PatternSettings& s,
                                  const std::int32_t* extra, std::uint32_t* words, int rank,
                                  int size) {
  for (int i = s.extra_begin + rank; i < s.extra_end; i += size) {
    const int f = extra[i];
    if (f >= 0 && f < plan.frames) atomicOr(&words[f >> 5], 1u << (f & 31));
  }
}

/// Sum over the lanes at and below this one.
template <typename T>
__device__ T inclusive_scan(T value) {
  for (int distance = 1; distance < kWarp; distance *= 2) {
    const T other = __shfl_up_sync(kAllLanes, value, distance);
    if (lane() >= distance) value += other;
  }
  return value;
}

/// The running counts, by one whole warp; returns the size of the set.
__device__ inline int count_set(const Plan& plan, const FrameSet& set) {
  int carry = 0;
  const int words = set_words(plan.frames);
  for (int base = 0; base < words; base += kWarp) {
    const int w = base + lane();
    const int members = w < words ? __popc(set.words[w]) : 0;
    const int through = inclusive_scan(members);
    if (w < words) set.counts[w] = carry + through - members;
    carry += __shfl_sync(kAllLanes, through, kWarp - 1);
  }
  return carry;
}

/// The window of frame f, by the published steps one after the other.
__device__ inline Window window_of(const Plan& plan, const FrameSet& globals, int global_count,
                                   int f) {
  const int frames = plan.frames;
  const int w = plan.window;
  if (w == 0) return {f, f - 1};
  int lo = max(0, min(f - w, frames - 1 - 2 * w));
  int hi = min(frames - 1, max(f + w, 2 * w));
  if (!plan.expand) return {lo, hi};
  const int wanted = min(2 * w + 1, frames - global_count);
  int held = hi - lo + 1 - (globals.below(hi + 1) - globals.below(lo));
  while (held < wanted && (lo > 0 || hi < frames - 1)) {
    if (lo > 0) {
      --lo;
      held += globals.has(lo) ? 0 : 1;
      if (held >= wanted) break;
    }
    if (hi < frames - 1) {
      ++hi;
      held += globals.has(hi) ? 0 : 1;
    }
  }
  return {lo, hi};
}

/// Frames in the union of the global ones and the window.
__device__ inline int row_size(const FrameSet& globals, int global_count, Window window) {
  if (window.hi < window.lo) return global_count;
  const int inside = globals.below(window.hi + 1) - globals.below(window.lo);
  return global_count - inside + window.hi - window.lo + 1;
}

/// Member j of that union in ascending order: the globals before the window, the window, the rest.
__device__ inline int row_entry(const std::uint16_t* global_list, int before, int inside,
                                Window window, int j) {
  const int width = max(0, window.hi - window.lo + 1);
  if (j < before) return global_list[j];
  if (j < before + width) return window.lo + j - before;
  return global_list[j - width + inside];
}

}  // namespace lvsa::cuda::rules
