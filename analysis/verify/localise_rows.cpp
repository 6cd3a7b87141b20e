// The rows that fail, against those that were checked: which rule tells them apart?

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "analysis/verify/localise.hpp"
#include "analysis/verify/number_ranges.hpp"

namespace lvsa::analysis {
namespace {

using reference::RowId;
using Numbers = std::vector<std::int64_t>;

// A rule that all failing rows obey.
struct Rule {
  std::string text;
  int complexity = 1;  // of two rules that tell as much the simpler one is told
  std::function<bool(const RowId&)> holds;
};

struct Fit {
  std::int64_t inside = 0;         // checked rows that obey the rule
  std::int64_t failed_inside = 0;  // all failing rows
  std::int64_t outside = 0;        // checked rows that do not: all of them pass
  double precision() const {
    return static_cast<double>(failed_inside) / static_cast<double>(inside);
  }
};

class Rules {
 public:
  Rules(const Case& c, const FramePattern& pattern, std::span<const CheckedRow> rows)
      : c_(c), pattern_(pattern), rows_(rows) {
    add_kind();
    add_heads();
    add_sets();
    add_places();
    add_frames();
  }
  const std::vector<Rule>& all() const { return rules_; }

 private:
  using Key = std::function<std::int64_t(const RowId&)>;
  bool is_text(const RowId& row) const { return row.token >= c_.grid.video_tokens(); }
  std::int64_t frame(const RowId& row) const { return row.token / c_.grid.patches_per_frame; }
  std::int64_t place(const RowId& row) const {
    return is_text(row) ? row.token - c_.grid.video_tokens()
                        : row.token % c_.grid.patches_per_frame;
  }
  bool any_failed_text() const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [&](const CheckedRow& r) { return r.failed() && is_text(r.id); });
  }
  Numbers failing(const Key& key) const;
  void add(std::string text, int complexity, std::function<bool(const RowId&)> holds) {
    rules_.push_back({std::move(text), complexity, std::move(holds)});
  }
  void add_set(const std::string& noun, int complexity, const Key& key);
  void add_kind();
  void add_heads();
  void add_sets();
  void add_places();
  void add_frames();

  const Case& c_;
  const FramePattern& pattern_;
  std::span<const CheckedRow> rows_;
  std::vector<Rule> rules_;
};

// Values of a key among the failing rows, ascending.
Numbers Rules::failing(const Key& key) const {
  std::set<std::int64_t> values;
  for (const CheckedRow& row : rows_) {
    if (row.failed()) values.insert(key(row.id));
  }
  return {values.begin(), values.end()};
}

// "only heads 4-7": the more ranges it takes, the less it says.
void Rules::add_set(const std::string& noun, int complexity, const Key& key) {
  const Numbers values = failing(key);
  int ranges = 1;
  for (std::size_t i = 1; i < values.size(); ++i) ranges += values[i] != values[i - 1] + 1;
  if (ranges > 6) return;
  add("only " + counted(noun, values), complexity + ranges - 1, [key, values](const RowId& row) {
    return std::binary_search(values.begin(), values.end(), key(row));
  });
}

void Rules::add_kind() {
  if (c_.grid.text_tokens == 0) return;
  const Numbers kinds = failing([this](const RowId& row) { return is_text(row) ? 1 : 0; });
  if (kinds.size() != 1) return;
  const bool text = kinds.front() == 1;
  add(text ? "only text queries" : "only video queries", 1,
      [this, text](const RowId& row) { return is_text(row) == text; });
}

void Rules::add_heads() {
  const std::int64_t group = c_.heads / c_.kv_heads;
  const auto kv_head = [group](const RowId& row) { return row.head / group; };
  if (c_.heads > 1) add_set("head", 1, [](const RowId& row) { return row.head; });
  if (group == 1) return;
  if (c_.kv_heads > 1) add_set("kv head", 1, kv_head);
  const Numbers places = failing([group](const RowId& row) { return row.head % group; });
  const std::string text = places == Numbers{group - 1}
                               ? "only the last head of each group"
                               : "only " + counted("head", places) + " of each group";
  add(text, 2, [places, group](const RowId& row) {
    return std::binary_search(places.begin(), places.end(), row.head % group);
  });
}

void Rules::add_sets() {
  if (c_.batch > 1) add_set("batch element", 1, [](const RowId& row) { return row.batch; });
  if (!any_failed_text() && c_.grid.frames > 1) {
    add_set("query frame", 2, [this](const RowId& row) { return is_text(row) ? -1 : frame(row); });
  }
  const Numbers tokens = failing([](const RowId& row) { return row.token; });
  if (tokens.front() == c_.grid.seq_len() - 1) {
    add("only the last query token", 2,
        [last = tokens.front()](const RowId& row) { return row.token == last; });
  } else if (tokens.size() > 1) {
    add(fmt::format("only query tokens from {} on", tokens.front()), 4,
        [first = tokens.front()](const RowId& row) { return row.token >= first; });
    add(fmt::format("only query tokens up to {}", tokens.back()), 4,
        [last = tokens.back()](const RowId& row) { return row.token <= last; });
  }
}

