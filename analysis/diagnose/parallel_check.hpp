#pragma once
// Attention computed in shards against attention of one rank, as named checks.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/diagnose/parallel_data.hpp"
#include "analysis/verify/result.hpp"
#include "reference/parallel/parallel_defects.hpp"
#include "reference/parallel/ring_merge.hpp"

namespace lvsa::analysis {

/// How far sharded results may be from those of one rank.
inline constexpr double kParallelTolerance = 1e-12;     ///< merged in fp64
inline constexpr double kParallelToleranceFp32 = 2e-6;  ///< merged in fp32, as published

/// One way to share the work.
struct ParallelRun {
  std::int64_t tp = 1;  ///< heads are cut first; must divide both head counts
  reference::SequenceWorld world;
  bool pads_heads = false;
  reference::MergeForm merge = reference::MergeForm::kRobust;
  bool merges_in_fp32 = false;
  reference::ParallelDefect defect = reference::ParallelDefect::kNone;
};

struct ParallelVerdict {
  std::vector<NamedCheck> checks;
  double video = 0.0;  ///< largest |difference| of a video row's output
  double text = 0.0;   ///< the same of text rows
  double lse = 0.0;    ///< of any row
  std::int64_t nan_rows = 0;
  std::int64_t empty_first_blocks = 0;
  std::int64_t padding_tokens = 0;
  double tolerance = kParallelTolerance;

  bool good() const;
  /// The largest difference of all.
  double worst() const;
};

/// Names and meanings of all checks here, in the order of the matrix.
struct ParallelCheckInfo {
  std::string_view name;
  std::string_view description;
};
std::span<const ParallelCheckInfo> parallel_checks();

/// The exact modes (Ulysses, ring, their products): checks round-trip, places, finite, video, text,
/// lse, text-agrees. Throws Error(kValue) for heads that the degrees do not divide.
ParallelVerdict check_exact(const ParallelData& data, const ParallelRun& run);

/// The standalone mode `custom`, an approximation.
struct CustomVerdict {
  ParallelVerdict own;               ///< against its own published set: check custom-set
  std::int64_t pairs = 0;            ///< attended (query token, video key token) pairs of one rank
  std::int64_t added = 0;            ///< pairs that custom has more
  std::int64_t removed = 0;          ///< pairs that it lacks
  std::vector<std::int32_t> guards;  ///< boundary guard frames
  double largest_difference = 0.0;   ///< from one rank's output, video rows
  double relative_rms = 0.0;         ///< root mean square of it over that of the output
};

/// Throws Error(kValue) unless the world divides T * P.
CustomVerdict check_custom(const ParallelData& data, std::int64_t world,
                           reference::ParallelDefect defect = reference::ParallelDefect::kNone);

}  // namespace lvsa::analysis
