#include "analysis/verify/relation_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/blocks/block_guard.hpp"
#include "analysis/blocks/block_invoke.hpp"
#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/map_oracle.hpp"
#include "analysis/verify/kernel_invoke.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::int64_t frame_of(const Problem& problem, std::int64_t token) {
  return std::min(token / problem.c.grid.patches_per_frame, problem.c.grid.frames);
}

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

std::vector<double> values_of(const GuardedTensor& tensor, const reference::RowId& row) {
  std::vector<double> values(static_cast<std::size_t>(tensor.shape()[3]));
  tensor.view().read_row(row.batch, row.token, row.head, values.data());
  return values;
}

// Whether `here` is twice `there`, up to what subnormal numbers, in the output and on the way to
// it, may be off: 2 RN(x) is RN(2x) only where RN(x) is a normal number that no subnormal one
// rounded to.
bool doubles(double here, double there, DType dtype) {
  const double due = 2.0 * there;
  const bool half = dtype == LVSA_F16;
  if (here == due) return true;
  if (std::fabs(there) > (half ? 0x1p14 : 0x1p100)) return std::isfinite(there);
  if (std::fabs(there) > (half ? 0x1p-14 : 0x1p-100)) return false;
  return std::fabs(here - due) <= (half ? 0x1p-24 : 0x1p-120 + 0x1p-6 * std::fabs(due));
}

bool follows(double here, double there, DType dtype, Expect expect) {
  if (std::isnan(here) && std::isnan(there)) return true;
  if (expect == Expect::kDoubled) return doubles(here, there, dtype);
  if (expect == Expect::kNegated) return here == -there;
  return here == there && std::signbit(here) == std::signbit(there);
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

bool same_schedule(const Outputs& a, const Outputs& b) {
  if (!a.numerics || !b.numerics || a.numerics->key_tile <= 0) return false;
  const lvsa_numerics& x = *a.numerics;
  const lvsa_numerics& y = *b.numerics;
  return x.key_tile == y.key_tile && x.tiles_cross_frames == y.tiles_cross_frames &&
         x.p_dtype == y.p_dtype && x.sum_rounded_p == y.sum_rounded_p &&
         x.normalise_first == y.normalise_first && x.accumulator == y.accumulator &&
         x.accumulator_roundoff == y.accumulator_roundoff && x.exp_ulps == y.exp_ulps &&
         x.split_keys == y.split_keys && x.key_order == y.key_order && x.max_rule == y.max_rule &&
         x.p_rounding == y.p_rounding && x.p_scale_log2 == y.p_scale_log2 &&
         x.rescale_exact == y.rescale_exact && x.score_step == y.score_step &&
         x.sum_step == y.sum_step && x.split_rule == y.split_rule &&
         x.split_tiles == y.split_tiles && x.partial_dtype == y.partial_dtype;
}

RowPairs same_rows(const Problem& problem) {
  RowPairs rows;
  for (std::int64_t b = 0; b < problem.c.batch; ++b) {
    for (const std::int64_t token : problem.tokens()) {
      for (std::int64_t h = 0; h < problem.c.heads; ++h) {
        rows.push_back({{b, token, h}, {b, token, h}});
      }
    }
  }
  return rows;
}

std::optional<std::string> lse_differs(const Problem& problem, const Outputs& here,
                                       const Outputs& there, const RowPairs& rows) {
  if (!here.lse || !there.lse) return std::nullopt;
  for (const RowPair& pair : rows) {
    const double got = values_of(*here.lse, pair.here).front();
    const double due = values_of(*there.lse, pair.there).front();
    if (follows(got, due, LVSA_F32, Expect::kSameBits)) continue;
    return fmt::format("log-sum-exp at {}: {:.9g} where {:.9g} is due",
                       place_of(problem, pair.here), got, due);
  }
  return std::nullopt;
}

std::optional<std::string> rows_differ(const Problem& problem, const Outputs& here,
                                       const Outputs& there, const RowPairs& rows, Expect expect,
                                       bool lse) {
  const DType dtype = here.out.dtype();
  for (const RowPair& pair : rows) {
    const std::vector<double> got = values_of(here.out, pair.here);
    const std::vector<double> due = values_of(there.out, pair.there);
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (follows(got[i], due[i], dtype, expect)) continue;
      const double factor =
          expect == Expect::kDoubled ? 2.0 : (expect == Expect::kNegated ? -1.0 : 1.0);
      return fmt::format("output at {}, column {}: {:.9g} where {:.9g} is due",
                         place_of(problem, pair.here), i, got[i], factor * due[i]);
    }
  }
  if (!lse) return std::nullopt;
  return lse_differs(problem, here, there, rows);
}

std::vector<reference::RowId> spread_rows(const Problem& problem, std::size_t most) {
  const std::vector<std::int64_t> tokens = problem.tokens();
  const std::size_t count = std::min(most, tokens.size());
  std::vector<reference::RowId> rows;
  for (std::size_t i = 0; i < count; ++i) {
    const auto turn = static_cast<std::int64_t>(i);
    const std::size_t at = count < 2 ? 0 : i * (tokens.size() - 1) / (count - 1);
    rows.push_back({turn / problem.c.heads % problem.c.batch, tokens[at], turn % problem.c.heads});
  }
  return rows;
}

std::vector<reference::RowId> some_of(const RowPairs& rows, std::size_t most) {
  std::vector<reference::RowId> some;
  const std::size_t count = std::min(most, rows.size());
  for (std::size_t i = 0; i < count; ++i) {
    some.push_back(rows[count < 2 ? 0 : i * (rows.size() - 1) / (count - 1)].here);
  }
  return some;
}

