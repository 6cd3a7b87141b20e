#pragma once
// Attended lists as a kernel with a wrong mask would make them. The C interface hands over finished
// lists, so the settings behind them are searched for first and then applied wrongly.

#include <cstdint>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/mutants/defects.hpp"

namespace lvsa::reference {

/// Row f: the frames that frame f attends.
using AttendedLists = std::vector<std::vector<std::int32_t>>;

/// The lists of a problem.
AttendedLists lists_of(const lvsa_problem& problem);

/// The lists after a defect of the mask; unchanged for other defects, and where no settings of the
/// published rules give the problem's lists.
AttendedLists wrong_lists(const AttendedLists& lists, Defect defect);

}  // namespace lvsa::reference
