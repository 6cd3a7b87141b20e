#pragma once
// How long a case may be silent before it counts as hung.

#include "analysis/verify/case.hpp"

namespace lvsa::analysis {

/// Seconds that a call of a slow but sane kernel may take for this case: a minute, and the time at
/// 0.5e9 useful floating-point operations a second for the rows that are wanted, at 10e9 for the
/// rest (which a kernel may compute although nobody looks at it), and at 0.1e9 exact products for
/// the rows that are checked.
double default_timeout_s(const Case& c);

}  // namespace lvsa::analysis
