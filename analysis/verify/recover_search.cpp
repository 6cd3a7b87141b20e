#include "analysis/verify/recover_search.hpp"

#include <algorithm>
#include <cmath>

namespace lvsa::analysis {
namespace {

constexpr double kSmallest = 0x1p-18;    // an output below this counts as 0 unless L is larger
constexpr std::int64_t kAllRanges = 64;  // frames up to this many tokens: every range is tried

std::int64_t overlap(const KeyPiece& piece, std::int64_t first, std::int64_t last) {
  return std::max<std::int64_t>(
      0, std::min(piece.first + piece.count, last) - std::max(piece.first, first));
}

// Keys of a piece, which lies within one frame or the text, that a class column counts.
std::int64_t class_keys(const ProbeColumns& at, std::int64_t column, const KeyPiece& piece) {
  const std::int64_t video = at.grid.video_tokens();
  const std::int64_t patches = at.grid.patches_per_frame;
  if (column == at.ones()) return piece.count;
  if (column >= at.first_position()) {
    if (piece.first >= video) return 0;
    const std::int64_t frame = piece.first / patches * patches;
    const std::int64_t start = (column - at.first_position()) * at.position_chunk;
    const std::int64_t end = std::min(start + at.position_chunk, patches);
    return overlap(piece, frame + start, frame + end);
  }
  if (column >= at.first_text()) {
    const std::int64_t start = video + (column - at.first_text()) * at.text_chunk;
    return overlap(piece, start, std::min(start + at.text_chunk, at.grid.seq_len()));
  }
  return overlap(piece, column * patches, (column + 1) * patches);
}

std::int64_t numerator(const ProbeSystem& system, std::int64_t column,
                       const std::vector<KeyPiece>& pieces) {
  const ProbeColumns& at = system.columns();
  const std::int64_t index = column - at.first_fingerprint();
  std::int64_t sum = 0;
  for (const KeyPiece& piece : pieces) {
    sum += piece.times * (index >= 0 ? system.codes().fingerprint_sum(index, piece.first,
                                                                      piece.first + piece.count)
                                     : class_keys(at, column, piece));
  }
  return sum;
}

ValueRange quotient(ValueRange a, ValueRange b) {
  return {a.low / b.high, a.high / b.low};  // positive ranges
}

// Tests a hypothesis with its own number of keys as denominator, else with what the column of ones
// says.
std::optional<KeyFinding> test(const ProbeSystem& system, std::vector<KeyPiece> pieces) {
  const auto total = static_cast<double>(total_keys(pieces));
  if (system.predicts(pieces, {total, total})) return KeyFinding{std::move(pieces), {0.0, 0.0}};
  const ValueRange ones = system.observed(system.columns().ones());
  if (total <= 0.0 || ones.low <= 0.0) return std::nullopt;
  const ValueRange denominator = quotient({total, total}, ones);
  if (!system.predicts(pieces, denominator)) return std::nullopt;
  return KeyFinding{std::move(pieces), {denominator.low - total, denominator.high - total}};
}

// A class of keys that a column of zeros and ones counts: a frame, or some text tokens.
struct KeyClass {
  std::int64_t column = 0;
  std::int64_t first = 0;
  std::int64_t size = 0;
};

std::vector<KeyClass> classes_of(const ProbeColumns& at) {
  std::vector<KeyClass> classes;
  const std::int64_t patches = at.grid.patches_per_frame;
  for (std::int64_t f = 0; f < at.grid.frames; ++f) classes.push_back({f, f * patches, patches});
  for (std::int64_t t = 0; t < at.text_classes(); ++t) {
    const std::int64_t first = at.grid.video_tokens() + t * at.text_chunk;
    classes.push_back(
        {at.first_text() + t, first, std::min(at.text_chunk, at.grid.seq_len() - first)});
  }
  return classes;
}

class Search {
 public:
  Search(const ProbeSystem& system, const std::vector<KeyPiece>& due)
      : system_(system), due_(due), at_(system.columns()), classes_(classes_of(at_)) {}

  std::optional<KeyFinding> run(bool deep) {
    if (auto found = test(system_, due_)) return found;
    if (auto found = whole()) return found;
    if (!deep) return std::nullopt;
    if (auto found = without_a_part()) return found;
    if (auto found = cut()) return found;
    return one_part_of(supported());
  }

 private:
  // Weight of one key of a class if the whole class counts once.
  ValueRange key_weight(const KeyClass& c) const {
    const auto size = static_cast<double>(c.size);
    const ValueRange range = system_.observed(c.column);
    return {range.low / size, range.high / size};
  }
  bool attended(const KeyClass& c) const { return !system_.is_zero(c.column); }
  bool is_frame(const KeyClass& c) const { return c.column < at_.grid.frames; }

