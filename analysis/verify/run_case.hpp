#pragma once
// Runs one case on a kernel and judges what comes out.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/relations.hpp"
#include "analysis/verify/result.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

struct RunOptions {
  std::int32_t threads = 0;  ///< for the kernel; 0: its own choice
  RelationChoice relations = RelationChoice::kAuto;
  std::string kernel_option;  ///< how --kernel named it, for the command that repeats a case
  /// Called with the share of the case that is done, 0 .. 1, from one thread at a time.
  std::function<void(double)> progress;
  /// Called before each part of the case that may take long, with what it is: a crash or a hang is
  /// told as "during" it. A kernel's call is one such part; it ends with the next one.
  std::function<void(std::string_view)> part;
};

/// What `part` is called with around a call of the kernel.
inline constexpr std::string_view kKernelPart = "the kernel's call";

/// A result with the case, the command that repeats it and what is to be told of its pattern, and
/// no verdict yet. `kernel_option` is how --kernel named it; empty: the name.
CaseResult begin_result(const Case& c, const FramePattern& pattern, const std::string& kernel,
                        const std::string& kernel_option);

/// Judges the kernel by bounds on the case's sampled rows, and by the relations that are due. Never
/// throws for what the kernel does; throws Error for a case that cannot be made (sizes beyond
/// memory, also the device's, a missing file).
CaseResult run_case(const Case& c, const lvsa_kernel& kernel, const RunOptions& options);

/// Takes the checks into the verdict: the first that fails makes the case fail, and weights known
/// exactly make up for bounds that mean little.
void take_in_checks(CaseResult& result);

/// The device's context is lost, so the case has crashed and no further one can run here.
void take_in_loss(CaseResult& result, const DeviceLost& lost);

/// The rows of a case that are checked: all of them when c.rows is 0 or more than there are, else
/// c.rows spread over all frames, heads and batch elements, at positions within the frame where
/// tiles begin and end, and some text rows.
std::vector<reference::RowId> sample_rows(const Case& c);

/// Fills in what the report says of the pattern: interval, offset, attended frames, density.
void describe_pattern(CaseResult& result, const FramePattern& pattern);

/// Hashes of the tensors' bytes, for the report.
InputHashes hash_inputs(const AttentionTensors& tensors);

/// A word for a command that a POSIX shell reads back as `text`.
std::string shell_quoted(const std::string& text);

}  // namespace lvsa::analysis
