// What the wrong values are: right ones times a factor, or the right ones of another problem.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "analysis/verify/alternative_patterns.hpp"
#include "analysis/verify/localise.hpp"

namespace lvsa::analysis {
namespace {

using reference::AttentionProblem;
using reference::RowId;
using reference::RowResult;

constexpr std::size_t kTriedRows = 5;
constexpr double kMostProducts = 0x1p31;  // of all alternatives together

// Row of the problem at one batch element and head, over the keys of any element and kv head.
struct OneRow {
  AttentionProblem problem;
  RowId id;
};

TensorView one_head(const TensorView& from, std::int64_t batch, std::int64_t head,
                    std::int64_t tokens) {
  TensorView view = from;
  const auto offset = static_cast<std::size_t>(batch * from.strides[0] + head * from.strides[2]);
  view.data = static_cast<const std::byte*>(from.data) + offset * dtype_bytes(from.dtype);
  view.shape = {1, tokens, 1, from.shape[3]};
  return view;
}

class Values {
 public:
  Values(const JudgedCase& judged, std::span<const CheckedRow> rows) : judged_(judged) {
    std::vector<std::size_t> failing;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].columns.empty()) failing.push_back(i);
      if (rows[i].lse) failing_lse_.push_back(i);
    }
    output_ = failing;
    for (std::size_t i = 0; i < std::min(kTriedRows, failing.size()); ++i) {
      tried_.push_back(failing[i * (failing.size() - 1) /
                               std::max<std::size_t>(1, std::min(kTriedRows, failing.size()) - 1)]);
    }
  }

  std::string describe() const {
    if (output_.empty()) return lse_only();
    const std::string bad = not_finite();
    if (!bad.empty()) return bad;
    const std::string factor = constant_factor();
    if (!factor.empty()) return factor;
    const double row_cost = static_cast<double>(judged_.c.grid.seq_len() * judged_.c.head_dim);
    if (row_cost * static_cast<double>(tried_.size()) * 64.0 > kMostProducts) return "";
    for (const auto& attempt : {&Values::other_arithmetic, &Values::other_keys, &Values::other_row,
                                &Values::other_pattern}) {
      std::string text = (this->*attempt)();
      if (!text.empty()) return text;
    }
    return "";
  }

 private:
  std::vector<double> got(std::size_t i) const {
    const RowId& row = judged_.rows[i];
    std::vector<double> values(static_cast<std::size_t>(judged_.c.head_dim));
    judged_.outputs.out.read_row(row.batch, row.token, row.head, values.data());
    return values;
  }
  std::string lse_only() const;
  std::string not_finite() const;
  std::string constant_factor() const;
  std::string other_arithmetic() const;
  std::string other_keys() const;
  std::string other_row() const;
  std::string other_pattern() const;
  // Whether the outputs of all tried rows are those of the row that `make` gives; a row that comes
  // out as it was due says nothing.
  bool explained(const std::function<std::optional<OneRow>(const RowId&)>& make) const;
  bool accepts(const RowResult& exact, std::size_t i) const;
  OneRow as_is(const RowId& row) const { return with_keys_of(row, row.batch, kv_head(row.head)); }
  OneRow with_keys_of(const RowId& row, std::int64_t batch, std::int64_t kv) const;
  std::int64_t kv_head(std::int64_t head) const {
    return head / (judged_.c.heads / judged_.c.kv_heads);
  }

  const JudgedCase& judged_;
  std::vector<std::size_t> output_;
  std::vector<std::size_t> failing_lse_;
  std::vector<std::size_t> tried_;
};

std::string Values::lse_only() const {
  if (failing_lse_.empty()) return "";
  double least_ratio = INFINITY;
  double most_ratio = -INFINITY;
  double least_shift = INFINITY;
  double most_shift = -INFINITY;
  for (const std::size_t i : failing_lse_) {
    const RowId& row = judged_.rows[i];
    const double lse = judged_.outputs.lse(row.batch, row.token, row.head);
    const double due = judged_.exact[i].lse;
    least_ratio = std::min(least_ratio, lse / due);
    most_ratio = std::max(most_ratio, lse / due);
    least_shift = std::min(least_shift, lse - due);
    most_shift = std::max(most_shift, lse - due);
  }
  const std::string only = "only the log-sum-exp fails";
  constexpr double kLog2E = 1.4426950408889634;
  if (least_ratio > 0.999 * kLog2E && most_ratio < 1.001 * kLog2E) {
    return only + ", which is in base 2";
  }
  if (failing_lse_.size() > 1 && most_shift - least_shift < 1e-3 * std::fabs(most_shift)) {
    return fmt::format("{}, off by {:+.4g} everywhere", only, most_shift);
  }
  const auto without_max =
      std::all_of(failing_lse_.begin(), failing_lse_.end(), [&](std::size_t i) {
        const RowId& row = judged_.rows[i];
        const double lse = judged_.outputs.lse(row.batch, row.token, row.head);
        const double due = std::log(judged_.exact[i].normaliser);
        return std::fabs(lse - due) < 1e-3 * std::max(1.0, std::fabs(due));
      });
  return without_max ? only + ", which lacks the maximum of the scores" : only;
}

