#include "analysis/verify/relation_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/blocks/map_oracle.hpp"

namespace lvsa::analysis {
namespace {

std::int64_t frame_of(const Problem& problem, std::int64_t token) {
  return std::min(token / problem.c.grid.patches_per_frame, problem.c.grid.frames);
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

}  // namespace

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
