#include "analysis/vectors/replay_attention.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/oracle_problem.hpp"
#include "analysis/verify/recorded_attention.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using reference::RowResult;

// Collects the outcome of one file.
struct Replay {
  const Hdf5File& file;
  const std::function<void(const Mismatch&)>& report;
  ReplaySummary summary;

  void pass() { ++summary.passed; }
  void fail(const std::string& where, const std::string& function, const std::string& arguments,
            const std::string& expected, const std::string& got) {
    ++summary.failed;
    report({file.path(), where, function, arguments, expected, got});
  }
};

std::vector<RowId> all_rows(const TensorView& q) {
  std::vector<RowId> rows;
  for (std::int64_t b = 0; b < q.shape[0]; ++b) {
    for (std::int64_t s = 0; s < q.shape[1]; ++s) {
      for (std::int64_t h = 0; h < q.shape[2]; ++h) rows.push_back({b, s, h});
    }
  }
  return rows;
}

// The interval that may hold the recorded value of an element.
Interval due(const RowResult& row, std::size_t column, DType dtype, const BoundModel& model) {
  if (dtype == LVSA_F64) {
    const double t = kDoubleTolerance * row.magnitude[column];
    return {row.out[column] - t, row.out[column] + t};
  }
  const RowSteps steps = row_steps(model, row.keys, row.keys);
  return accept_interval(row.out[column], output_tolerance(model, row, column, steps).total, dtype);
}

// "T=5, P=4, ..., step=1" of a case, for the report.
std::string describe(const Case& c) {
  return fmt::format("T={}, P={}, text={}, heads={}/{}, D={}, step={}, dtype={}", c.grid.frames,
                     c.grid.patches_per_frame, c.grid.text_tokens, c.heads, c.kv_heads, c.head_dim,
                     c.step, dtype_name(c.dtype));
}

void replay_output(Replay& replay, const RecordedAttention& recorded,
                   const RecordedOutput& output) {
  const RealDataset expected = replay.file.read_reals(output.dataset);
  if (expected.shape != recorded.q.shape) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: {} has shape [{}]; that of q, [{}], is due", replay.file.path(),
                            output.dataset, fmt::join(expected.shape, ", "),
                            fmt::join(recorded.q.shape, ", ")));
  }
  const Case c = recorded.as_case(output.step, output.dtype);
  const AttentionTensors tensors = recorded.tensors(output.dtype);
  const auto problem = oracle_problem(c, tensors.q.view(), tensors.k.view(), tensors.v.view());
  const BoundModel model = make_bound_model(nullptr, output.dtype, c.head_dim);
  const std::vector<RowId> rows = all_rows(problem.q);
  const std::vector<RowResult> results = attend_rows(problem, rows, model.scores);

  std::int64_t outside = 0;
  std::string first_expected;
  std::string first_got;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::int64_t column = 0; column < c.head_dim; ++column) {
      const double value = expected.values[element_index(expected, recorded.layout, rows[i].batch,
                                                         rows[i].token, rows[i].head, column)];
      const Interval interval =
          due(results[i], static_cast<std::size_t>(column), output.dtype, model);
      if (interval.contains(value)) continue;
      if (outside++ > 0) continue;
      first_expected = fmt::format("{} at batch {}, token {}, head {}, column {}", value,
                                   rows[i].batch, rows[i].token, rows[i].head, column);
      first_got = fmt::format("{} (right within {} .. {})",
                              results[i].out[static_cast<std::size_t>(column)], interval.low,
                              interval.high);
    }
  }
  if (outside == 0) return replay.pass();
  replay.fail(
      output.dataset, "attention", describe(c), first_expected,
      fmt::format("{}; {} of {} elements differ", first_got, outside, expected.values.size()));
}

void compare_integers(Replay& replay, const std::string& group, const std::string& attribute,
                      const std::string& function, const std::string& arguments,
                      const std::vector<std::int64_t>& got) {
  const auto expected = replay.file.integer_attribute(group, attribute);
  if (!expected) return;
  if (*expected == got) return replay.pass();
  replay.fail(group + " attribute " + attribute, function, arguments,
              fmt::format("[{}]", fmt::join(*expected, ", ")),
              fmt::format("[{}]", fmt::join(got, ", ")));
}

void replay_group(Replay& replay, const std::string& group) {
  const RecordedAttention recorded = read_recorded(replay.file, group);
  std::set<std::int64_t> steps;
  for (const RecordedOutput& output : recorded_outputs(replay.file, group)) {
    replay_output(replay, recorded, output);
    steps.insert(output.step);
  }
  for (const std::int64_t step : steps) {
    const Case c = recorded.as_case(step, LVSA_F32);
    if (step == *steps.begin()) {
      compare_integers(replay, group, "kfi", "keyframe_interval", describe(c),
                       {case_schedule(c).interval.value_or(0)});
    }
    const FramePattern pattern = build_frame_pattern(case_pattern_spec(c));
    compare_integers(replay, group, fmt::format("globals_step{}", step), "global_frames",
                     describe(c), {pattern.globals.begin(), pattern.globals.end()});
  }
}

}  // namespace

ReplaySummary replay_attention(const std::string& path,
                               const std::function<void(const Mismatch&)>& report) {
  const Hdf5File file(path);
  Replay replay{file, report, {}};
  for (const std::string& group : file.members("/")) replay_group(replay, group);
  if (replay.summary.passed + replay.summary.failed == 0) {
    throw Error(ErrorKind::kIo, fmt::format("{}: holds no recorded attention output", path));
  }
  return replay.summary;
}

}  // namespace lvsa::analysis
