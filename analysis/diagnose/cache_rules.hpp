#pragma once
// When a cache skips work of a denoising step: the published decision rules of TeaCache and of
// Cache-DiT's DBCache. What they decide on, the change between steps, depends on weights and
// prompt, so it is an input here. Sources: docs/steps.md.

#include <cstdint>
#include <optional>
#include <vector>

namespace lvsa::analysis {

/// TeaCache. The relative L1 change of the modulated timestep embedding from step to step, rescaled
/// by a polynomial, is added up; while the sum stays below the threshold the whole transformer is
/// skipped, and a step that computes sets it to zero. The first step always computes.
struct TeaCacheSettings {
  double threshold = 0.2;
  /// Of the polynomial, highest power first; empty: the change is taken as it is.
  std::vector<double> coefficients;
  std::int64_t first_steps = 1;  ///< always computed, at least 1
  std::int64_t last_steps = 0;   ///< always computed
};

/// DBCache. The first `first_blocks` are always computed; when the relative L1 difference of their
/// residual to that of the last computed step is below the threshold, the middle ones are skipped;
/// the last `last_blocks` are always computed. Nothing is skipped in the first steps.
struct DbCacheSettings {
  double threshold = 0.08;
  std::int64_t first_blocks = 8;
  std::int64_t last_blocks = 0;
  std::int64_t warmup_steps = 8;
  std::int64_t most_cached = -1;       ///< cached steps of a generation; negative: no limit
  std::int64_t most_consecutive = -1;  ///< of them in a row, as the published code counts them
};

/// Blocks of a pass that are computed: [0, first) and [blocks - last, blocks).
struct ComputedBlocks {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// Decides for one branch of one generation, step by step.
class CacheRule {
 public:
  CacheRule() = default;  ///< nothing is skipped
  /// Throw Error(kValue) that names the setting and what would be right.
  explicit CacheRule(const TeaCacheSettings& settings);
  explicit CacheRule(const DbCacheSettings& settings);

  /// The next step of a generation of `steps` steps in a model of `blocks` blocks. `change` is the
  /// relative L1 change to the step before, not negative. DBCache compares with the last computed
  /// step: the changes since then are added up, which is their largest possible sum.
  ComputedBlocks next(double change, std::int64_t steps, std::int64_t blocks);
  /// Ready for the next generation.
  void restart();

 private:
  bool tea_computes(double change, std::int64_t steps);
  bool db_computes(double change);
  void count_cached();

  std::optional<TeaCacheSettings> tea_;
  std::optional<DbCacheSettings> db_;
  std::int64_t step_ = 0;
  double sum_ = 0.0;
  std::int64_t cached_ = 0;
  std::int64_t consecutive_ = 0;
  std::int64_t last_cached_ = -1;
};

}  // namespace lvsa::analysis
