#include "analysis/verify/relation_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/blocks/block_guard.hpp"
#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

lvsa_problem input_problem(const Problem& problem) {
  const Case& c = problem.c;
  lvsa_problem p{};
  p.struct_size = sizeof p;
  p.batch = c.batch;
  p.frames = c.grid.frames;
  p.patches_per_frame = c.grid.patches_per_frame;
  p.text_tokens = c.grid.text_tokens;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.head_dim = c.head_dim;
  p.scale = scale_of(problem);
  p.dtype = c.dtype;
  p.out_dtype = output_dtype(c);
  p.memory = LVSA_HOST;  // until it is called
  p.p_dtype = c.p_dtype;
  p.threads = problem.threads;
  p.q = problem.q->c_tensor();
  p.k = problem.k->c_tensor();
  p.v = problem.v->c_tensor();
  const FrameLists& lists = problem.lists;
  if (!problem.maps) {
    p.frame_lists = {lists.offsets.data(), lists.list.data()};
    p.block_csr = {p.patches_per_frame, p.patches_per_frame, p.frames, lists.indptr.data(),
                   lists.list.data()};
  }
  p.wanted_tokens = problem.wanted.empty() ? nullptr : problem.wanted.data();
  p.wanted_count = static_cast<std::int64_t>(problem.wanted.size());
  const auto scales = [](const std::vector<float>& of) { return of.empty() ? nullptr : of.data(); };
  p.q_scale = scales(problem.q_scale);
  p.k_scale = scales(problem.k_scale);
  p.v_scale = scales(problem.v_scale);
  return p;
}

// A problem that a kernel turns down as unsupported is none of its faults; one that it calls
// malformed is, unless the strides are unusual and the kernel says that it wants plain ones.
void require_ok(const lvsa_kernel& kernel, const KernelStatus& told, const Problem& problem,
                const OutputOptions& options) {
  if (told.status == LVSA_OK) return;
  const bool gaps = problem.gaps || options.gaps;
  const bool plain_only = problem.unusual || (gaps && kernel.capabilities.any_strides == 0);
  if (told.status == LVSA_UNSUPPORTED || (told.status == LVSA_INVALID && plain_only)) {
    throw Refused{told.text};
  }
  throw KernelFailed(told);
}

void run_once(const lvsa_kernel& kernel, const Problem& problem, Outputs& outputs) {
  outputs.out.refill(outputs.options.fill);
  if (outputs.lse) outputs.lse->refill(outputs.options.fill);
  run_call(kernel, c_problem(problem, outputs), problem, outputs);
}

// The functions of a kernel on one call: the one place where frame lists and maps part.
struct Callee {
  std::function<KernelStatus(std::size_t&)> workspace;
  std::function<std::optional<lvsa_numerics>()> numerics;
  std::function<KernelStatus(GuardedBytes&)> run;
};

Callee callee_of(const lvsa_kernel& kernel, const lvsa_problem& p, const Problem& problem,
                 GuardedInputs* guarded) {
  if (!problem.maps) {
    return {[&](std::size_t& bytes) { return query_workspace(kernel, p, bytes); },
            [&] { return query_numerics(kernel, p); },
            [&](GuardedBytes& workspace) { return invoke_kernel(kernel, p, workspace); }};
  }
  const BlockMaps& maps = *problem.maps;
  lvsa_block_problem mapped = with_maps(p, maps);
  if (guarded != nullptr) guard_maps(mapped, *guarded);
  return {[=, &maps](std::size_t& bytes) { return block_workspace(maps.kernel(), mapped, bytes); },
          [=, &maps] { return block_numerics(maps.kernel(), mapped); },
          [=, &maps](GuardedBytes& workspace) {
            return invoke_block_kernel(maps.kernel(), mapped, workspace);
          }};
}

}  // namespace

lvsa_problem c_problem(const Problem& problem, Outputs& outputs) {
  lvsa_problem p = input_problem(problem);
  p.out = outputs.out.c_tensor();
  if (outputs.lse) {
    const lvsa_tensor lse = outputs.lse->c_tensor();
    p.lse = static_cast<float*>(lse.data);
    std::copy_n(std::begin(lse.strides), 3, std::begin(p.lse_strides));
  }
  return p;
}