  std::vector<KeyPiece> supported() const {
    std::vector<KeyPiece> pieces;
    for (const KeyClass& c : classes_) {
      if (attended(c)) pieces.push_back({c.first, c.size, 1});
    }
    return pieces;
  }

  std::optional<KeyFinding> whole() const;
  std::optional<KeyFinding> without_a_part() const;
  std::vector<ValueRange> units() const;
  std::optional<KeyFinding> cut() const;
  std::optional<KeyFinding> cut_with(ValueRange unit, std::int64_t kept, bool at_start) const;
  std::optional<KeyFinding> one_part_of(const std::vector<KeyPiece>& base) const;
  // Calls use(first, count) for parts of `size` tokens: all of a short frame, else the ends and
  // single tokens; until it returns true.
  template <typename Use>
  static bool for_parts(std::int64_t size, Use use);

  const ProbeSystem& system_;
  const std::vector<KeyPiece>& due_;
  const ProbeColumns& at_;
  std::vector<KeyClass> classes_;
};

// Whole frames and text classes: their weights a key are whole multiples of the smallest one, or of
// a half, a third or a quarter of it.
std::optional<KeyFinding> Search::whole() const {
  std::optional<ValueRange> least;
  for (const KeyClass& c : classes_) {
    if (attended(c) && (!least || key_weight(c).high < least->high)) least = key_weight(c);
  }
  if (!least || least->low <= 0.0) return test(system_, {});
  for (const double part : {1.0, 2.0, 3.0, 4.0}) {
    const double unit = 0.5 * (least->low + least->high) / part;
    std::vector<KeyPiece> pieces;
    for (const KeyClass& c : classes_) {
      if (!attended(c)) continue;
      const ValueRange weight = key_weight(c);
      const std::int64_t times = std::llround(0.5 * (weight.low + weight.high) / unit);
      pieces.push_back({c.first, c.size, times});
    }
    // Weights in the ratio 3 : 5 are more likely wrong weights than keys counted three and five
    // times, unless the log-sum-exp counts the same.
    if (part > 1.0 && !system_.lse_counts(total_keys(pieces))) continue;
    if (auto found = test(system_, std::move(pieces))) return found;
  }
  return std::nullopt;
}

template <typename Use>
bool Search::for_parts(std::int64_t size, Use use) {
  for (std::int64_t count = 1; count < size; ++count) {
    for (std::int64_t first = 0; first + count <= size; ++first) {
      const bool end = first == 0 || first + count == size;
      if ((size <= kAllRanges || end || count == 1) && use(first, count)) return true;
    }
  }
  return false;
}

// The same part of every attended frame is left out.
std::optional<KeyFinding> Search::without_a_part() const {
  std::optional<KeyFinding> found;
  const std::int64_t patches = at_.grid.patches_per_frame;
  for_parts(patches, [&](std::int64_t first, std::int64_t count) {
    // A column of positions that are all left out must be 0: most parts end here.
    const std::int64_t column =
        at_.first_position() + (first + at_.position_chunk - 1) / at_.position_chunk;
    const std::int64_t start = (column - at_.first_position()) * at_.position_chunk;
    if (start + at_.position_chunk <= first + count && !system_.is_zero(column)) return false;
    std::vector<KeyPiece> pieces;
    for (const KeyClass& c : classes_) {
      if (!attended(c)) continue;
      if (!is_frame(c)) {
        pieces.push_back({c.first, c.size, 1});
        continue;
      }
      if (first > 0) pieces.push_back({c.first, first, 1});
      const std::int64_t rest = patches - first - count;
      if (rest > 0) pieces.push_back({c.first + first + count, rest, 1});
    }
    found = test(system_, std::move(pieces));
    return found.has_value();
  });
  return found;
}

// Candidates for the weight of one key: some attended frame is whole.
std::vector<ValueRange> Search::units() const {
  std::vector<ValueRange> units;
  for (const KeyClass& c : classes_) {
    if (!attended(c)) continue;
    const ValueRange unit = key_weight(c);
    const bool known = std::any_of(units.begin(), units.end(), [&](const ValueRange& other) {
      return other.low == unit.low && other.high == unit.high;
    });
    if (!known && units.size() < 8) units.push_back(unit);
  }
  return units;
}

// Frames that are cut at one end or continued with the start of the next one. `kept`: tokens of a
// cut frame; 0: the nearest number for each.
std::optional<KeyFinding> Search::cut_with(ValueRange unit, std::int64_t kept,
                                           bool at_start) const {
  std::vector<KeyPiece> pieces;
  bool any = false;
  for (const KeyClass& c : classes_) {
    if (!attended(c)) continue;
    const ValueRange seen = system_.observed(c.column);
    const ValueRange keys = quotient(seen, unit);
    const auto size = static_cast<double>(c.size);
    const double middle = 0.5 * (keys.low + keys.high);
    const double times = std::round(middle / size);
    if (times >= 1.0 && keys.low <= times * size && times * size <= keys.high) {
      pieces.push_back({c.first, c.size, static_cast<std::int64_t>(times)});
      continue;
    }
    const auto base = static_cast<std::int64_t>(middle / size);
    const std::int64_t part = kept > 0 ? kept : std::llround(middle) - base * c.size;
    if (part <= 0 || part >= c.size) return std::nullopt;
    if (base > 0) pieces.push_back({c.first, c.size, base});
    pieces.push_back({at_start ? c.first : c.first + c.size - part, part, 1});
    any = true;
  }
  return any ? test(system_, std::move(pieces)) : std::nullopt;
}

std::optional<KeyFinding> Search::cut() const {
  for (const ValueRange& unit : units()) {
    for (const bool at_start : {true, false}) {
      if (auto found = cut_with(unit, 0, at_start)) return found;
    }
  }
  // Where the output is too coarse to count the keys of a long frame, the fingerprints decide.
  if (at_.grid.patches_per_frame <= kAllRanges) return std::nullopt;
  for (const ValueRange& unit : units()) {
    for (std::int64_t kept = 1; kept < at_.grid.patches_per_frame; ++kept) {
      for (const bool at_start : {true, false}) {
        if (auto found = cut_with(unit, kept, at_start)) return found;
      }
    }
  }
  return std::nullopt;
}

std::optional<KeyFinding> Search::one_part_of(const std::vector<KeyPiece>& base) const {
  std::optional<KeyFinding> found;
  const std::int64_t total = total_keys(base);
  for (const KeyPiece& piece : base) {
    for_parts(piece.count, [&](std::int64_t first, std::int64_t count) {
      for (const std::int64_t times : {-1, 1}) {
        const KeyPiece part{piece.first + first, count, times};
        if (!system_.may_be_off_by(part, total)) continue;
        std::vector<KeyPiece> pieces = base;
        pieces.push_back(part);
        found = test(system_, std::move(pieces));
        if (found) return true;
      }
      return false;
    });
    if (found) break;
  }
  return found;
}

}  // namespace

bool ProbeSystem::fits(std::int64_t column, std::int64_t numerator, ValueRange denominator) const {
  const ValueRange seen = observed(column);
  if (denominator.low <= 0.0) return seen.low == 0.0 && seen.high == 0.0;
  // Numerators are whole: an output below a quarter of 1 / L can only be a 0 that did not cancel.
  const double slack = std::min(kSmallest, 0.25 / denominator.high);
  const auto n = static_cast<double>(numerator);
  const double a = n / denominator.low;
  const double b = n / denominator.high;
  return std::min(a, b) - slack <= seen.high && std::max(a, b) + slack >= seen.low;
}

bool ProbeSystem::lse_counts(std::int64_t keys) const {
  const auto n = static_cast<double>(keys);
  return lse_ && std::fabs(std::exp(static_cast<double>(*lse_)) - n) < std::max(0.25, n * 0x1p-16);
}

bool ProbeSystem::may_be_off_by(const KeyPiece& part, std::int64_t keys) const {
  const ProbeColumns& at = columns();
  const auto total = static_cast<double>(keys + part.times * part.count);
  for (std::int64_t index = 0; index < at.fingerprints; ++index) {
    const std::int64_t sum =
        part.times * codes_.fingerprint_sum(index, part.first, part.first + part.count);
    if (!fits(at.first_fingerprint() + index, sum, {total, total})) return false;
  }
  return true;
}

bool ProbeSystem::predicts(const std::vector<KeyPiece>& pieces, ValueRange denominator) const {
  const ProbeColumns& at = columns();
  // Fingerprints first: they refuse nearly every wrong hypothesis at once.
  for (std::int64_t column = at.first_fingerprint(); column < at.count(); ++column) {
    if (!fits(column, numerator(*this, column, pieces), denominator)) return false;
  }
  for (std::int64_t column = 0; column <= at.ones(); ++column) {
    if (!fits(column, numerator(*this, column, pieces), denominator)) return false;
  }
  return true;
}

std::int64_t total_keys(const std::vector<KeyPiece>& pieces) {
  std::int64_t total = 0;
  for (const KeyPiece& piece : pieces) total += piece.count * piece.times;
  return total;
}

std::optional<KeyFinding> find_keys(const ProbeSystem& system, const std::vector<KeyPiece>& due,
                                    bool deep) {
  return Search(system, due).run(deep);
}

}  // namespace lvsa::analysis
