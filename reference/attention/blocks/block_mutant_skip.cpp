#include "reference/attention/blocks/block_mutant_skip.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace lvsa::reference {
namespace {

using enum BlockDefect;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float dot(const float* a, const float* b, std::int64_t count) {
  float sum = 0.0F;
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// Largest score of each row with a block; -infinity where a row attends none of it.
std::vector<float> tops(const SkipInput& in, std::size_t e, const MutantMaps& maps,
                        BlockDefect defect) {
  std::vector<float> tops(in.queries.size(), -kInfinity);
  for (std::size_t r = 0; r < tops.size(); ++r) {
    for (std::size_t j = 0; j < in.keys[e].size(); ++j) {
      const bool attended = defect == kSkipSeesMasked ||
                            maps.attends(in.entries[e].mask, static_cast<std::int64_t>(r),
                                         static_cast<std::int64_t>(j));
      if (!attended) continue;
      float score = dot(in.queries[r], in.keys[e][j], in.dim) * in.factor;
      if (defect == kSkipNaturalUnits) score *= std::numbers::ln2_v<float>;
      tops[r] = std::max(tops[r], score);
    }
  }
  return tops;
}

// The gains of the rows that attend the block.
std::vector<float> gains_of(const std::vector<float>& tops, const std::vector<float>& seen) {
  std::vector<float> gains;
  for (std::size_t r = 0; r < tops.size(); ++r) {
    if (tops[r] > -kInfinity) gains.push_back(tops[r] - seen[r]);
  }
  return gains;
}

float delta_of(const std::vector<float>& gains, BlockDefect defect) {
  if (gains.empty()) return -kInfinity;
  if (defect == kSkipAnyRow) return *std::min_element(gains.begin(), gains.end());
  if (defect == kSkipByMean) {
    float sum = 0.0F;
    for (const float gain : gains) sum += gain;
    return sum / static_cast<float>(gains.size());
  }
  return *std::max_element(gains.begin(), gains.end());
}

}  // namespace

std::vector<std::vector<bool>> mutant_skips(const SkipInput& in, const MutantMaps& maps,
                                            BlockDefect defect) {
  const std::size_t rows = in.queries.size();
  std::vector<std::vector<bool>> skips(in.entries.size(), std::vector<bool>(rows, false));
  if (defect == kSkipIgnored) return skips;
  std::vector<float> seen(rows, defect == kSkipFirstMaxZero ? 0.0F : -kInfinity);
  const float threshold = defect == kSkipSign ? -in.threshold : in.threshold;
  for (std::size_t e = 0; e < in.entries.size(); ++e) {
    const std::vector<float> top = tops(in, e, maps, defect);
    const float delta = delta_of(gains_of(top, seen), defect);
    const bool may = e + 1 < in.entries.size() || (defect == kSkipLastBlock && e > 0);
    bool skipped = false;
    for (std::size_t r = 0; r < rows; ++r) {
      const float own = defect == kSkipPerRow && top[r] > -kInfinity ? top[r] - seen[r] : delta;
      skips[e][r] = may && own + threshold <= 0.0F;
      skipped = skipped || skips[e][r];
    }
    if (skipped && defect == kSkipMaxNotUpdated) continue;
    for (std::size_t r = 0; r < rows; ++r) seen[r] = std::max(seen[r], top[r]);
  }
  return skips;
}

}  // namespace lvsa::reference
