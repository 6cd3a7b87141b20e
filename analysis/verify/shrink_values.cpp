// Values: zeros, ones and small integers in place of what the generator drew.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "analysis/verify/run_case.hpp"
#include "analysis/verify/shrink.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMostRows = 256;  // that a trial looks at
constexpr std::size_t kKeptRows = 4;    // in the file

using reference::RowId;

std::vector<RowId> ids_of(const std::vector<ReplayRow>& rows) {
  std::vector<RowId> ids;
  for (const ReplayRow& row : rows) ids.push_back(row.id);
  return ids;
}

Tensor copy_of(const Tensor& from, Layout layout) {
  Tensor copy(from.dtype(), from.shape(), layout);
  std::memcpy(copy.bytes(), from.bytes(), from.size_bytes());
  return copy;
}

class ValueShrinker {
 public:
  ValueShrinker(ReplayCase& replay, const ReplayTrial& trial, const ShrinkBudget& budget)
      : replay_(replay), trial_(trial), budget_(budget), ids_(ids_of(replay.rows)) {}

  void run() {
    for (const auto member : {&AttentionTensors::k, &AttentionTensors::q, &AttentionTensors::v}) {
      simplify(member);
    }
    for (const auto member : {&AttentionTensors::v, &AttentionTensors::k, &AttentionTensors::q}) {
      clear_tokens(member);
    }
    keep_failing_rows();
  }

 private:
  using Member = Tensor AttentionTensors::*;
  // Changes elements of a tensor; keeps the change when the check still fails. `change` gets the
  // token and the old value.
  template <typename Change>
  bool attempt(Member member, Change change);
  void simplify(Member member);
  void clear_tokens(Member member);
  bool still_fails();
  void keep_failing_rows();
  bool spent() const {
    const double passed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return trials_ >= budget_.trials || passed > budget_.seconds;
  }

  ReplayCase& replay_;
  const ReplayTrial& trial_;
  ShrinkBudget budget_;
  std::vector<RowId> ids_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::int64_t trials_ = 0;
};

bool ValueShrinker::still_fails() {
  trial_.set_rows(replay_, ids_);
  const ReplayVerdict verdict = trial_.judge(replay_);
  return verdict.check == replay_.check;
}

template <typename Change>
bool ValueShrinker::attempt(Member member, Change change) {
  if (spent()) return false;
  ++trials_;
  Tensor& tensor = replay_.tensors.*member;
  Tensor before = copy_of(tensor, replay_.c.layout);
  const TensorView view = tensor.view();
  const std::size_t width = dtype_bytes(tensor.dtype());
  for (std::int64_t b = 0; b < view.shape[0]; ++b) {
    for (std::int64_t s = 0; s < view.shape[1]; ++s) {
      for (std::int64_t h = 0; h < view.shape[2]; ++h) {
        const std::int64_t row = b * view.strides[0] + s * view.strides[1] + h * view.strides[2];
        for (std::int64_t i = 0; i < view.shape[3]; ++i) {
          std::byte* element = tensor.bytes() + static_cast<std::size_t>(row + i) * width;
          encode(tensor.dtype(), change(s, decode(tensor.dtype(), element)), element);
        }
      }
    }
  }
  const bool same = std::memcmp(before.bytes(), tensor.bytes(), tensor.size_bytes()) == 0;
  if (!same && still_fails()) return true;
  tensor = std::move(before);
  return false;
}

// The simplest of a few forms that fails.
void ValueShrinker::simplify(Member member) {
  if (attempt(member, [](std::int64_t, double) { return 0.0; })) return;
  if (attempt(member, [](std::int64_t, double) { return 1.0; })) return;
  if (attempt(member, [](std::int64_t, double x) { return x < 0.0 ? -1.0 : 1.0; })) return;
  if (attempt(member, [](std::int64_t s, double) { return static_cast<double>(s % 4); })) return;
  if (attempt(member, [](std::int64_t, double x) { return std::round(x); })) return;
  attempt(member, [](std::int64_t, double x) { return std::round(4.0 * x) / 4.0; });
}

// Zeros in ranges of tokens, shorter and shorter.
void ValueShrinker::clear_tokens(Member member) {
  const std::int64_t tokens = replay_.c.grid.seq_len();
  for (std::int64_t size = std::max<std::int64_t>(1, tokens / 2); size >= 1; size /= 2) {
    for (std::int64_t first = 0; first < tokens; first += size) {
      if (spent()) return;
      attempt(member,
              [&](std::int64_t s, double x) { return s >= first && s < first + size ? 0.0 : x; });
    }
  }
}

void ValueShrinker::keep_failing_rows() {
  trial_.set_rows(replay_, ids_);
  const ReplayVerdict verdict = trial_.judge(replay_);
  replay_.message = verdict.message;
  std::vector<ReplayRow> kept;
  for (const std::size_t i : verdict.failed_rows) {
    if (kept.size() < kKeptRows) kept.push_back(replay_.rows[i]);
  }
  // Where no row fails (nothing written, an error), a few that would be due.
  if (kept.empty()) {
    kept.assign(replay_.rows.begin(), replay_.rows.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                 kKeptRows, replay_.rows.size())));
  }
  replay_.rows = std::move(kept);
}

// All rows where these are few; else some, and those that fail among all that were checked.
std::vector<RowId> first_rows(ReplayCase& replay, std::vector<RowId> rows,
                              const ReplayTrial& trial) {
  if (rows.size() <= kMostRows) return rows;
  trial.set_rows(replay, rows);
  std::vector<RowId> kept;
  for (const std::size_t i : trial.judge(replay).failed_rows) {
    if (kept.size() < kMostRows) kept.push_back(replay.rows[i].id);
  }
  if (kept.empty()) kept.assign(rows.begin(), rows.begin() + kMostRows);
  return kept;
}

}  // namespace

ReplayTrial trial_of(const lvsa_kernel& kernel) {
  return {[&kernel](ReplayCase& replay, const std::vector<RowId>& rows) {
            set_rows(replay, &kernel, rows);
          },
          [&kernel](const ReplayCase& replay) { return judge_replay(replay, kernel); }};
}

void shrink_values(ReplayCase& replay, const ReplayTrial& trial, const ShrinkBudget& budget) {
  ValueShrinker(replay, trial, budget).run();
}

ReplayCase smallest_replay(ReplayCase replay, std::vector<RowId> rows, const ReplayTrial& trial,
                           const ShrinkBudget& budget) {
  const std::vector<RowId> first = first_rows(replay, std::move(rows), trial);
  trial.set_rows(replay, first);
  const ReplayVerdict verdict = trial.judge(replay);
  if (verdict.check.empty()) {
    throw Error(ErrorKind::kValue,
                fmt::format("replay: '{}' does not fail in {}", replay.check, to_line(replay.c)));
  }
  replay.check =
      verdict.check;  // a row may fail by its log-sum-exp alone, once inputs stay as made
  shrink_values(replay, trial, budget);
  return replay;
}

ReplayCase smallest_replay(const Case& c, const lvsa_kernel& kernel, const std::string& check,
                           const ShrinkBudget& budget) {
  ReplayCase replay = make_replay(c, kernel.name, check);
  std::vector<RowId> rows = sample_rows(c);
  if (check != "crash" && check != "timeout") {
    return smallest_replay(std::move(replay), std::move(rows), trial_of(kernel), budget);
  }
  rows.resize(std::min(rows.size(), kKeptRows));
  set_rows(replay, nullptr, rows);
  return replay;
}

}  // namespace lvsa::analysis
