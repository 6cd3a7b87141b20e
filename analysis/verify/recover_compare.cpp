// The recovered mask against the pattern: what differs, in as few lines as possible.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "analysis/verify/number_ranges.hpp"
#include "analysis/verify/recover.hpp"
#include "analysis/verify/recover_statements.hpp"

namespace lvsa::analysis {
namespace {

const char* verb_text(StatementVerb verb, bool plural) {
  switch (verb) {
    case StatementVerb::kDoNotAttend:
      return plural ? "do not attend" : "does not attend";
    case StatementVerb::kCount:
      return plural ? "count" : "counts";
    case StatementVerb::kHave:
      return plural ? "have" : "has";
    case StatementVerb::kAttend:
      break;
  }
  return plural ? "attend" : "attends";
}

using Numbers = std::vector<std::int64_t>;

// Rows of one query frame (or of the text) with one batch element and head.
struct Place {
  std::int64_t batch = 0;
  std::int64_t head = 0;
  auto operator<=>(const Place&) const = default;
};

class Comparison {
 public:
  explicit Comparison(MaskRecovery& recovery)
      : to_(recovery),
        c_(recovery.c),
        groups_(c_.grid.frames + (c_.grid.text_tokens > 0 ? 1 : 0)) {}

  void run() {
    for (std::int64_t b = 0; b < c_.batch; ++b) {
      for (std::int64_t h = 0; h < c_.heads; ++h) {
        for (std::int64_t g = 0; g < groups_; ++g) gather(b, h, g);
      }
    }
    write();
    name_mistake();
  }

 private:
  std::int64_t first_token(std::int64_t g) const { return g * c_.grid.patches_per_frame; }
  std::int64_t group_size(std::int64_t g) const {
    return g < c_.grid.frames ? c_.grid.patches_per_frame : c_.grid.text_tokens;
  }
  std::vector<std::int32_t> due(std::int64_t g) const;
  void gather(std::int64_t b, std::int64_t h, std::int64_t g);
  std::string heads_text(const std::set<Place>& places) const;
  std::string subject(const Numbers& groups, const Numbers& rows, const std::set<Place>& places,
                      bool& plural) const;
  void write();
  void name_mistake();
  bool attends_as(const AttendedFrames& lists) const;

