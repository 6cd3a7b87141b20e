#include "reference/attention/oracle.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <exception>
#include <numeric>
#include <tuple>

#include "core/error.hpp"
#include "reference/attention/oracle_group.hpp"
#include "reference/attention/oracle_loops.hpp"

namespace lvsa::reference {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorKind::kValue, message);
}

std::string shape_text(const TensorView& view) {
  return fmt::format("[{}, {}, {}, {}]", view.shape[0], view.shape[1], view.shape[2],
                     view.shape[3]);
}

void check_lists(const AttentionProblem& problem) {
  const std::int64_t frames = problem.grid.frames;
  require(static_cast<std::int64_t>(problem.attended.size()) == frames,
          fmt::format("attended lists: {} rows for {} frames", problem.attended.size(), frames));
  for (std::size_t f = 0; f < problem.attended.size(); ++f) {
    const auto& list = problem.attended[f];
    for (std::size_t i = 0; i < list.size(); ++i) {
      require(list[i] >= 0 && list[i] < frames && (i == 0 || list[i] > list[i - 1]),
              fmt::format("attended list of frame {}: entry {} is {}; ascending frames in 0 .. {} "
                          "are due",
                          f, i, list[i], frames - 1));
    }
  }
}

#ifndef LVSA_SIMD_X86
#define LVSA_SIMD_X86 0
#endif

const OracleLoops& loops_of(SimdLevel level) {
  require(machine_has(level), "oracle: this machine lacks the instructions asked for");
#if LVSA_SIMD_X86
  if (level == SimdLevel::kAvx512) return kOracleAvx512Loops;
  if (level == SimdLevel::kAvx2) return kOracleAvx2Loops;
#endif
  return kOracleBaselineLoops;
}

// Rows that are computed together: places first .. first + count - 1 of the sorted rows.
struct Piece {
  std::size_t first;
  std::size_t count;
};

// What a row's keys are, found once: ranges, where rows have keys of their own, and their number.
struct RowKeys {
  TokenRanges ranges;
  std::int64_t count = 0;
};

RowKeys keys_of(const AttentionProblem& problem, const RowId& row) {
  RowKeys keys;
  if (problem.key_ranges) {
    keys.ranges = visible_ranges(problem, row);
    for (const auto& [begin, end] : keys.ranges) keys.count += end - begin;
    return keys;
  }
  const FrameGrid& grid = problem.grid;
  keys.count = grid.seq_len();
  if (row.token >= grid.video_tokens()) return keys;
  const auto frame = static_cast<std::size_t>(row.token / grid.patches_per_frame);
  keys.count = static_cast<std::int64_t>(problem.attended[frame].size()) * grid.patches_per_frame +
               grid.text_tokens;
  return keys;
}

// Whether the keys of two rows can be read together: those of one kv head, and where rows have keys
// of their own, equal ones.
bool go_together(const AttentionProblem& problem, const RowId& a, const RowKeys& keys_a,
                 const RowId& b, const RowKeys& keys_b) {
  const std::int64_t group = problem.q.shape[2] / problem.k.shape[2];
  if (a.batch != b.batch || a.head / group != b.head / group) return false;
  if (!problem.key_ranges) return true;
  return a.head == b.head && keys_a.ranges == keys_b.ranges;
}

// Enough pieces that all threads have work to the end, of rows that share a kv head and, as far as
// sorting can tell, frames. No result depends on where the pieces end.
std::vector<Piece> cut(const AttentionProblem& problem, const std::vector<RowId>& sorted) {
  constexpr std::size_t kMostRows = 64;
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;
  const auto threads = static_cast<std::size_t>(std::max(1, omp_get_max_threads()));
  const std::size_t most = std::clamp<std::size_t>(sorted.size() / (4 * threads), 4, kMostRows);
  const std::int64_t bytes_each = kMostBytes / static_cast<std::int64_t>(threads);
  std::vector<Piece> pieces;
  std::int64_t bytes = 0;
  RowKeys before;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    RowKeys keys = keys_of(problem, sorted[i]);
    const std::int64_t row_bytes = oracle_row_bytes(keys.count);
    const bool fits = !pieces.empty() && pieces.back().count < most &&
                      bytes + row_bytes <= bytes_each &&
                      go_together(problem, sorted[i], keys, sorted[i - 1], before);
    if (!fits) {
      pieces.push_back({i, 0});
      bytes = 0;
    }
    ++pieces.back().count;
    bytes += row_bytes;
    before = std::move(keys);
  }
  return pieces;
}

}  // namespace

void check_row(const AttentionProblem& problem, const RowId& row) {
  require(row.batch >= 0 && row.batch < problem.q.shape[0] && row.token >= 0 &&
              row.token < problem.q.shape[1] && row.head >= 0 && row.head < problem.q.shape[2],
          fmt::format("row (batch {}, token {}, head {}) is outside q of shape {}", row.batch,
                      row.token, row.head, shape_text(problem.q)));
}

