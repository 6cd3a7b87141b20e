#pragma once
// The sparsity table of the LVSA documentation beside what the published rules give. Source:
// docs/tuning.md of the LVSA repository, "Sparsity vs sequence length" (W = 4 latent frames,
// n_first = 1, scale 1; versions of June and July 2026).

#include <cstdint>
#include <string>
#include <vector>

namespace lvsa::analysis {

/// Sparsity: share of the frame pairs that is not attended, in percent.
struct PublishedRow {
  std::int64_t reference = 0;  ///< latent frames
  std::int64_t frames = 0;     ///< T
  int published = 0;           ///< percent, as printed there
  std::int64_t strict = 1;     ///< interval by the guide's rule: the strict one alone
  std::int64_t fallback = 1;
  std::int64_t interval = 1;  ///< what the code takes: the larger of the two
  double guide_sparsity = 0.0;
  double code_sparsity = 0.0;

  /// Equal once rounded to whole percent.
  bool guide_agrees() const;
  bool code_agrees() const;
};

/// T = 21 .. 121 for references 33 and 21, as core/pattern has the rules.
std::vector<PublishedRow> published_table();

/// The table for people, with what explains each row in which document and code disagree; ends with
/// a newline.
std::string published_table_text();

}  // namespace lvsa::analysis
