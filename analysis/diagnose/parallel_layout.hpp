#pragma once
// Who owns and who computes what under tp x ulysses x ring x cfg: tokens, rows, heads, frames; what
// must divide, what is near that does, and what padding costs. Source: published sequence
// parallelism of vLLM-Omni; docs/parallel.md.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "reference/parallel/sequence_world.hpp"

namespace lvsa::analysis {

inline constexpr std::int64_t kMostParallelRanks = 4096;

struct ParallelQuestion {
  std::int64_t tp = 1;
  reference::SequenceWorld world;  ///< Ulysses x ring
  std::int64_t cfg = 1;
  reference::HeadCounts heads;
  FrameGrid grid;           ///< frames = 0: unknown, patches_per_frame holds all video tokens
  PatchRule rule;           ///< for lengths in video frames
  bool pads_heads = false;  ///< the later mode; else strict
  bool knows_frames() const { return grid.frames > 0; }
  std::int64_t video_tokens() const {
    return knows_frames() ? grid.video_tokens() : grid.patches_per_frame;
  }
  std::int64_t ranks() const { return tp * world.size() * cfg; }
};

/// A frame that a rank holds in part: its tokens there, counted within the frame.
struct PartialFrame {
  std::int64_t frame = 0;
  reference::TokenRange tokens;
};

struct RankShare {
  std::int64_t rank = 0;  ///< tp varies fastest, then u, ring, cfg
  std::int64_t tp = 0;
  std::int64_t ulysses = 0;
  std::int64_t ring = 0;
  std::int64_t cfg = 0;
  reference::TokenRange owns;   ///< video tokens of its chunk
  reference::TokenRange rows;   ///< video tokens whose rows it computes after the all-to-all
  reference::TokenRange heads;  ///< query heads that it computes
  reference::TokenRange kv_heads;
  std::int64_t padded_heads = 0;    ///< further query heads that are zeros
  std::int64_t padding_tokens = 0;  ///< of its chunk, behind the video
  std::int64_t first_frame = -1;    ///< of the tokens that it owns; -1: none or unknown
  std::int64_t last_frame = -1;
  std::vector<PartialFrame> partial;
};

/// A length near the one asked for whose video tokens the degree divides.
struct NearLength {
  std::int64_t latent_frames = 0;
  std::int64_t video_frames = 0;  ///< the shortest video of so many latent frames
  std::int64_t video_tokens = 0;
};

struct Divisibility {
  bool tokens = false;       ///< U * R divides T * P
  std::int64_t chunk = 0;    ///< ceil(T * P / (U * R))
  std::int64_t padding = 0;  ///< tokens up to the next multiple
  std::optional<NearLength> below;
  std::optional<NearLength> above;
  std::int64_t step_frames = 0;  ///< every multiple of so many latent frames divides; 0: unknown
};

/// What unmasked zero keys behind the video do to an output: factor Z / (Z + pad * exp(-m)).
struct PaddingBias {
  std::int64_t padding = 0;
  double uniform = 1.0;  ///< all scores 0: m = 0, Z = S
  double normal = 1.0;   ///< scores of standard deviation 1: Z * exp(m) = S * exp(1/2)
  double low = 1.0;      ///< all scores at -10: padding with score 0 is far above them
};

/// Heads over tp and Ulysses degree.
struct HeadVerdict {
  bool strict = false;                            ///< all counts divide
  std::string message;                            ///< why not, one line
  reference::HeadCounts per_tp;                   ///< of one tensor-parallel rank
  reference::HeadCounts padded;                   ///< the same in the padded mode
  std::vector<std::int64_t> ulysses_that_divide;  ///< degrees that need no padding
};

/// The modes of the standalone library (1.3) in a world of U * R ranks.
struct StandaloneMode {
  std::string name;  ///< "custom", "ulysses", "ring"
  bool available = false;
  std::string note;  ///< one line
};

struct ParallelLayout {
  ParallelQuestion question;
  std::vector<RankShare> ranks;
  Divisibility divisibility;
  PaddingBias bias;
  HeadVerdict heads;
  std::vector<StandaloneMode> standalone;
  std::vector<std::string> problems;  ///< why the published code refuses this, a line each
  bool good() const { return problems.empty(); }
};

/// Throws Error(kValue) that names a degree or size which is out of range, or more than
/// kMostParallelRanks ranks.
ParallelLayout make_parallel_layout(const ParallelQuestion& question);

}  // namespace lvsa::analysis
