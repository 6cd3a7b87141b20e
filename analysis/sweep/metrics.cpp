#include "analysis/sweep/metrics.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::array<MetricInfo, kMetricCount> kInfos = {{
    {Metric::kRelativeL1, "rel_l1", "relative L1 error", "", Better::kLower},
    {Metric::kRelativeL2, "rel_l2", "relative L2 error", "", Better::kLower},
    {Metric::kCosinePooled, "cosine", "cosine similarity", "", Better::kHigher},
    {Metric::kCosineMin, "cosine_min", "smallest cosine of a row", "", Better::kHigher},
    {Metric::kRmse, "rmse", "root mean square error", "", Better::kLower},
    {Metric::kPsnr, "psnr", "peak signal-to-noise ratio", "dB", Better::kHigher},
    {Metric::kRecallMean, "recall", "attention-mass recall", "", Better::kHigher},
    {Metric::kRecallP01, "recall_p01", "1st percentile of recall", "", Better::kHigher},
    {Metric::kRecallMin, "recall_min", "smallest recall of a row", "", Better::kHigher},
    {Metric::kLseShiftMean, "lse_shift", "mean log-sum-exp shift", "nats", Better::kLower},
    {Metric::kLseShiftMax, "lse_shift_max", "largest log-sum-exp shift", "nats", Better::kLower},
    {Metric::kEntropyDense, "entropy_dense", "entropy over frames, dense", "nats",
     Better::kNeither},
    {Metric::kEntropySparse, "entropy_sparse", "entropy over frames, sparse", "nats",
     Better::kNeither},
}};

}  // namespace

std::span<const MetricInfo> metric_infos() { return kInfos; }

const MetricInfo& info(Metric metric) { return kInfos[static_cast<std::size_t>(metric)]; }

std::optional<Metric> metric_of_name(std::string_view name) {
  for (const MetricInfo& known : kInfos) {
    if (known.name == name) return known.metric;
  }
  return std::nullopt;
}

}  // namespace lvsa::analysis
