#include "analysis/diagnose/cache_rules.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

void require_threshold(double threshold, const char* cache) {
  if (std::isfinite(threshold) && threshold >= 0.0) return;
  throw Error(ErrorKind::kValue,
              fmt::format("{} threshold {}: a number of at least 0 is due", cache, threshold));
}

double polynomial(const std::vector<double>& coefficients, double x) {
  double value = 0.0;
  for (const double coefficient : coefficients) value = value * x + coefficient;
  return value;
}

}  // namespace

CacheRule::CacheRule(const TeaCacheSettings& settings) : tea_(settings) {
  require_threshold(settings.threshold, "TeaCache");
  if (settings.first_steps < 1 || settings.last_steps < 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("TeaCache computes the first {} and the last {} steps: at least 1 and "
                            "at least 0 are due",
                            settings.first_steps, settings.last_steps));
  }
}

CacheRule::CacheRule(const DbCacheSettings& settings) : db_(settings) {
  require_threshold(settings.threshold, "Cache-DiT");
  if (settings.first_blocks < 1 || settings.last_blocks < 0 || settings.warmup_steps < 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("Cache-DiT computes the first {} and the last {} blocks after {} "
                            "warm-up steps: at least 1, 0 and 0 are due",
                            settings.first_blocks, settings.last_blocks, settings.warmup_steps));
  }
}

ComputedBlocks CacheRule::next(double change, std::int64_t steps, std::int64_t blocks) {
  ComputedBlocks computed{blocks, 0};
  if (tea_ && !tea_computes(change, steps)) computed.first = 0;
  if (db_ && db_->first_blocks + db_->last_blocks < blocks && !db_computes(change)) {
    computed = {db_->first_blocks, db_->last_blocks};
  }
  ++step_;
  return computed;
}

bool CacheRule::tea_computes(double change, std::int64_t steps) {
  const bool forced = step_ < tea_->first_steps || step_ >= steps - tea_->last_steps;
  if (!forced) {
    sum_ += std::fabs(tea_->coefficients.empty() ? change : polynomial(tea_->coefficients, change));
    if (sum_ < tea_->threshold) return false;
  }
  sum_ = 0.0;
  return true;
}

bool CacheRule::db_computes(double change) {
  sum_ += change;
  bool skips = step_ > 0 && step_ >= db_->warmup_steps;
  if (skips && db_->most_cached >= 0 && cached_ >= db_->most_cached) skips = false;
  if (skips && db_->most_consecutive >= 0 && consecutive_ >= db_->most_consecutive) {
    consecutive_ = 0;
    skips = false;
  }
  // At a threshold of 1 or more everything counts as similar.
  skips = skips && db_->threshold > 0.0 && (db_->threshold >= 1.0 || sum_ < db_->threshold);
  if (!skips) {
    sum_ = 0.0;
    return true;
  }
  count_cached();
  return false;
}

// As published: the second of two cached steps in a row counts for both after a reset, and a
// computed step between them does not reset the count.
void CacheRule::count_cached() {
  if (cached_ == 0) {
    ++consecutive_;
  } else if (step_ - last_cached_ == 1) {
    consecutive_ += consecutive_ == 0 ? 2 : 1;
  }
  last_cached_ = step_;
  ++cached_;
}

void CacheRule::restart() {
  // The published count of consecutive steps outlives a generation.
  step_ = 0;
  sum_ = 0.0;
  cached_ = 0;
  last_cached_ = -1;
}

}  // namespace lvsa::analysis
