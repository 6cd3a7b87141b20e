#include "analysis/patterns/pattern_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

bool one_size(const BlockAxis& axis) {
  return axis == BlockAxis::uniform(axis.tokens(), axis.largest());
}

// Calls `only_first(begin, end)` and `only_second(begin, end)` for the keys that one list of ranges
// has and the other has not, in ascending order.
template <typename First, typename Second>
void for_differences(const std::vector<KeyRange>& first, const std::vector<KeyRange>& second,
                     const First& only_first, const Second& only_second) {
  std::vector<std::int64_t> cuts;
  for (const auto* ranges : {&first, &second}) {
    for (const KeyRange& range : *ranges) {
      cuts.push_back(range.first);
      cuts.push_back(range.second);
    }
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::size_t a = 0;
  std::size_t b = 0;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    while (a < first.size() && first[a].second <= cuts[i]) ++a;
    while (b < second.size() && second[b].second <= cuts[i]) ++b;
    const bool in_first = a < first.size() && first[a].first <= cuts[i];
    const bool in_second = b < second.size() && second[b].first <= cuts[i];
    if (in_first && !in_second) only_first(cuts[i], cuts[i + 1]);
    if (in_second && !in_first) only_second(cuts[i], cuts[i + 1]);
  }
}

void compare_maps(const BlockMap& first, const BlockMap& second, PatternDifference& result) {
  const auto note = [&](std::int64_t row, std::int64_t column) {
    if (result.row >= 0) return;
    result.row = row;
    result.column = column;
  };
  for (std::int64_t r = 0; r < first.rows.blocks(); ++r) {
    const auto a = first.row(r);
    const auto b = second.row(r);
    for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
      if (j == b.size() || (i < a.size() && a[i] < b[j])) {
        note(r, a[i++]);
        ++result.blocks_only_first;
      } else if (i == a.size() || b[j] < a[i]) {
        note(r, b[j++]);
        ++result.blocks_only_second;
      } else {
        ++i;
        ++j;
      }
    }
  }
}

bool same_order(const HeadPattern& first, const HeadPattern& second) {
  const auto orders = [](const HeadPattern& p) { return p.order && !p.order->is_identity(); };
  if (!orders(first) && !orders(second)) return true;
  return first.order && second.order && *first.order == *second.order;
}

// A pattern over places, as if it had no order: lists of keys are short then.
HeadPattern without_order(const HeadPattern& pattern) {
  HeadPattern copy = pattern;
  copy.order.reset();
  return copy;
}

}  // namespace

PatternFigures pattern_figures(const HeadPattern& pattern) {
  const BlockMap& map = pattern.map;
  PatternFigures f;
  f.queries = map.rows.tokens();
  f.keys = map.columns.tokens();
  f.rows = map.rows.blocks();
  f.columns = map.columns.blocks();
  f.block_rows = map.rows.largest();
  f.block_columns = map.columns.largest();
  f.segments = !one_size(map.rows) || !one_size(map.columns);
  f.kept = map.kept();
  f.block_density = block_density(map);
  f.token_density = token_density(pattern);
  f.row_least = f.columns;
  for (std::int64_t r = 0; r < f.rows; ++r) {
    const auto kept = static_cast<std::int64_t>(map.row(r).size());
    f.row_least = std::min(f.row_least, kept);
    f.row_most = std::max(f.row_most, kept);
    f.empty_rows += kept == 0 ? 1 : 0;
  }
  f.masks = pattern.mask.masks();
  f.masked_blocks = std::count_if(pattern.mask.entry.begin(), pattern.mask.entry.end(),
                                  [](std::int32_t mask) { return mask >= 0; });
  f.ordered = pattern.order.has_value();
  for (std::int64_t i = 0; f.ordered && i < pattern.order->size(); ++i) {
    f.moved_tokens += pattern.order->token(i) != i ? 1 : 0;
  }
  if (pattern.skip) f.skip_threshold_log2 = pattern.skip->threshold_log2;
  f.choice = pattern.choice;
  return f;
}

PatternDifference pattern_difference(const HeadPattern& first, const HeadPattern& second) {
  if (first.map.rows.tokens() != second.map.rows.tokens() ||
      first.map.columns.tokens() != second.map.columns.tokens()) {
    throw Error(ErrorKind::kValue,
                fmt::format("{} queries and {} keys against {} and {}: patterns of the same tokens "
                            "are due",
                            first.map.rows.tokens(), first.map.columns.tokens(),
                            second.map.rows.tokens(), second.map.columns.tokens()));
  }
  PatternDifference result;
  const bool places = same_order(first, second) && first.order.has_value();
  const HeadPattern stripped_first = places ? without_order(first) : HeadPattern();
  const HeadPattern stripped_second = places ? without_order(second) : HeadPattern();
  const HeadPattern& a = places ? stripped_first : first;
  const HeadPattern& b = places ? stripped_second : second;
  for (std::int64_t query = 0; query < first.map.rows.tokens(); ++query) {
    const std::int64_t at = places ? first.order->place(query) : query;
    std::int64_t least = -1;
    const auto count = [&](std::int64_t& pairs) {
      return [&](std::int64_t begin, std::int64_t end) {
        pairs += end - begin;
        if (result.query >= 0) return;
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t key = places ? first.order->token(i) : i;
          if (least < 0 || key < least) least = key;
        }
      };
    };
    for_differences(visible_tokens(a, at), visible_tokens(b, at), count(result.only_first),
                    count(result.only_second));
    if (result.query < 0 && least >= 0) {
      result.query = query;
      result.key = least;
    }
  }
  result.same_blocks = same_order(first, second) && first.map.rows == second.map.rows &&
                       first.map.columns == second.map.columns;
  if (result.same_blocks) compare_maps(first.map, second.map, result);
  return result;
}

}  // namespace lvsa::analysis
