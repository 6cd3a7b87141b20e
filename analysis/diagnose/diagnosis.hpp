#pragma once
// Why a run is dense, or wrong: from a captured sequence length, settings and whatever else is
// known, what the plugin does, what the sequence really is, the verdict, the mend and the price.
// Source: published LVSA behaviour (geometry, detection, fallbacks) and its troubleshooting list;
// docs/geometry.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"
#include "core/config/presets.hpp"
#include "core/geometry/detection.hpp"

namespace lvsa::analysis {

/// Where the sequence length was seen: the place that decides whether LVSA engages.
enum class AttentionPath { kBackend, kWanHook, kHunyuanHook, kCosmos3Hook, kCosmos3Backend };

/// "backend", "wan-hook", "hunyuan-hook", "cosmos3-hook", "cosmos3-backend".
std::string_view name(AttentionPath path);
/// Throws Error(kValue) that lists the names.
AttentionPath parse_attention_path(std::string_view text);

/// Degrees of the parallel axes that matter to attention; each >= 1.
struct ParallelDegrees {
  std::int64_t tensor = 1;
  std::int64_t ulysses = 1;
  std::int64_t ring = 1;
  std::int64_t cfg = 1;

  std::int64_t sequence() const { return ulysses * ring; }
};

/// What is known about one attention call.
struct Question {
  std::int64_t seq_len = 0;                        ///< tokens of the queries, as the path saw them
  std::optional<std::int64_t> video_frames = {};   ///< not together with latent_frames
  std::optional<std::int64_t> latent_frames = {};  ///< T
  std::optional<VideoSize> size = {};              ///< pixels
  std::optional<std::int64_t> text_tokens = {};    ///< in the sequence, behind the video
  std::optional<AttentionPath> path = {};          ///< unset: as the settings and the model have it
  const Behaviour* behaviour = nullptr;            ///< unset: 1.3
  ParallelDegrees degrees = {};
  Environment environment = {};           ///< LVSA_* variables
  std::optional<ModelPreset> model = {};  ///< unset: all known models are considered
  /// The layer's own backend is known to be LVSA: where a hook of 1.3 steps aside, that engages
  /// instead.
  bool layer_is_lvsa = false;
};

enum class Verdict {
  kSparse,
  kDenseByDesign,  ///< engages with interval 1: T is within the budget
  kFallback,       ///< does not engage
  kMisread,        ///< engages on a grid that the evidence contradicts: silent corruption
  kMisconfigured,  ///< the right grid, but settings that contradict the model
  kUnknown,        ///< engages, and nothing known explains the sequence
};

/// "sparse", "dense-by-design", "fallback", "misread", "misconfigured", "unknown".
std::string_view name(Verdict verdict);
/// Whether the run is as it should be: sparse or dense by design.
bool is_good(Verdict verdict);

/// What the plugin does with the call.
struct PluginOutcome {
  AttentionPath path = AttentionPath::kBackend;
  bool engages = false;
  std::optional<std::int64_t> frames = {};    ///< T as the plugin has it
  std::optional<FrameGrid> grid = {};         ///< when it engages
  std::optional<FallbackReason> reason = {};  ///< when it does not
  /// The line that the plugin prints: the fallback's, or the warning of an ambiguous geometry.
  std::string message = {};
  bool silenced = false;                      ///< LVSA_WARN_FALLBACK keeps the line back
  std::vector<std::int64_t> candidates = {};  ///< for P, in the order they are tried; none on hooks
  std::vector<FrameGrid> fits = {};           ///< the candidates that fit
  /// A hook that steps aside hands over to the layer's own backend: what LVSA does there, should it
  /// be that backend. Unset where the call runs dense.
  std::optional<bool> delegate_engages = {};
};

/// One way to read the sequence: batch * (history + frames * P + text) tokens, padded and split
/// over `shards` ranks.
struct Reading {
  std::vector<std::string> models =
      {};  ///< presets that it fits, the likeliest first; empty: none known
  std::optional<VideoSize> size = {};
  FrameGrid grid = {};
  std::int64_t shards = 1;          ///< above 1: seq_len is the part of one rank
  std::int64_t padding = 0;         ///< tokens of all ranks together
  std::int64_t batch = 1;           ///< passes laid one behind the other
  std::int64_t history_tokens = 0;  ///< in front of the grid
  bool warm_up = false;             ///< a dummy run, no grid
  double cost = 0.0;                ///< how much it takes to believe it, in nats; lower is likelier
  double share = 0.0;               ///< exp(-cost) over the sum of all readings found
  std::vector<std::string> evidence = {};
};

/// The shortest list of changes that makes the call right.
struct Fix {
  std::vector<std::pair<std::string, std::string>> settings = {};  ///< variable and value
  std::vector<std::string> flags = {};                             ///< of the serving command
  std::vector<std::string> lines = {};                             ///< all of them, to paste
  std::optional<Verdict> gives = {};  ///< the verdict with them applied; unset: no mend is known
  std::string about = {};             ///< one line, such as why no setting helps
};

/// What the pattern costs.
struct PatternCost {
  FrameGrid grid = {};
  std::int64_t interval = 0;  ///< latent frames; 0: no keyframe grid
  std::int64_t window = 0;    ///< latent frames on each side
  std::int64_t anchors = 0;   ///< global frames
  std::int64_t least_attended = 0;
  std::int64_t most_attended = 0;
  double average_attended = 0.0;
  std::int64_t budget = 0;  ///< frames that a query is meant to attend; 0 with a fixed interval
  std::int64_t target = 0;  ///< anchors that fit beside the window
  double frame_density = 0.0;
  double token_density = 0.0;
  double speedup_bound = 1.0;  ///< over dense attention: 1 / token density
  /// Over dense cuDNN with the plugin's per-frame loop, from rates measured on one H200.
  std::optional<double> measured_speedup = {};
};

struct Diagnosis {
  PluginOutcome plugin;
  std::vector<Reading> readings;  ///< the likeliest first
  Verdict verdict = Verdict::kUnknown;
  std::vector<std::string> reasons;  ///< of the verdict, a line each
  Fix fix;
  std::optional<PatternCost> pattern;  ///< with the grid in force, or else of the mended call
  std::vector<std::string> notes;      ///< worth knowing, not part of the verdict
};

/// Answers the question. T may be unknown (the plugin then falls back with no_t_lat). Throws
/// Error(kValue) that names what is out of range or contradicts itself, and what
/// config_from_environment() throws for the settings.
Diagnosis diagnose(const Question& question);

}  // namespace lvsa::analysis
