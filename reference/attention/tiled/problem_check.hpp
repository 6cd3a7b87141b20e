#pragma once
// Is this a problem at all? Everything that run() relies on is held here once, so that no malformed
// problem makes it read or write where it should not.

#include "core/kernel/layout_check.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::reference {

/// LVSA_OK for a problem that the tiled kernel computes. LVSA_INVALID names the field, its value
/// and what would be right; LVSA_UNSUPPORTED is for well-formed problems outside its capabilities.
lvsa_status check_problem(const lvsa_problem* problem, Message message);

/// Largest head dimension served: it bounds the tiles that a thread holds.
constexpr int kMaxHeadDim = 1024;

}  // namespace lvsa::reference