std::string Values::not_finite() const {
  std::size_t rows = 0;
  for (const std::size_t i : output_) {
    const auto values = got(i);
    rows += std::any_of(values.begin(), values.end(), [](double x) { return !std::isfinite(x); });
  }
  if (rows == output_.size()) return "every failing row holds NaN or infinity (not written?)";
  return rows > 0 ? fmt::format("{} of {} failing rows hold NaN or infinity", rows, output_.size())
                  : "";
}

// All elements of the failing rows are their due times one factor.
std::string Values::constant_factor() const {
  double dot = 0.0;
  double square = 0.0;
  for (const std::size_t i : output_) {
    const auto values = got(i);
    for (std::size_t c = 0; c < values.size(); ++c) {
      dot += values[c] * judged_.exact[i].out[c];
      square += judged_.exact[i].out[c] * judged_.exact[i].out[c];
    }
  }
  if (square == 0.0) return "";
  const double factor = dot / square;
  const double unit = unit_roundoff(judged_.c.dtype);
  if (std::fabs(factor - 1.0) < unit) return "";
  for (const std::size_t i : output_) {
    const auto values = got(i);
    for (std::size_t c = 0; c < values.size(); ++c) {
      const double due = factor * judged_.exact[i].out[c];
      const double slack = 4.0 * unit * std::fabs(due) + 2.0 * unit * judged_.exact[i].magnitude[c];
      if (std::fabs(values[c] - due) > slack) return "";
    }
  }
  if (std::fabs(factor) < unit) return "outputs are 0";
  return fmt::format("every element of the failing rows is its due times {:.4g}", factor);
}

OneRow Values::with_keys_of(const RowId& row, std::int64_t batch, std::int64_t kv) const {
  const AttentionProblem& p = judged_.problem;
  const std::int64_t tokens = p.grid.seq_len();
  OneRow one{p, {0, row.token, 0}};
  one.problem.q = one_head(p.q, row.batch, row.head, tokens);
  one.problem.k = one_head(p.k, batch, kv, tokens);
  one.problem.v = one_head(p.v, batch, kv, tokens);
  return one;
}

bool Values::accepts(const RowResult& exact, std::size_t i) const {
  const RowSteps steps =
      row_steps(judged_.model, judged_.c.grid, judged_.pattern, judged_.rows[i], exact.keys);
  const auto values = got(i);
  for (std::size_t c = 0; c < values.size(); ++c) {
    const double tolerance = output_tolerance(judged_.model, exact, c, steps).total;
    if (!accept_interval(exact.out[c], tolerance, judged_.c.dtype).contains(values[c]))
      return false;
  }
  return true;
}

bool Values::explained(const std::function<std::optional<OneRow>(const RowId&)>& make) const {
  for (const std::size_t i : tried_) {
    const auto other = make(judged_.rows[i]);
    if (!other) return false;
    if (!accepts(attend_row(other->problem, other->id, judged_.model.scores), i)) return false;
  }
  return !tried_.empty();
}

std::string Values::other_arithmetic() const {
  const double own = judged_.problem.scale;
  const std::pair<double, const char*> scales[] = {
      {1.0, "scores that are not scaled"},
      {own * own, "scores that are scaled twice"},
      {own * 1.01, "a scale 1 % too large"},
      {own * 0.99, "a scale 1 % too small"},
      {own / 0.6931471805599453, "scores times log2(e) once too often"},
      {own * 0.6931471805599453, "exp2 where exp is due"},
      {0.0, "scores of 0"}};
  for (const auto& [scale, name] : scales) {
    const double other = scale;
    const bool fits = explained([&](const RowId& row) {
      OneRow one = as_is(row);
      one.problem.scale = other;
      return std::optional(one);
    });
    if (fits) return fmt::format("explained by: {}", name);
  }
  return "";
}

