#pragma once
// How long a pattern is expected to take on a GPU: attention, prediction and reordering apart.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/geometry/frame_grid.hpp"

namespace lvsa::analysis {

/// TFLOP/s, of 4 S^2 D a head for dense attention.
struct PatternRates {
  double dense = 0.0;       ///< dense attention
  double sparse = 0.0;      ///< block-sparse attention, of the pairs within kept blocks
  double prediction = 0.0;  ///< finding the pattern
  double memory_tbs = 0.0;  ///< TB/s, of reordering q, k, v and the output
};

/// Rates by words: "dense=580 sparse=610 sparge.sparse=540 prediction=58 memory=4.0"; a rule's name
/// in front of the dot sets that rule's. Words that are missing have their defaults.
class RateChoice {
 public:
  RateChoice() = default;
  /// Throws Error(kValue) that names the word for an unknown one, one that comes twice, and a value
  /// that is not above 0.
  explicit RateChoice(const std::string& words);

  /// Defaults: `dense` the measured rate of cuDNN on one H200 (bf16, nearest geometry, see
  /// measured_rates()); `sparse` dense times measured_gain(); `prediction` a tenth of dense;
  /// `memory` 4.8 TB/s, the H200's. For head sizes that were not measured, dense is that of 128 and
  /// the gain is 1.
  PatternRates of(const std::string& rule, std::int64_t head_dim, std::int64_t heads,
                  const FrameGrid& grid) const;
  /// For people.
  std::string source(std::int64_t head_dim, std::int64_t heads, const FrameGrid& grid) const;

 private:
  double value(const std::string& rule, const std::string& name, double otherwise) const;
  std::map<std::string, double> given_;
};

/// Milliseconds a head.
struct PredictedTime {
  double dense_ms = 0.0;
  double attention_ms = 0.0;
  double prediction_ms = 0.0;
  double order_ms = 0.0;
  double total_ms = 0.0;
  double speedup = 0.0;  ///< over dense attention
};

struct PatternWork {
  double computed_density = 1.0;
  double prediction_flops = 0.0;
  bool reordered = false;
};

/// Pairs of kept blocks at the sparse rate (at the dense one when all are kept), then the flops of
/// the prediction, then 16 S D bytes of reordering (four tensors read and written, two bytes an
/// element).
PredictedTime predict_time(const PatternWork& work, const PatternRates& rates, std::int64_t tokens,
                           std::int64_t head_dim);

}  // namespace lvsa::analysis
