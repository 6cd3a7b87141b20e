#pragma once
// The figures that say how far a sparse output is from the dense one. docs/sweep.md defines each
// with its source.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace lvsa::analysis {

/// Over the sampled rows of one sample; o is the sparse output, o* the dense one.
enum class Metric : std::size_t {
  kRelativeL1,    ///< sum |o - o*| / sum |o*|
  kRelativeL2,    ///< |o - o*|_2 / |o*|_2
  kCosinePooled,  ///< <o, o*> / (|o| |o*|) of all rows as one vector
  kCosineMin,     ///< the smallest cosine of a row
  kRmse,          ///< root of the mean of (o - o*)^2
  kPsnr,          ///< dB, 20 log10((max o* - min o*) / rmse)
  kRecallMean,    ///< attention mass of the dense softmax on the attended keys
  kRecallP01,     ///< its 1st percentile over the rows
  kRecallMin,
  kLseShiftMean,  ///< dense log-sum-exp - sparse one = -ln recall, mean
  kLseShiftMax,
  kEntropyDense,   ///< nats, of the dense softmax over frames (and text), mean over the rows
  kEntropySparse,  ///< nats, of the sparse one
};
inline constexpr std::size_t kMetricCount = 13;

enum class Better { kLower, kHigher, kNeither };

struct MetricInfo {
  Metric metric;
  std::string_view name;   ///< column name: "rel_l1", "rel_l2", "cosine", "cosine_min", "rmse",
                           ///< "psnr", "recall", "recall_p01", "recall_min", "lse_shift",
                           ///< "lse_shift_max", "entropy_dense", "entropy_sparse"
  std::string_view title;  ///< for people
  std::string_view unit;   ///< "" for none
  Better better;
};

/// All of them, in the order of the enumeration.
std::span<const MetricInfo> metric_infos();
const MetricInfo& info(Metric metric);
/// Nothing for a name that is none.
std::optional<Metric> metric_of_name(std::string_view name);

/// Indexed by the enumeration. NaN: not defined (a cosine with a zero vector).
using MetricValues = std::array<double, kMetricCount>;

}  // namespace lvsa::analysis