std::string Values::other_keys() const {
  const Case& c = judged_.c;
  const std::int64_t group = c.heads / c.kv_heads;
  if (c.kv_heads > 1) {
    const auto read = [&](const std::function<std::int64_t(std::int64_t)>& kv) {
      return explained([&](const RowId& row) -> std::optional<OneRow> {
        if (kv(row.head) == kv_head(row.head)) return std::nullopt;
        return with_keys_of(row, row.batch, kv(row.head));
      });
    };
    if (group > 1 && read([&](std::int64_t head) { return head % c.kv_heads; })) {
      return "explained by: kv heads repeated as a tile (head h reads kv head h mod Hkv)";
    }
    if (read([&](std::int64_t head) { return (kv_head(head) + 1) % c.kv_heads; })) {
      return "explained by: the keys of the next kv head";
    }
    if (read([](std::int64_t) { return 0; })) return "explained by: the keys of kv head 0";
  }
  const bool next_batch =
      c.batch > 1 && explained([&](const RowId& row) {
        return std::optional(with_keys_of(row, (row.batch + 1) % c.batch, kv_head(row.head)));
      });
  if (next_batch) return "explained by: the keys of the next batch element";
  const bool without_text = c.grid.text_tokens > 0 && explained([&](const RowId& row) {
                              OneRow one = as_is(row);
                              if (row.token >= c.grid.video_tokens())
                                return std::optional<OneRow>();
                              const std::int64_t tokens = c.grid.video_tokens();
                              one.problem.grid.text_tokens = 0;
                              one.problem.q.shape[1] = one.problem.k.shape[1] =
                                  one.problem.v.shape[1] = tokens;
                              return std::optional(one);
                            });
  return without_text ? "explained by: video that does not attend the text" : "";
}

std::string Values::other_row() const {
  const Case& c = judged_.c;
  for (std::int64_t by = 1; by < std::min<std::int64_t>(c.heads, 5); ++by) {
    const bool swapped = explained([&](const RowId& row) -> std::optional<OneRow> {
      RowId other = row;
      other.head = by == 1 ? row.head ^ 1 : (row.head + by) % c.heads;
      if (other.head >= c.heads) return std::nullopt;
      return as_is(other);
    });
    if (swapped) {
      return by == 1 ? "explained by: output rows of heads 2n and 2n + 1 swapped"
                     : fmt::format("explained by: output rows of the head {} further on", by);
    }
  }
  for (const std::int64_t by : {-1, 1}) {
    const bool moved = explained([&](const RowId& row) -> std::optional<OneRow> {
      RowId other = row;
      other.token += by;
      if (other.token < 0 || other.token >= c.grid.seq_len()) return std::nullopt;
      return as_is(other);
    });
    if (moved)
      return fmt::format("explained by: output rows of the query token {}",
                         by < 0 ? "before" : "behind");
  }
  return "";
}

std::string Values::other_pattern() const {
  const Case& c = judged_.c;
  if (!c.file.empty()) return "";  // its lists come with it
  for (const NamedLists& alternative : alternative_patterns(c)) {
    const bool fits = explained([&](const RowId& row) -> std::optional<OneRow> {
      if (row.token >= c.grid.video_tokens()) return std::nullopt;
      OneRow one = as_is(row);
      one.problem.attended = alternative.lists;
      return one;
    });
    if (fits) return fmt::format("explained by: {}", alternative.name);
  }
  // Text queries that attend as a frame does.
  const bool sparse_text = explained([&](const RowId& row) -> std::optional<OneRow> {
    if (row.token < c.grid.video_tokens()) return std::nullopt;
    OneRow one = as_is(row);
    one.problem.q.data = static_cast<const std::byte*>(one.problem.q.data) +
                         static_cast<std::size_t>((row.token - c.grid.video_tokens() + 1) *
                                                  one.problem.q.strides[1]) *
                             dtype_bytes(one.problem.q.dtype);
    one.id.token = c.grid.video_tokens() - 1;
    return one;
  });
  return sparse_text ? "explained by: text queries that attend as the last frame does" : "";
}

}  // namespace

std::string describe_values(const JudgedCase& judged, std::span<const CheckedRow> rows) {
  return Values(judged, rows).describe();
}

}  // namespace lvsa::analysis