void check_problem(const AttentionProblem& p) {
  const bool ranges = static_cast<bool>(p.key_ranges);
  const std::int64_t queries = ranges ? p.q.shape[1] : p.grid.seq_len();
  const std::int64_t keys = ranges ? p.k.shape[1] : p.grid.seq_len();
  require(
      ranges || (p.grid.frames >= 1 && p.grid.patches_per_frame >= 1 && p.grid.text_tokens >= 0),
      fmt::format("grid of {} frames x {} patches + {} text tokens: positive sizes are due",
                  p.grid.frames, p.grid.patches_per_frame, p.grid.text_tokens));
  for (const TensorView* view : {&p.q, &p.k, &p.v}) {
    require(view->data != nullptr && view->shape[0] == p.q.shape[0] &&
                view->shape[1] == (view == &p.q ? queries : keys) && view->shape[3] == p.q.shape[3],
            fmt::format("tensor of shape {}: [{}, {}, heads, {}] is due", shape_text(*view),
                        p.q.shape[0], view == &p.q ? queries : keys, p.q.shape[3]));
  }
  require(p.k.shape == p.v.shape, fmt::format("k has shape {}, v {}: they must be the same",
                                              shape_text(p.k), shape_text(p.v)));
  require(p.q.shape[2] % p.k.shape[2] == 0,
          fmt::format("{} query heads are no multiple of {} key/value heads", p.q.shape[2],
                      p.k.shape[2]));
  if (!ranges) check_lists(p);
}

TokenRanges visible_ranges(const AttentionProblem& problem, const RowId& row) {
  if (!problem.key_ranges) return visible_ranges(problem, row.token);
  TokenRanges ranges = problem.key_ranges(row);
  std::int64_t least = 0;
  for (const auto& [begin, end] : ranges) {
    require(begin >= least && end > begin && end <= problem.k.shape[1],
            fmt::format("keys of row (batch {}, token {}, head {}): range {} .. {}; ascending, "
                        "apart and below {} is due",
                        row.batch, row.token, row.head, begin, end, problem.k.shape[1]));
    least = end + 1;
  }
  return ranges;
}

TokenRanges visible_ranges(const AttentionProblem& problem, std::int64_t query_token) {
  const FrameGrid& grid = problem.grid;
  if (query_token >= grid.video_tokens()) return {{0, grid.seq_len()}};
  TokenRanges ranges;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    if (begin == end) return;
    if (!ranges.empty() && ranges.back().second == begin) {
      ranges.back().second = end;
    } else {
      ranges.emplace_back(begin, end);
    }
  };
  const std::int64_t frame = query_token / grid.patches_per_frame;
  for (const std::int64_t f : problem.attended[static_cast<std::size_t>(frame)]) {
    add(f * grid.patches_per_frame, (f + 1) * grid.patches_per_frame);
  }
  add(grid.video_tokens(), grid.seq_len());
  return ranges;
}

const OracleLoops& best_oracle_loops() {
  static const OracleLoops& loops = loops_of(best_simd_level());
  return loops;
}

RowResult attend_row(const AttentionProblem& problem, const RowId& row,
                     const ScoreErrorModel& errors) {
  RowResult result;
  OracleGroup(problem, {&row, 1}, errors, loops_of(best_simd_level())).attend({&result, 1});
  return result;
}

std::vector<RowResult> attend_rows_at(SimdLevel level, const AttentionProblem& problem,
                                      std::span<const RowId> rows, const ScoreErrorModel& errors,
                                      const std::function<void()>& done) {
  const OracleLoops& loops = loops_of(level);
  check_problem(problem);
  for (const RowId& row : rows) check_row(problem, row);
  const std::int64_t group = problem.q.shape[2] / problem.k.shape[2];
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto place = [&](std::size_t i) {
    const std::int64_t first = problem.key_ranges ? rows[i].head : rows[i].head / group;
    return std::tuple(rows[i].batch, first, rows[i].token, rows[i].head, i);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
  std::vector<RowId> sorted;
  for (const std::size_t i : order) sorted.push_back(rows[i]);
  const std::vector<Piece> pieces = cut(problem, sorted);

  std::vector<RowResult> results(rows.size());
  std::exception_ptr failure;
  const auto count = static_cast<std::int64_t>(pieces.size());
#pragma omp parallel for schedule(dynamic, 1)
  for (std::int64_t i = 0; i < count; ++i) {
    try {
      const Piece piece = pieces[static_cast<std::size_t>(i)];
      std::vector<RowResult> made(piece.count);
      OracleGroup(problem, {sorted.data() + piece.first, piece.count}, errors, loops).attend(made);
      for (std::size_t r = 0; r < piece.count; ++r) {
        results[order[piece.first + r]] = std::move(made[r]);
        if (done) {
#pragma omp critical(lvsa_oracle_done)
          done();
        }
      }
    } catch (...) {  // must not leave the parallel region
#pragma omp critical(lvsa_oracle_failure)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return results;
}

std::vector<RowResult> attend_rows(const AttentionProblem& problem, std::span<const RowId> rows,
                                   const ScoreErrorModel& errors,
                                   const std::function<void()>& done) {
  return attend_rows_at(best_simd_level(), problem, rows, errors, done);
}

std::vector<KeyTerm> attend_keys(const AttentionProblem& problem, const RowId& row,
                                 const ScoreErrorModel& errors) {
  check_problem(problem);
  check_row(problem, row);
  return OracleGroup(problem, {&row, 1}, errors, loops_of(best_simd_level())).key_terms(0);
}

}  // namespace lvsa::reference
