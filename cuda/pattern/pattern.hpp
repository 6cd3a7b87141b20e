#pragma once
// Patterns built on the device: the third implementation of the published rules, beside core's and
// the restatement's, sharing no code with them.
//
// Everything here works on device memory that the caller owns, queues its work on a stream and
// returns at once: no allocation, no synchronisation, so all of it can be captured in a CUDA graph.
// The settings are read on the device too: a captured graph follows the denoising step by a new
// value in `PatternSettings::offset`.
//
// Since nothing comes back to the host, bad settings are reported in PatternSummary::status; the
// pattern is then empty (every list has length 0). What the host can see (null pointers, negative
// counts, a refused launch) is thrown as lvsa::Error.

#include <cuda_runtime_api.h>

#include <cstdint>

namespace lvsa::cuda {

/// The longest video the device builds patterns for, in latent frames.
inline constexpr std::int32_t kMaxPatternFrames = 16384;

/// Values of PatternSettings::interval that are no interval.
inline constexpr std::int32_t kNoInterval = 0;
inline constexpr std::int32_t kAutoInterval = -1;  ///< by the published rule

/// One configuration at one denoising step, in latent frames.
struct PatternSettings {
  std::int32_t frames;            ///< T, 1 .. kMaxPatternFrames
  std::int32_t window_frames;     ///< W on each side, >= 0
  std::int32_t n_first_frames;    ///< always global, >= 0
  std::int32_t interval;          ///< keyframe interval, kNoInterval or kAutoInterval
  std::int32_t reference_frames;  ///< training horizon; read for kAutoInterval only
  std::int32_t expand_window;     ///< 0: adaptive windows, else expanded ones
  std::int32_t offset_is_step;  ///< not 0: `offset` is a denoising step, taken modulo the interval
  std::int32_t extra_begin;     ///< condition frames and boundary guards of this configuration:
  std::int32_t extra_end;  ///< extra_frames[extra_begin .. extra_end); outside the video: left out
  double sparsity_scale;   ///< read for kAutoInterval only
  std::int64_t offset;     ///< rotation of the keyframe grid; any value
};

enum class PatternStatus : std::int32_t {
  kOk = 0,
  kBadFrames,     ///< T < 1, or above frame_capacity
  kBadWindow,     ///< W < 0
  kBadFirst,      ///< n_first < 0
  kBadInterval,   ///< below kAutoInterval
  kBadScale,      ///< the scale is NaN or makes the budget infinite
  kBadExtra,      ///< a range outside extra_frames
  kListTooSmall,  ///< more pairs than list_capacity
};

/// What a configuration comes to.
struct PatternSummary {
  PatternStatus status;
  std::int32_t interval;   ///< 0: no keyframe grid
  std::int32_t offset;     ///< of the grid, within 0 .. T - 1
  std::int32_t globals;    ///< |G|
  std::int32_t columns;    ///< frames that any query frame attends
  std::int32_t least_row;  ///< fewest frames that a query frame attends
  std::int32_t most_row;
  std::int32_t reserved;  ///< 0
  std::int64_t pairs;     ///< attended (query frame, key frame) pairs; / T^2: the frame density
};

/// Configurations, all pointers to device memory.
struct PatternBatch {
  const PatternSettings* settings = nullptr;   ///< [count]
  std::int64_t count = 0;                      ///< >= 0
  const std::int32_t* extra_frames = nullptr;  ///< [extra_count]; may be null when that is 0
  std::int32_t extra_count = 0;
  std::int32_t frame_capacity = 0;  ///< the largest T, 1 .. kMaxPatternFrames
};

/// Frames lo .. hi, both inclusive; empty when hi < lo.
struct Window {
  std::int32_t lo;
  std::int32_t hi;
};

/// Tokens of one frame to copy from a source buffer into the compact keys.
struct Copy {
  std::int64_t source;
  std::int64_t target;
};

/// Where the patterns go: device memory. Of configuration c each array starts at c times the size
/// given here, F standing for frame_capacity and L for list_capacity. Null: not wanted.
struct PatternArrays {
  PatternSummary* summary = nullptr;  ///< [1]; due
  std::int32_t* globals = nullptr;    ///< [F]: `globals` frames, ascending
  std::uint8_t* is_global = nullptr;  ///< [F]
  Window* windows = nullptr;          ///< [F]
  std::int64_t* offsets = nullptr;    ///< [F + 1]: row f is list[offsets[f] .. offsets[f + 1])
  std::int32_t* list = nullptr;       ///< [L]: attended frames, ascending within a row
  std::uint8_t* mask = nullptr;       ///< [F * F], row f at f * T: kMaskGlobal | kMaskWindow

  // The block rows of a world of one: P x P blocks, columns numbered over the attended frames.
  std::int32_t* indptr = nullptr;         ///< [F + 1]
  std::int32_t* indices = nullptr;        ///< [L]
  std::int32_t* column_frames = nullptr;  ///< [F]: the frame of each of the `columns` columns
  Copy* global_copies = nullptr;       ///< [F]: `globals` copies from the buffer of global frames
  Copy* local_copies = nullptr;        ///< [F]: `columns - globals` copies from the video's tokens
  std::int64_t patches_per_frame = 1;  ///< P, the unit of the copies

  std::int64_t list_capacity = 0;  ///< T * T is always enough
};

inline constexpr std::uint8_t kMaskGlobal = 1;
inline constexpr std::uint8_t kMaskWindow = 2;

/// Builds the patterns of a batch: one launch, one block a configuration and, for its mask, more.
void build_patterns(const PatternBatch& batch, const PatternArrays& out, cudaStream_t stream);

/// The summaries alone, a warp each: a sweep over millions of configurations in one launch.
/// `summary` is device memory, [batch.count].
void summarise_patterns(const PatternBatch& batch, PatternSummary* summary, cudaStream_t stream);

}  // namespace lvsa::cuda