// Rows at some place within their frame (or within the text).
void Rules::add_places() {
  const Numbers places = failing([this](const RowId& row) { return place(row); });
  const std::int64_t size = any_failed_text() ? c_.grid.text_tokens : c_.grid.patches_per_frame;
  const char* of = any_failed_text() ? "of the text" : "of each frame";
  if (size > 1 && places.front() > 0) {
    const std::int64_t first = places.front();
    const std::int64_t last = size - first;
    add(last == 1 ? fmt::format("only the last row {}", of)
                  : fmt::format("only the last {} rows {} (from row {})", last, of, first),
        2, [this, first](const RowId& row) { return place(row) >= first; });
  }
  if (size > 1 && places.back() < size - 1) {
    const std::int64_t count = places.back() + 1;
    add(count == 1 ? fmt::format("only the first row {}", of)
                   : fmt::format("only the first {} rows {}", count, of),
        2, [this, count](const RowId& row) { return place(row) < count; });
  }
  for (std::int64_t modulus = 4; modulus <= 256; modulus *= 2) {
    const Numbers residues = failing([&](const RowId& row) { return place(row) % modulus; });
    if (residues.size() == 1 && modulus < size) {
      add(fmt::format("only rows {} mod {} {}", residues.front(), modulus, of), 3,
          [this, modulus, r = residues.front()](const RowId& row) {
            return place(row) % modulus == r;
          });
    }
    const Numbers tokens = failing([&](const RowId& row) { return row.token % modulus; });
    if (tokens.size() == 1 && modulus < c_.grid.seq_len()) {
      add(fmt::format("only query tokens {} mod {}", tokens.front(), modulus), 4,
          [modulus, r = tokens.front()](const RowId& row) { return row.token % modulus == r; });
    }
  }
}

// Frames with something special about them.
void Rules::add_frames() {
  if (any_failed_text() || c_.grid.frames < 2) return;
  const std::int64_t last = c_.grid.frames - 1;
  const std::int64_t w = c_.window_frames;
  const auto of_frames = [this](const char* text, const std::function<bool(std::int64_t)>& holds) {
    for (const CheckedRow& row : rows_) {
      if (row.failed() && !holds(frame(row.id))) return;
    }
    add(text, 3, [this, holds](const RowId& row) { return !is_text(row) && holds(frame(row)); });
  };
  of_frames("only query frames at the ends, whose window is shifted",
            [=](std::int64_t f) { return f < w || f > last - w; });
  of_frames("only query frames away from the ends, whose window is whole",
            [=](std::int64_t f) { return f >= w && f <= last - w; });
  of_frames("only query frames that are global", [this](std::int64_t f) {
    return pattern_.is_global[static_cast<std::size_t>(f)] != 0;
  });
  of_frames("only query frames that are not global", [this](std::int64_t f) {
    return pattern_.is_global[static_cast<std::size_t>(f)] == 0;
  });
  std::size_t longest = 0;
  for (std::int64_t f = 0; f <= last; ++f) longest = std::max(longest, pattern_.row(f).size());
  of_frames("only query frames with fewer attended frames than the longest list",
            [this, longest](std::int64_t f) { return pattern_.row(f).size() < longest; });
  of_frames("only query frames with the longest list",
            [this, longest](std::int64_t f) { return pattern_.row(f).size() == longest; });
  of_frames("only query frames that attend no global frame before their window",
            [this](std::int64_t f) {
              const auto row = pattern_.row(f);
              const FrameRange window = pattern_.windows[static_cast<std::size_t>(f)];
              return row.empty() || row.front() >= window.lo;
            });
}

Fit fit_of(std::span<const CheckedRow> rows, const std::function<bool(const RowId&)>& holds) {
  Fit fit;
  for (const CheckedRow& row : rows) {
    if (!holds(row.id)) {
      ++fit.outside;
      continue;
    }
    ++fit.inside;
    fit.failed_inside += row.failed() ? 1 : 0;
  }
  return fit;
}

// A rule, or two that hold together, with its numbers. Rules that few of their rows break.
struct Found {
  std::string text;
  Fit fit;
  double score = 0.0;
};

void consider(std::optional<Found>& best, std::string text, const Fit& fit, int complexity,
              double overall) {
  if (fit.outside == 0 || fit.precision() < 0.9 || fit.precision() <= overall) return;
  // A long rule for a few rows is one that fits by chance.
  if (complexity > 2 && fit.inside < 2 * complexity) return;
  const double score = fit.precision() - 0.02 * complexity;
  if (!best || score > best->score) best = Found{std::move(text), fit, score};
}

std::string rest_of(const std::string& text) {  // of a second rule, without its "only"
  return text.substr(5);
}

}  // namespace

std::string describe_rows(const Case& c, const FramePattern& pattern,
                          std::span<const CheckedRow> rows) {
  std::int64_t failed = 0;
  for (const CheckedRow& row : rows) failed += row.failed() ? 1 : 0;
  const auto count = static_cast<std::int64_t>(rows.size());
  if (failed == 0) return "";
  if (failed == count) return count == 1 ? "" : "every checked row";
  const Rules rules(c, pattern, rows);
  const double overall = static_cast<double>(failed) / static_cast<double>(count);
  std::optional<Found> best;
  for (const Rule& rule : rules.all()) {
    consider(best, rule.text, fit_of(rows, rule.holds), rule.complexity, overall);
  }
  if (!best || best->fit.precision() < 1.0) {
    for (const Rule& a : rules.all()) {
      for (const Rule& b : rules.all()) {
        if (&a == &b || a.complexity > b.complexity) continue;
        const Fit fit =
            fit_of(rows, [&](const RowId& row) { return a.holds(row) && b.holds(row); });
        consider(best, fmt::format("{}, and of these {}", a.text, rest_of(b.text)), fit,
                 a.complexity + b.complexity + 1, overall);
      }
    }
  }
  if (!best) return fmt::format("{} of {} checked rows, no rule found", failed, count);
  const Fit& fit = best->fit;
  const std::string inside =
      fit.failed_inside == fit.inside
          ? fmt::format("all {} checked rows there", fit.inside)
          : fmt::format("{} of {} checked rows there", fit.failed_inside, fit.inside);
  return fmt::format("{} ({}, none of {} elsewhere)", best->text, inside, fit.outside);
}

}  // namespace lvsa::analysis
