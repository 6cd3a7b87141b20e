#pragma once
// A call over maps that is to be explained, and what a kernel or a script left of it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analysis/blocks/block_case.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/explain.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/replay_case.hpp"
#include "core/blocks/lvsa_blocks.h"

namespace lvsa::analysis {

struct MapSubject {
  Case c;
  BlockCase made;

  reference::BlockAttention attention() const;
};
/// Throws as make_block_case() does.
MapSubject map_subject(const Case& c);
/// The tensors and maps of a replay file.
MapSubject map_subject(ReplayCase replay);

struct LeftBehind {
  std::string name;  ///< of the kernel
  KernelOutputs outputs;
  std::shared_ptr<const void> owner;  ///< of what the outputs point to
};

/// Runs a kernel; the tokens are looked at besides those that the case samples. Throws
/// Error(kValue) where it does not serve the case, Error(kKernel) where it fails.
LeftBehind call_maps(const MapSubject& subject, const lvsa_block_kernel& kernel,
                     const std::vector<std::int64_t>& tokens);

/// What was left at one element; lists of frames have it, too.
ElementCall element_of(const LeftBehind& left, const ElementId& at);

}  // namespace lvsa::analysis
