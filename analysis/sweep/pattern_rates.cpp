#include "analysis/sweep/pattern_rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "analysis/diagnose/pattern_cost.hpp"
#include "core/config/python_number.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"dense", "sparse", "prediction", "memory"};
constexpr double kPredictionShare = 0.1;  // an assumption: small products, reductions and a sort
constexpr double kMemoryTbs = 4.8;        // one H200, by its maker

double default_dense(std::int64_t heads, const FrameGrid& grid) {
  ModelPreset model;
  model.heads = std::max<std::int64_t>(heads, 1);
  model.head_dim = 128;
  return measured_rates(model, grid)->dense_tflops;
}

double gain_of(std::int64_t head_dim, const FrameGrid& grid) {
  const auto measured = measured_gain(head_dim, grid);
  return measured ? measured->gain : 1.0;
}

}  // namespace

RateChoice::RateChoice(const std::string& words) {
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::size_t dot = key.rfind('.');
    const std::string name = dot == std::string::npos ? key : key.substr(dot + 1);
    if (equals == std::string::npos ||
        std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("--rates: '{}': dense=, sparse=, prediction= or memory= is due, "
                              "perhaps with a pattern's name in front: sparge.sparse=540",
                              word));
    }
    const auto value = parse_python_float(word.substr(equals + 1));
    if (!value || !(*value > 0.0) || !std::isfinite(*value)) {
      throw Error(ErrorKind::kValue, fmt::format("--rates: '{}': a number above 0 is due", word));
    }
    if (!given_.emplace(key, *value).second) {
      throw Error(ErrorKind::kValue, fmt::format("--rates: '{}' comes twice", key));
    }
  }
}

double RateChoice::value(const std::string& rule, const std::string& name, double otherwise) const {
  for (const std::string& key : {rule + "." + name, name}) {
    if (const auto at = given_.find(key); at != given_.end()) return at->second;
  }
  return otherwise;
}

PatternRates RateChoice::of(const std::string& rule, std::int64_t head_dim, std::int64_t heads,
                            const FrameGrid& grid) const {
  PatternRates rates;
  rates.dense = value(rule, "dense", default_dense(heads, grid));
  rates.sparse = value(rule, "sparse", rates.dense * gain_of(head_dim, grid));
  rates.prediction = value(rule, "prediction", rates.dense * kPredictionShare);
  rates.memory_tbs = value(rule, "memory", kMemoryTbs);
  return rates;
}

std::string RateChoice::source(std::int64_t head_dim, std::int64_t heads,
                               const FrameGrid& grid) const {
  const PatternRates rates = of("", head_dim, heads, grid);
  std::string text = fmt::format(
      "dense attention at {:.4g} TFLOP/s, pairs of kept blocks at {:.4g}, predictions at {:.4g}, "
      "reordering at {:.3g} TB/s",
      rates.dense, rates.sparse, rates.prediction, rates.memory_tbs);
  std::string given;
  for (const auto& [name, rate] : given_) given += fmt::format(" {}={}", name, rate);
  if (!given.empty()) text += "; given:" + given;
  const auto measured = measured_gain(head_dim, grid);
  text += "; without --rates: dense is cuDNN's on one H200 in bf16 (nearest measured geometry";
  text += head_dim == 128 ? ")" : ", of head size 128)";
  text += measured ? fmt::format(
                         ", sparse {} times it as the kernel cuda was measured at T={} "
                         "P={} H={} D={}",
                         measured->gain, measured->frames, measured->patches, measured->heads,
                         measured->head_dim)
                   : std::string(", sparse the same: no kernel was measured at this head size");
  return text + ", predictions at a tenth of dense (assumed), memory at the H200's 4.8 TB/s";
}

PredictedTime predict_time(const PatternWork& work, const PatternRates& rates, std::int64_t tokens,
                           std::int64_t head_dim) {
  const auto s = static_cast<double>(tokens);
  const auto d = static_cast<double>(head_dim);
  const double flops = 4.0 * s * s * d;
  constexpr double kMs = 1e3 / 1e12;
  PredictedTime time;
  time.dense_ms = flops / rates.dense * kMs;
  time.attention_ms = work.computed_density >= 1.0
                          ? time.dense_ms
                          : flops * work.computed_density / rates.sparse * kMs;
  time.prediction_ms = work.prediction_flops / rates.prediction * kMs;
  time.order_ms = work.reordered ? 16.0 * s * d / rates.memory_tbs * kMs : 0.0;
  time.total_ms = time.attention_ms + time.prediction_ms + time.order_ms;
  time.speedup = time.dense_ms / time.total_ms;
  return time;
}

}  // namespace lvsa::analysis
