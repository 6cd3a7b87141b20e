#pragma once
// Is this a problem at all? Everything that run() relies on is held here once, so that no malformed
// problem makes it read or write where it should not.

#include <cstddef>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::reference {

/// Where the one line that explains a refusal goes; either may be null or 0.
struct Message {
  char* text = nullptr;
  std::size_t size = 0;
};

/// Writes the line, cut to the room there is, and hands `status` back.
[[gnu::format(printf, 3, 4)]] lvsa_status refuse(Message message, lvsa_status status,
                                                 const char* format, ...);

/// LVSA_OK for a problem that the tiled kernel computes. LVSA_INVALID names the field, its value
/// and what would be right; LVSA_UNSUPPORTED is for well-formed problems outside its capabilities.
lvsa_status check_problem(const lvsa_problem* problem, Message message);

/// Largest head dimension served: it bounds the tiles that a thread holds.
constexpr int kMaxHeadDim = 1024;

}  // namespace lvsa::reference
