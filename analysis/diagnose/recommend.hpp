#pragma once
// Settings and flags with which a model, a length and a machine run sparse, with what they cost;
// combinations that would run dense are refused. Formulas of the memory estimate: docs/geometry.md.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/diagnose/diagnosis.hpp"

namespace lvsa::analysis {

struct RecommendRequest {
  ModelPreset model;
  std::int64_t video_frames = 0;
  VideoSize size;
  std::int64_t gpus = 1;
  std::optional<double> memory_gb = {};  ///< of one GPU, 10^9 bytes
  const Behaviour* behaviour = nullptr;  ///< unset: 1.3
  /// Degrees that are wanted; unset: chosen.
  std::optional<ParallelDegrees> degrees = {};
};

/// Of one GPU, 10^9 bytes.
struct MemoryEstimate {
  double transformer = 0.0;
  double text_encoder = 0.0;
  double activations = 0.0;
  double vae_decode = 0.0;  ///< untiled
  double vae_decode_tiled = 0.0;
  /// The larger of denoising and decoding, with what the flags leave on the GPU.
  double peak = 0.0;
};

struct Recommendation {
  ParallelDegrees degrees;
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<std::string> flags;
  std::vector<std::string> reasons;
  Diagnosis diagnosis;  ///< of the call that these settings make
  MemoryEstimate memory;
  bool fits = true;  ///< in the memory that was told
  /// Attention of one denoising step with two guidance passes on one GPU of the machine, ms; unset:
  /// no rate is known.
  std::optional<double> attention_ms = {};
  std::optional<double> dense_attention_ms = {};
};

/// Throws Error(kValue) for a combination that would run dense, naming the reason and what would
/// work.
Recommendation recommend(const RecommendRequest& request);

std::string recommendation_as_text(const Recommendation& recommendation);
nlohmann::ordered_json recommendation_as_json(const Recommendation& recommendation);

}  // namespace lvsa::analysis
