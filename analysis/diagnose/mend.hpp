#pragma once
// The shortest list of settings and flags that makes a call right, found by trying: each list is
// applied and judged again.

#include "analysis/diagnose/judge.hpp"

namespace lvsa::analysis {

struct Mend {
  Fix fix;
  std::optional<Question> mended;  ///< the question with the fix applied, where there is one
};

/// For a ruling that is not good. `ruling` is the judge's on `question`.
Mend find_mend(const Question& question, const Judge& judge, const Ruling& ruling);

/// The length that the path would see of a whole sequence of `reading`'s video and text. `gathers`:
/// the backend gets the whole of a sequence that Ulysses splits.
std::int64_t seen_length(const BareReading& reading, AttentionPath path,
                         const ParallelDegrees& degrees, bool gathers);

}  // namespace lvsa::analysis
