#include "analysis/verify/localise.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/verify/number_ranges.hpp"

namespace lvsa::analysis {
namespace {

CheckedRow checked_row(const JudgedCase& judged, std::size_t i) {
  const Case& c = judged.c;
  const reference::RowResult& exact = judged.exact[i];
  CheckedRow row;
  row.id = judged.rows[i];
  const RowSteps steps = row_steps(judged.model, c.grid, judged.pattern, row.id, exact.keys);
  std::vector<double> got(exact.out.size());
  const TensorView& out = judged.outputs.out;
  out.read_row(row.id.batch, row.id.token, row.id.head, got.data());
  for (std::size_t column = 0; column < got.size(); ++column) {
    const double tolerance = output_tolerance(judged.model, exact, column, steps).total;
    if (accept_interval(exact.out[column], tolerance, c.dtype).contains(got[column])) continue;
    row.columns.resize(got.size(), 0);
    row.columns[column] = 1;
  }
  if (judged.outputs.lse) {
    const double tolerance = lse_tolerance(judged.model, exact, steps);
    const double lse = judged.outputs.lse(row.id.batch, row.id.token, row.id.head);
    row.lse = !accept_interval(exact.lse, tolerance, LVSA_F32).contains(lse);
  }
  return row;
}

// Residues modulo powers of two that hold for all numbers.
std::string residue_text(const std::vector<std::int64_t>& numbers, std::int64_t size) {
  for (std::int64_t modulus = 2; modulus <= size / 2; modulus *= 2) {
    const std::int64_t residue = numbers.front() % modulus;
    const bool all = std::all_of(numbers.begin(), numbers.end(),
                                 [&](std::int64_t n) { return n % modulus == residue; });
    const bool complete =
        static_cast<std::int64_t>(numbers.size()) == (size - residue + modulus - 1) / modulus;
    if (all && complete) return fmt::format("{} mod {}", residue, modulus);
  }
  return "";
}

// What a column of an input that marks keys stands for; null: the input marks none.
const char* class_noun(InputKind input) {
  switch (input) {
    case InputKind::kIndicator:
      return "key frame";
    case InputKind::kIndicatorTile:
      return "key tile";
    case InputKind::kIndicatorKey:
      return "key";
    default:
      return nullptr;
  }
}

// Classes in which every failing row lacks all weight that is due, or has some where none is due.
std::string describe_classes(const JudgedCase& judged, std::span<const CheckedRow> rows,
                             const char* noun) {
  std::vector<bool> missing(static_cast<std::size_t>(judged.c.head_dim), true);
  std::vector<bool> extra = missing;
  std::vector<double> got(missing.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].columns.empty()) continue;
    const reference::RowId& id = rows[i].id;
    judged.outputs.out.read_row(id.batch, id.token, id.head, got.data());
    for (std::size_t column = 0; column < got.size(); ++column) {
      const double due = judged.exact[i].out[column];
      missing[column] = missing[column] && due > 0.0 && got[column] == 0.0;
      extra[column] = extra[column] && due == 0.0 && got[column] > 0.0;
    }
  }
  const auto listed = [&](const std::vector<bool>& set, const char* what) -> std::string {
    std::vector<std::int64_t> classes;
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (set[i]) classes.push_back(static_cast<std::int64_t>(i));
    }
    if (classes.empty()) return "";
    return fmt::format("{} {} (modulo {})", what, counted(noun, classes), judged.c.head_dim);
  };
  const std::string none = listed(missing, "no weight on");
  const std::string some = listed(extra, "weight where none is due, on");
  return none + (none.empty() || some.empty() ? "" : ", ") + some;
}

}  // namespace

std::vector<CheckedRow> checked_rows(const JudgedCase& judged) {
  std::vector<CheckedRow> rows;
  for (std::size_t i = 0; i < judged.rows.size(); ++i) rows.push_back(checked_row(judged, i));
  return rows;
}

std::string describe_columns(const JudgedCase& judged, std::span<const CheckedRow> rows) {
  const std::int64_t head_dim = judged.c.head_dim;
  if (const char* noun = class_noun(judged.c.input)) return describe_classes(judged, rows, noun);
  std::vector<std::int64_t> times(static_cast<std::size_t>(head_dim), 0);
  for (const CheckedRow& row : rows) {
    for (std::size_t i = 0; i < row.columns.size(); ++i) times[i] += row.columns[i];
  }
  std::vector<std::int64_t> columns;
  for (std::int64_t i = 0; i < head_dim; ++i) {
    if (times[static_cast<std::size_t>(i)] > 0) columns.push_back(i);
  }
  const auto count = static_cast<std::int64_t>(columns.size());
  if (count == 0 || count == head_dim) return "";
  const std::string residue = residue_text(columns, head_dim);
  if (!residue.empty()) return fmt::format("only columns {}", residue);
  // Columns here and there are what noise leaves; a block, or a few of many, says something.
  const bool block = columns.back() - columns.front() + 1 == count;
  if (!block && count > head_dim / 4) return "";
  return fmt::format("only {} of {}", counted("column", columns), head_dim);
}

std::string where_it_fails(const JudgedCase& judged) {
  const std::vector<CheckedRow> rows = checked_rows(judged);
  const bool any = std::any_of(rows.begin(), rows.end(), [](const auto& r) { return r.failed(); });
  if (!any) return "";
  std::string text;
  const bool output =
      std::any_of(rows.begin(), rows.end(), [](const CheckedRow& r) { return !r.columns.empty(); });
  for (const std::string& part :
       {describe_values(judged, rows), describe_rows(judged.c, judged.pattern, rows),
        output ? describe_columns(judged, rows) : ""}) {
    if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
  }
  return text;
}

}  // namespace lvsa::analysis
