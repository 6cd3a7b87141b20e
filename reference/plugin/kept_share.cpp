#include "reference/plugin/kept_share.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace lvsa::reference {
namespace {

// The ramp from 1 at step 0 to k at step m. The ends are set, for (m k) / m need not be k in
// floating point.
double ramp_down(double topk, std::int64_t step, std::int64_t last) {
  if (step == 0) return 1.0;
  if (step == last) return topk;
  const double share = (static_cast<double>(last - step) + static_cast<double>(step) * topk) /
                       static_cast<double>(last);
  return std::clamp(share, topk, 1.0);
}

}  // namespace

double kept_share(SparsitySchedule schedule, double topk, std::int64_t step, std::int64_t steps) {
  if (!(topk > 0.0 && topk <= 1.0)) {
    throw Error(ErrorKind::kValue,
                fmt::format("topk {}: a number above 0 and at most 1 is due", topk));
  }
  if (step < 0 || step >= steps) {
    throw Error(ErrorKind::kValue,
                fmt::format("step {} of {}: one from 0 to {} is due", step, steps, steps - 1));
  }
  const std::int64_t last = steps - 1;
  switch (schedule) {
    case SparsitySchedule::kConservative:
      return ramp_down(topk, step, last);
    case SparsitySchedule::kAggressive:
      return step == 0 ? topk : ramp_down(topk, last - step, last);
    default:
      return topk;
  }
}

}  // namespace lvsa::reference