  MaskRecovery& to_;
  const Case& c_;
  std::int64_t groups_;
  // Places of a statement, by query frame and rows in it.
  std::map<std::tuple<RowStatement, std::int64_t, Numbers>, std::set<Place>> said_;
};

std::vector<std::int32_t> Comparison::due(std::int64_t g) const {
  if (g < c_.grid.frames) return to_.due[static_cast<std::size_t>(g)];
  std::vector<std::int32_t> every;
  for (std::int64_t f = 0; f < c_.grid.frames; ++f) every.push_back(static_cast<std::int32_t>(f));
  return every;
}

void Comparison::gather(std::int64_t b, std::int64_t h, std::int64_t g) {
  std::map<std::int32_t, Numbers> rows_of;
  for (std::int64_t r = 0; r < group_size(g); ++r) {
    const auto row =
        static_cast<std::size_t>((b * c_.heads + h) * c_.grid.seq_len() + first_token(g) + r);
    rows_of[to_.row_mask[row]].push_back(r);
  }
  std::map<RowStatement, Numbers> rows_said;
  for (const auto& [index, rows] : rows_of) {
    const RowMask& mask = to_.masks[static_cast<std::size_t>(index)];
    if (!mask.proven) to_.undecided_rows += static_cast<std::int64_t>(rows.size());
    for (const RowStatement& statement : RowStatements(c_, mask, due(g)).all()) {
      Numbers& all = rows_said[statement];
      all.insert(all.end(), rows.begin(), rows.end());
    }
  }
  for (auto& [statement, rows] : rows_said) {
    std::sort(rows.begin(), rows.end());
    said_[{statement, g, std::move(rows)}].insert({b, h});
  }
}

std::string Comparison::heads_text(const std::set<Place>& places) const {
  std::set<std::int64_t> batches;
  std::set<std::int64_t> heads;
  for (const Place& place : places) {
    batches.insert(place.batch);
    heads.insert(place.head);
  }
  const auto listed = [](const std::set<std::int64_t>& set) {
    return Numbers(set.begin(), set.end());
  };
  // Otherwise not every head of every element, which the caller has split up before.
  std::string text;
  if (c_.batch > 1 && static_cast<std::int64_t>(batches.size()) < c_.batch) {
    text += fmt::format(", {}", counted("batch element", listed(batches)));
  }
  const bool every = static_cast<std::int64_t>(heads.size()) == c_.heads && c_.heads > 1;
  return text + (every ? ", every head" : fmt::format(", {}", counted("head", listed(heads))));
}

std::string Comparison::subject(const Numbers& groups, const Numbers& rows,
                                const std::set<Place>& places, bool& plural) const {
  const bool text = groups.front() == c_.grid.frames;
  const bool whole = static_cast<std::int64_t>(rows.size()) == group_size(groups.front());
  std::string who;
  if (text) {
    who = whole ? (rows.size() == 1 ? "the text query" : "text queries")
                : counted("text query row", rows);
    plural = rows.size() > 1;
  } else {
    who = counted("query frame", groups);
    if (!whole) who += fmt::format(" ({})", counted("row", rows));
    plural = groups.size() > 1;
  }
  return who + heads_text(places);
}

void Comparison::write() {
  // Split places that are no product of batch elements and heads into one set a batch element.
  using Key = std::tuple<RowStatement, std::set<Place>, bool, Numbers>;  // bool: text queries
  std::map<Key, Numbers> groups_of;
  for (const auto& [key, places] : said_) {
    const auto& [statement, group, rows] = key;
    const bool text = group == c_.grid.frames;
    std::map<std::int64_t, std::set<Place>> by_batch;
    for (const Place& place : places) by_batch[place.batch].insert(place);
    std::set<std::set<std::int64_t>> head_sets;
    for (const auto& [batch, members] : by_batch) {
      std::set<std::int64_t> heads;
      for (const Place& place : members) heads.insert(place.head);
      head_sets.insert(heads);
    }
    if (head_sets.size() == 1) {
      groups_of[{statement, places, text, rows}].push_back(group);
    } else {
      for (const auto& [batch, members] : by_batch) {
        groups_of[{statement, members, text, rows}].push_back(group);
      }
    }
  }
  std::vector<std::pair<std::int64_t, MaskDifference>> lines;
  for (const auto& [key, groups] : groups_of) {
    const auto& [statement, places, text, rows] = key;
    bool plural = false;
    const std::string who = subject(groups, rows, places, plural);
    const char* verb = verb_text(statement.verb, plural);
    const auto count = static_cast<std::int64_t>(groups.size() * rows.size() * places.size());
    lines.push_back(
        {groups.front(), {fmt::format("{} {} {}", who, verb, statement.object), count}});
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [group, line] : lines) to_.differences.push_back(std::move(line));
}

bool Comparison::attends_as(const AttendedFrames& lists) const {
  for (std::int64_t b = 0; b < c_.batch; ++b) {
    for (std::int64_t h = 0; h < c_.heads; ++h) {
      for (std::int64_t token = 0; token < c_.grid.video_tokens(); ++token) {
        const RowMask& mask = to_.mask(b, h, token);
        const auto& row = lists[static_cast<std::size_t>(token / c_.grid.patches_per_frame)];
        std::size_t next = 0;
        for (std::int64_t f = 0; f < c_.grid.frames; ++f) {
          const bool listed = next < row.size() && row[next] == f;
          if (listed) ++next;
          if (!mask.finite || listed != (mask.frames[static_cast<std::size_t>(f)] != 0))
            return false;
        }
      }
    }
  }
  return true;
}

void Comparison::name_mistake() {
  if (to_.differences.empty() || attends_as(to_.due)) return;
  const FramePattern own = pattern_of(to_.due);
  if (attends_as(lists_of(decoy_pattern(own)))) {
    to_.mistake = "the pattern of the call before (a stale plan)";
    return;
  }
  for (const NamedLists& alternative : alternative_patterns(c_)) {
    if (!attends_as(alternative.lists)) continue;
    to_.mistake = alternative.name;
    return;
  }
}

}  // namespace

void compare_with_pattern(MaskRecovery& recovery) { Comparison(recovery).run(); }

CellState cell_state(const MaskRecovery& recovery, std::int64_t batch, std::int64_t head,
                     std::int64_t query_frame, std::int64_t key_frame) {
  const std::int64_t patches = recovery.c.grid.patches_per_frame;
  const auto& row = recovery.due[static_cast<std::size_t>(query_frame)];
  const bool due = std::binary_search(row.begin(), row.end(), static_cast<std::int32_t>(key_frame));
  CellState worst = due ? CellState::kAttended : CellState::kSkipped;
  std::int32_t last = -1;
  for (std::int64_t r = 0; r < patches; ++r) {
    const auto place = static_cast<std::size_t>(
        (batch * recovery.c.heads + head) * recovery.c.grid.seq_len() + query_frame * patches + r);
    if (recovery.row_mask[place] == last) continue;
    last = recovery.row_mask[place];
    const RowMask& mask = recovery.masks[static_cast<std::size_t>(last)];
    const std::int64_t keys = mask.frames[static_cast<std::size_t>(key_frame)];
    if (!mask.finite || keys == kUnknownCount) return CellState::kUndecided;
    if (keys == (due ? patches : 0)) continue;
    if (keys == 0) {
      worst = CellState::kMissing;
    } else if (keys == patches) {
      worst = CellState::kExtra;
    } else {
      worst = keys < patches ? CellState::kPartial : CellState::kRepeated;
    }
  }
  return worst;
}

std::pair<std::int64_t, std::int64_t> first_difference(const MaskRecovery& recovery) {
  const Case& c = recovery.c;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t h = 0; h < c.heads; ++h) {
      for (std::int64_t f = 0; f < c.grid.frames; ++f) {
        for (std::int64_t k = 0; k < c.grid.frames; ++k) {
          const CellState state = cell_state(recovery, b, h, f, k);
          if (state != CellState::kSkipped && state != CellState::kAttended) return {b, h};
        }
      }
    }
  }
  return {0, 0};
}

}  // namespace lvsa::analysis