void run_call(const lvsa_kernel& kernel, lvsa_problem p, const Problem& problem, Outputs& outputs) {
  std::optional<GuardedInputs> guarded;
  if (problem.guard) guarded.emplace(p, *problem.guard);
  const Callee callee = callee_of(kernel, p, problem, guarded ? &*guarded : nullptr);
  std::size_t bytes = 0;
  require_ok(kernel, callee.workspace(bytes), problem, outputs.options);
  std::shared_ptr<GuardedBytes> workspace = outputs.workspace;
  if (!workspace || workspace->size() != bytes) {
    workspace = std::make_shared<GuardedBytes>(
        make_workspace(kernel, bytes, outputs.options.workspace_fill));
  }
  if (outputs.options.keep_workspace) outputs.workspace = workspace;
  outputs.workspace_bytes = static_cast<std::int64_t>(bytes);
  outputs.numerics = callee.numerics();
  const KernelStatus done = callee.run(*workspace);
  outputs.seconds = done.seconds;
  outputs.touched = guarded ? guarded->touched() : std::nullopt;
  require_ok(kernel, done, problem, outputs.options);
  outputs.outside = done.changed_outside + outputs.out.changed_outside() +
                    workspace->changed_outside() +
                    (outputs.lse ? outputs.lse->changed_outside() : 0);
}

void FrameLists::set(const std::vector<std::vector<std::int32_t>>& rows) {
  offsets.assign(1, 0);
  list.clear();
  for (const auto& row : rows) {
    list.insert(list.end(), row.begin(), row.end());
    offsets.push_back(static_cast<std::int64_t>(list.size()));
  }
  indptr.assign(offsets.begin(), offsets.end());
  // Behind the lists stands what looks like more of them, for a kernel that reads too far.
  const auto last = static_cast<std::int32_t>(rows.size()) - 1;
  list.insert(list.end(), {last, last});
}

std::vector<std::vector<std::int32_t>> FrameLists::rows() const {
  std::vector<std::vector<std::int32_t>> rows;
  for (std::size_t f = 0; f + 1 < offsets.size(); ++f) {
    rows.emplace_back(list.begin() + offsets[f], list.begin() + offsets[f + 1]);
  }
  return rows;
}

std::vector<std::int64_t> Problem::tokens() const {
  if (!wanted.empty()) return wanted;
  std::vector<std::int64_t> all(static_cast<std::size_t>(c.grid.seq_len()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::shared_ptr<GuardedTensor> copy_of(const GuardedTensor& tensor, Layout layout) {
  return std::make_shared<GuardedTensor>(tensor.view(), layout, false, kNanByte);
}

Problem make_problem(const Case& c, const AttentionTensors& tensors, const FramePattern& pattern,
                     std::vector<std::int64_t> wanted, std::int32_t threads) {
  Problem problem;
  problem.c = c;
  const auto copied = [&](const Tensor& tensor) {
    return std::make_shared<GuardedTensor>(tensor.view(), c.layout, false, kNanByte);
  };
  problem.q = copied(tensors.q);
  problem.k = copied(tensors.k);
  problem.v = copied(tensors.v);
  problem.q_scale = tensors.q_scale;
  problem.k_scale = tensors.k_scale;
  problem.v_scale = tensors.v_scale;
  std::vector<std::vector<std::int32_t>> rows;
  for (std::int64_t f = 0; f < pattern.frames(); ++f) {
    rows.emplace_back(pattern.row(f).begin(), pattern.row(f).end());
  }
  problem.lists.set(rows);
  // A case's sample need not have the two rows at the ends of the sequence.
  if (!wanted.empty()) wanted.insert(wanted.end(), {0, c.grid.seq_len() - 1});
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  problem.wanted = std::move(wanted);
  problem.threads = threads;
  return problem;
}

Outputs make_outputs(const lvsa_kernel& kernel, const Problem& problem,
                     const OutputOptions& options) {
  const Case& c = problem.c;
  Outputs outputs{GuardedTensor(output_dtype(c), {c.batch, c.grid.seq_len(), c.heads, c.head_dim},
                                c.layout, options.gaps, options.fill, options.shift),
                  std::nullopt,
                  0,
                  0,
                  std::nullopt,
                  std::nullopt,
                  options,
                  nullptr};
  if (options.lse && kernel.capabilities.lse != 0) {
    outputs.lse.emplace(LVSA_F32,
                        std::array<std::int64_t, 4>{c.batch, c.grid.seq_len(), c.heads, 1},
                        Layout::kBSHD, options.gaps, options.fill);
  }
  return outputs;
}

RunKernel kernel_runner(const lvsa_kernel& kernel) {
  return
      [&kernel](const Problem& problem, Outputs& outputs) { run_once(kernel, problem, outputs); };
}

double scale_of(const Problem& problem) {
  if (problem.scale != 0.0) return problem.scale;
  return 1.0 / std::sqrt(static_cast<double>(problem.c.head_dim));
}

}  // namespace lvsa::analysis
