#include "analysis/sweep/sweep_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace lvsa::analysis {

SweepUnits::SweepUnits(const SweepPlan& plan, const SweepPatterns& patterns)
    : samples_(static_cast<std::int64_t>(plan.samples.size())),
      patterns_(patterns.size()),
      chunk_(plan.patterns_per_unit),
      chunks_((patterns_ + chunk_ - 1) / chunk_) {
  constexpr std::int64_t kMostValues = 20'000'000;
  if (patterns_ > kMostValues / samples_) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("{} different patterns (each offset of a rotation is one) x {} samples: "
                    "at most {} are supported; fewer settings or samples are due",
                    patterns_, samples_, kMostValues));
  }
}

std::int64_t SweepUnits::pattern_count(std::int64_t unit) const {
  return std::min(chunk_, patterns_ - first_pattern(unit));
}

UnitWorker::UnitWorker(const SampleSource& source, const SweepPatterns& patterns,
                       const SweepUnits& units, Evaluate evaluate)
    : source_(source), patterns_(patterns), units_(units), evaluate_(std::move(evaluate)) {}

UnitWorker::~UnitWorker() = default;

UnitResult UnitWorker::compute(std::int64_t unit) {
  const std::size_t sample = units_.sample(unit);
  if (!sample_ || loaded_ != sample) {
    sample_.reset();  // one at a time in memory
    sample_ = std::make_unique<Sample>(source_.load(sample));
    loaded_ = sample;
  }
  const std::int64_t first = units_.first_pattern(unit);
  if (built_from_ != first) {
    built_.clear();
    for (std::int64_t i = 0; i < units_.pattern_count(unit); ++i) {
      built_.push_back(build_frame_pattern(patterns_.spec(first + i)));
    }
    built_from_ = first;
  }
  return {unit, evaluate_(*sample_, built_)};
}

}  // namespace lvsa::analysis
