#pragma once
// The verdict on a call: what the plugin does, held against what the sequence really is.

#include <optional>
#include <unordered_map>

#include "analysis/diagnose/plugin_outcome.hpp"
#include "analysis/diagnose/readings.hpp"

namespace lvsa::analysis {

/// A setting that contradicts the model.
struct Contradiction {
  std::string variable;
  std::string key;  ///< of LVSA_CONFIG; empty: it has none
  std::string is;
  std::string due;
};

struct Ruling {
  Verdict verdict = Verdict::kUnknown;
  BareOutcome outcome;
  std::optional<BareReading> top;       ///< the likeliest reading
  std::optional<BareReading> agreeing;  ///< the likeliest one with the plugin's grid
};

/// Judges calls of one run: settings, model and degrees are the question's, lengths and T change.
/// Not for several threads at once.
class Judge {
 public:
  explicit Judge(const Question& question);

  const PluginSettings& settings() const { return settings_; }
  const ReadingFinder& finder() const { return finder_; }
  /// T of the question: latent frames, or of its video frames.
  std::optional<std::int64_t> told_frames() const { return told_frames_; }

  /// `told` is the T of this call, when it is known from elsewhere than the settings.
  Ruling rule(std::int64_t seq_len, std::optional<std::int64_t> told) const;

  /// What the settings say against every model that the reading fits; empty: nothing.
  std::vector<Contradiction> contradictions(const BareReading& reading) const;

  /// What the settings say against one model of finder().
  std::vector<Contradiction> contradictions_of(std::int32_t model) const;

  /// The keyframe interval at T, 0 without a grid of keyframes; 1 also where all frames are
  /// attended anyway.
  std::int64_t interval(std::int64_t frames) const;

 private:
  std::vector<Contradiction> against(const ModelPreset& model) const;

  PluginSettings settings_;
  ReadingFinder finder_;
  std::optional<std::int64_t> told_frames_;
  bool model_known_ = false;
  bool layer_is_lvsa_ = false;
  std::optional<std::int64_t> n_blocks_;
  std::vector<bool> contradicted_;  // by model
  mutable std::unordered_map<std::int64_t, std::int64_t> intervals_;
};

}  // namespace lvsa::analysis
