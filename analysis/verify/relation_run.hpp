#pragma once
// What relations are made of: a problem that need not be a case's, and a call of the kernel on it.
// relation_rows.hpp compares what calls left behind.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/guard_pages.hpp"
#include "analysis/verify/guarded_tensor.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "core/pattern/frame_pattern.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

class BlockMaps;

/// Attended frames as the C interface takes them. The arrays keep their addresses while their sizes
/// stay the same.
struct FrameLists {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> list;    ///< ends with two entries that are none of the lists'
  std::vector<std::int32_t> indptr;  ///< offsets in 32 bits, for the block matrix

  /// Rows must be ascending and unique.
  void set(const std::vector<std::vector<std::int32_t>>& rows);
  std::vector<std::vector<std::int32_t>> rows() const;
};

/// A call's inputs. Copies share tensors: replace one before it is changed.
struct Problem {
  Case c;  ///< sizes, types and layout; its pattern fields are not looked at
  std::shared_ptr<GuardedTensor> q, k, v;
  std::vector<float> q_scale, k_scale, v_scale;  ///< as in lvsa_problem; empty: 1
  FrameLists lists;                              ///< not looked at where there are maps
  std::shared_ptr<const BlockMaps> maps;  ///< of a block-sparse kernel's call; null: frame lists
  std::vector<std::int64_t> wanted;       ///< query tokens, ascending; empty: all
  std::int32_t threads = 0;
  bool gaps = false;               ///< rows of q, k, v have gaps between them
  std::optional<GuardSide> guard;  ///< the call gets copies of the inputs at guard pages
  /// Addresses or strides that a kernel may turn down without saying so before.
  bool unusual = false;
  double scale = 0.0;  ///< factor of q.k; 0: 1 / sqrt(D)

  /// The query tokens whose rows count.
  std::vector<std::int64_t> tokens() const;
};

/// The problem of a case on its tensors, which are copied. To `wanted`, if any, the first and the
/// last token are added.
Problem make_problem(const Case& c, const AttentionTensors& tensors, const FramePattern& pattern,
                     std::vector<std::int64_t> wanted, std::int32_t threads);
std::shared_ptr<GuardedTensor> copy_of(const GuardedTensor& tensor, Layout layout);

struct OutputOptions {
  bool lse = true;                          ///< ask for the log-sum-exp, if the kernel has it
  bool gaps = false;                        ///< rows of the output with gaps between them
  unsigned char fill = kNanByte;            ///< of out and lse before the call
  unsigned char workspace_fill = kNanByte;  ///< of the workspace before the call
  /// The next call into the same outputs finds the workspace as this one left it, if its size is
  /// the same.
  bool keep_workspace = false;
  std::size_t shift = 0;  ///< bytes of the output's address past a multiple of 256
};

/// What a call writes to, and what it left there.
struct Outputs {
  GuardedTensor out;
  std::optional<GuardedTensor> lse;  ///< [B, S, H, 1], fp32
  std::int64_t workspace_bytes = 0;
  std::int64_t outside = 0;                 ///< bytes changed outside out, lse and workspace
  std::optional<std::string> touched = {};  ///< with guard pages: what was touched outside
  std::optional<lvsa_numerics> numerics;
  OutputOptions options;
  std::shared_ptr<GuardedBytes> workspace;  ///< with keep_workspace: the last call's
  double seconds = 0.0;                     ///< of the last call
};
Outputs make_outputs(const lvsa_kernel& kernel, const Problem& problem,
                     const OutputOptions& options = {});

/// Runs the kernel on the problem, into `outputs` (filled again before). Throws Refused or
/// Error(kKernel).
using RunKernel = std::function<void(const Problem&, Outputs&)>;
RunKernel kernel_runner(const lvsa_kernel& kernel);

/// The call of a problem as the kernel gets it.
lvsa_problem c_problem(const Problem& problem, Outputs& outputs);
/// Runs it on tensors of somebody else's that `p`, else the outputs' own call, names.
void run_call(const lvsa_kernel& kernel, lvsa_problem p, const Problem& problem, Outputs& outputs);

/// The kernel does not serve a variant of the problem; nothing is wrong with that.
struct Refused {
  std::string message;
};

/// Of q.k, as the kernel gets it.
double scale_of(const Problem& problem);

/// Scales for heads and batch elements that come from others: `from` gives the (batch, head) of
/// the old ones.
template <typename From>
std::vector<float> moved_scales(const std::vector<float>& scales, std::int64_t old_heads,
                                std::int64_t batch, std::int64_t heads, From from) {
  std::vector<float> moved;
  for (std::int64_t b = 0; b < batch && !scales.empty(); ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const reference::RowId row = from(reference::RowId{b, 0, h});
      moved.push_back(scales[static_cast<std::size_t>(row.batch * old_heads + row.head)]);
    }
  }
  return moved;
}

}  // namespace lvsa::analysis