OracleOfProblem oracle_of(const Problem& problem) {
  const auto scaled = [](const std::shared_ptr<GuardedTensor>& tensor,
                         const std::vector<float>& scales) {
    if (scales.empty()) return tensor;
    const auto& shape = tensor->shape();
    auto made = std::make_shared<GuardedTensor>(LVSA_F32, shape, Layout::kBSHD, false, kNanByte);
    std::vector<double> row(static_cast<std::size_t>(shape[3]));
    for (std::int64_t r = 0; r < shape[0] * shape[1] * shape[2]; ++r) {
      const std::int64_t b = r / (shape[1] * shape[2]);
      const std::int64_t h = r % shape[2];
      const auto scale = static_cast<double>(scales[static_cast<std::size_t>(b * shape[2] + h)]);
      tensor->view().read_row(b, r / shape[2] % shape[1], h, row.data());
      std::byte* to = made->row(b, r / shape[2] % shape[1], h);
      for (const double value : row) {  // exact in fp32: few bits each
        encode(LVSA_F32, value * scale, to);
        to += sizeof(float);
      }
    }
    return made;
  };
  const auto q = scaled(problem.q, problem.q_scale);
  const auto k = scaled(problem.k, problem.k_scale);
  const auto v = scaled(problem.v, problem.v_scale);
  return {
      q,
      k,
      v,
      {q->view(), k->view(), v->view(), problem.c.grid, scale_of(problem), problem.lists.rows()}};
}

double scale_of(const Problem& problem) {
  if (problem.scale != 0.0) return problem.scale;
  return 1.0 / std::sqrt(static_cast<double>(problem.c.head_dim));
}

BoundModel model_of(const Problem& problem, const Outputs& outputs) {
  return make_bound_model(outputs.numerics ? &*outputs.numerics : nullptr, problem.c.dtype,
                          problem.c.head_dim);
}

std::vector<reference::RowResult> exact_rows(const Problem& problem,
                                             std::span<const reference::RowId> rows,
                                             const reference::ScoreErrorModel& errors) {
  if (!problem.maps) return reference::attend_rows(oracle_of(problem), rows, errors);
  return attend_map_rows(
      {problem.q->view(), problem.k->view(), problem.v->view(), scale_of(problem), *problem.maps},
      rows, errors);
}

std::int64_t row_keys(const Problem& problem, const reference::RowId& row) {
  std::int64_t keys = 0;
  const auto add = [&](const auto& ranges) {
    for (const auto& [first, last] : ranges) keys += last - first;
  };
  if (problem.maps) {
    add(visible_tokens(problem.maps->head(row), row.token));
  } else {
    add(reference::visible_ranges({problem.q->view(), problem.k->view(), problem.v->view(),
                                   problem.c.grid, 1.0, problem.lists.rows()},
                                  row.token));
  }
  return keys;
}

RowSteps problem_steps(const BoundModel& model, const Problem& problem, const reference::RowId& row,
                       std::int64_t keys) {
  if (problem.maps) return map_steps(model, *problem.maps, row, keys);
  const auto f = static_cast<std::size_t>(frame_of(problem, row.token));
  const std::int64_t frames = f + 1 >= problem.lists.offsets.size()
                                  ? problem.c.grid.frames
                                  : problem.lists.offsets[f + 1] - problem.lists.offsets[f];
  return row_steps(model, keys, count_tiles(model, problem.c.grid, frames, keys));
}

std::optional<std::string> outside_bounds(const Problem& problem, const Outputs& outputs,
                                          const std::vector<reference::RowId>& rows) {
  const BoundModel model = model_of(problem, outputs);
  const auto exact = exact_rows(problem, rows, model.scores);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const RowSteps steps = problem_steps(model, problem, rows[r], exact[r].keys);
    const std::vector<double> got = values_of(outputs.out, rows[r]);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double tolerance = output_tolerance(model, exact[r], i, steps).total;
      if (accept_interval(exact[r].out[i], tolerance, output_dtype(problem.c)).contains(got[i])) {
        continue;
      }
      return fmt::format("output at {}, column {}: {:.9g} where {:.9g} +- {:.3g} is due",
                         place_of(problem, rows[r]), i, got[i], exact[r].out[i], tolerance);
    }
    if (!outputs.lse) continue;
    const double lse = values_of(*outputs.lse, rows[r]).front();
    const double tolerance = lse_tolerance(model, exact[r], steps);
    if (accept_interval(exact[r].lse, tolerance, LVSA_F32).contains(lse)) continue;
    return fmt::format("log-sum-exp at {}: {:.9g} where {:.9g} +- {:.3g} is due",
                       place_of(problem, rows[r]), lse, exact[r].lse, tolerance);
  }
  return std::nullopt;
}

std::string place_of(const Problem& problem, const reference::RowId& row) {
  const std::int64_t frame = frame_of(problem, row.token);
  const std::int64_t within = row.token - frame * problem.c.grid.patches_per_frame;
  const std::string place = frame < problem.c.grid.frames
                                ? fmt::format("frame {} row {}", frame, within)
                                : fmt::format("text row {}", within);
  const std::string mapped = problem.maps ? problem.maps->place_text(row) : std::string();
  return fmt::format("batch {}, {}, head {}{}", row.batch, place, row.head, mapped);
}

}  // namespace lvsa::analysis
