#include "analysis/blocks/block_localise.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "analysis/verify/inputs.hpp"
#include "analysis/verify/number_ranges.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;

struct Row {
  RowId id;
  std::vector<double> got;
  bool output = false;  // failed
  bool lse = false;
  bool failed() const { return output || lse; }
};

std::vector<Row> judged_rows(const JudgedMaps& judged) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < judged.rows.size(); ++i) {
    Row row;
    row.id = judged.rows[i];
    const reference::RowResult& exact = judged.exact[i];
    const RowSteps steps = map_steps(judged.model, judged.maps, row.id, exact.keys);
    row.got.resize(exact.out.size());
    judged.outputs.out.read_row(row.id.batch, row.id.token, row.id.head, row.got.data());
    for (std::size_t c = 0; c < row.got.size() && !row.output; ++c) {
      const double t = output_tolerance(judged.model, exact, c, steps).total;
      row.output = !accept_interval(exact.out[c], t, output_dtype(judged.c)).contains(row.got[c]);
    }
    if (judged.outputs.lse) {
      const double t = lse_tolerance(judged.model, exact, steps);
      const double lse = judged.outputs.lse(row.id.batch, row.id.token, row.id.head);
      row.lse = !accept_interval(exact.lse, t, LVSA_F32).contains(lse);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// A number that rows have, and what it is called.
struct Feature {
  const char* noun;
  std::function<std::int64_t(const Row&)> value;
};

// Yes or no of a row.
struct Trait {
  const char* text;
  std::function<bool(const Row&)> holds;
};

class Describer {
 public:
  Describer(const JudgedMaps& judged, const std::vector<Row>& rows) : judged_(judged), rows_(rows) {
    for (const Row& row : rows) ++(row.failed() ? failed_ : passed_);
  }

  std::string text() const {
    std::vector<std::string> parts;
    const auto add = [&](const std::string& part) {
      constexpr std::size_t kMost = 3;
      if (!part.empty() && parts.size() < kMost) parts.push_back(part);
    };
    const bool lse_only =
        std::none_of(rows_.begin(), rows_.end(), [](auto& r) { return r.output; });
    if (lse_only) add("only the log-sum-exp");
    for (const Trait& trait : traits()) add(described(trait));
    for (const Feature& feature : features()) add(described(feature));
    add(classes());
    return fmt::format("{}", fmt::join(parts, "; "));
  }

 private:
  const HeadPattern& pattern(const Row& row) const { return judged_.maps.head(row.id); }
  std::int64_t row_block(const Row& row) const { return row_block_of(pattern(row), row.id.token); }
  std::span<const std::int32_t> kept(const Row& row) const {
    return pattern(row).map.row(row_block(row));
  }

  std::vector<Feature> features() const {
    return {
        {"head", [](const Row& row) { return row.id.head; }},
        {"batch element", [](const Row& row) { return row.id.batch; }},
        {"row block", [this](const Row& row) { return row_block(row); }},
        {"place within the row block",
         [this](const Row& row) {
           return place_of_token(pattern(row), row.id.token) -
                  pattern(row).map.rows.begin(row_block(row));
         }},
    };
  }

  std::vector<Trait> traits() const {
    return {
        {"only rows without keys", [this](const Row& row) { return kept(row).empty(); }},
        {"only rows of the last row block",
         [this](const Row& row) { return row_block(row) + 1 == pattern(row).map.rows.blocks(); }},
        {"only rows that attend the last key block",
         [this](const Row& row) {
           return !kept(row).empty() && kept(row).back() + 1 == pattern(row).map.columns.blocks();
         }},
        {"only rows that attend a key block smaller than the others",
         [this](const Row& row) {
           const BlockAxis& columns = pattern(row).map.columns;
           return std::any_of(kept(row).begin(), kept(row).end(),
                              [&](auto c) { return columns.size(c) < columns.largest(); });
         }},
        {"only rows with an element mask", [this](const Row& row) { return masked(row); }},
        {"only heads with an order of their own",
         [this](const Row& row) { return pattern(row).order.has_value(); }},
        {"only text rows",
         [this](const Row& row) { return row.id.token >= judged_.c.grid.video_tokens(); }},
    };
  }

  bool masked(const Row& row) const {
    const HeadPattern& of = pattern(row);
    const auto r = static_cast<std::size_t>(row_block(row));
    for (std::int32_t e = of.map.indptr[r]; e < of.map.indptr[r + 1]; ++e) {
      if (of.mask.mask_of(e) >= 0) return true;
    }
    return false;
  }

  // Whether so many passing rows share what all failing ones have that it says nothing.
  bool says_little(std::int64_t passing) const { return passing * 5 > passed_ || passed_ == 0; }

  std::string told(const std::string& what, std::int64_t passing) const {
    return passing == 0 ? fmt::format("{} (all {} checked rows there; {} elsewhere pass)", what,
                                      failed_, passed_)
                        : fmt::format("{} ({} of {} checked rows there; {} elsewhere pass)", what,
                                      failed_, failed_ + passing, passed_ - passing);
  }

  std::string described(const Trait& trait) const {
    std::int64_t passing = 0;
    for (const Row& row : rows_) {
      const bool holds = trait.holds(row);
      if (row.failed() && !holds) return "";
      passing += !row.failed() && holds ? 1 : 0;
    }
    return says_little(passing) ? "" : told(trait.text, passing);
  }

  std::string described(const Feature& feature) const {
    std::set<std::int64_t> values;
    std::set<std::int64_t> all;
    for (const Row& row : rows_) {
      all.insert(feature.value(row));
      if (row.failed()) values.insert(feature.value(row));
    }
    if (2 * values.size() > all.size() || all.size() < 2) return "";
    std::int64_t passing = 0;
    for (const Row& row : rows_) {
      passing += !row.failed() && values.contains(feature.value(row)) ? 1 : 0;
    }
    if (says_little(passing)) return "";
    return told("only " + counted(feature.noun, {values.begin(), values.end()}), passing);
  }

  const char* class_noun() const {
    switch (judged_.c.input) {
      case InputKind::kIndicator:
        return "key frame";
      case InputKind::kIndicatorBlock:
      case InputKind::kBeaconBlock:
        return "key block";
      case InputKind::kIndicatorPlace:
        return "place";
      case InputKind::kIndicatorKey:
        return "key";
      default:
        return nullptr;
    }
  }

  // Classes that lack their weight in some failing row, or have some where none is due.
  std::string classes() const {
    const char* noun = class_noun();
    if (noun == nullptr) return "";
    std::set<std::int64_t> missing;
    std::set<std::int64_t> extra;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].output) continue;
      const std::vector<double>& due = judged_.exact[i].out;
      for (std::size_t c = 0; c < due.size(); ++c) {
        const auto number = static_cast<std::int64_t>(c);
        if (due[c] > 0.0 && rows_[i].got[c] == 0.0) missing.insert(number);
        if (due[c] == 0.0 && rows_[i].got[c] > 0.0) extra.insert(number);
      }
    }
    std::string text;
    const auto add = [&](const char* what, const std::set<std::int64_t>& of) {
      if (of.empty() || static_cast<std::int64_t>(of.size()) == judged_.c.head_dim) return;
      text += fmt::format("{}{} {} (modulo {}) in some rows", text.empty() ? "" : ", ", what,
                          counted(noun, {of.begin(), of.end()}), judged_.c.head_dim);
    };
    add("no weight on", missing);
    add("weight where none is due, on", extra);
    return text;
  }

  const JudgedMaps& judged_;
  const std::vector<Row>& rows_;
  std::int64_t failed_ = 0;
  std::int64_t passed_ = 0;
};

}  // namespace

std::string where_maps_fail(const JudgedMaps& judged) {
  const std::vector<Row> rows = judged_rows(judged);
  const bool any = std::any_of(rows.begin(), rows.end(), [](const Row& r) { return r.failed(); });
  return any ? Describer(judged, rows).text() : std::string();
}

}  // namespace lvsa::analysis
