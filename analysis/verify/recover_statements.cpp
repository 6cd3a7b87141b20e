#include "analysis/verify/recover_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "analysis/verify/number_ranges.hpp"

namespace lvsa::analysis {
namespace {

using Numbers = std::vector<std::int64_t>;

std::string times_text(std::int64_t times) {
  return times == 2 ? "twice" : fmt::format("({} times)", times);
}

}  // namespace

std::string RowStatements::suffix() const {
  return fmt::format(", not in the pattern (step {})", c_.step);
}

// The attended ones of the tokens first .. first + count - 1, counted from the first.
std::string RowStatements::tokens_of(std::int64_t first, std::int64_t count) const {
  Numbers times(static_cast<std::size_t>(count), 0);
  for (const KeyPiece& piece : mask_.pieces) {
    const std::int64_t end = std::min(piece.first + piece.count, first + count);
    for (std::int64_t t = std::max(piece.first, first); t < end; ++t) {
      times[static_cast<std::size_t>(t - first)] += piece.times;
    }
  }
  Numbers attended;
  for (std::int64_t t = 0; t < count; ++t) {
    if (times[static_cast<std::size_t>(t)] > 0) attended.push_back(t);
  }
  return number_ranges(attended);
}

void RowStatements::compare_frames() {
  const std::int64_t patches = c_.grid.patches_per_frame;
  Numbers missing;
  Numbers extra;
  // Frames with the same count, whether due or not, and the same tokens of them.
  std::map<std::tuple<bool, std::int64_t, std::string>, Numbers> other;
  for (std::int64_t f = 0; f < c_.grid.frames; ++f) {
    const std::int64_t keys = mask_.frames[static_cast<std::size_t>(f)];
    const bool due = std::binary_search(due_.begin(), due_.end(), static_cast<std::int32_t>(f));
    if (keys == (due ? patches : 0)) continue;
    if (due && keys == 0) {
      missing.push_back(f);
    } else if (!due && keys == patches) {
      extra.push_back(f);
    } else if (!due || keys != kUnknownCount) {
      const bool part = keys > 0 && keys < patches;
      other[{due, keys, part ? tokens_of(f * patches, patches) : ""}].push_back(f);
    }
  }
  if (!extra.empty()) say(counted("frame", extra) + suffix());
  if (!missing.empty()) {
    say(fmt::format("{}, which {} in the pattern (step {})", counted("frame", missing),
                    missing.size() == 1 ? "is" : "are", c_.step),
        StatementVerb::kDoNotAttend);
  }
  for (const auto& [key, frames] : other) {
    const auto& [due, keys, tokens] = key;
    const std::string end = due ? "" : suffix();
    const std::string which = counted("frame", frames);
    if (keys == kUnknownCount) {
      say(fmt::format("{}, how many tokens of each is undecided{}", which, end));
    } else if (keys < patches) {
      say(fmt::format("{} of {} tokens of {} (tokens {}){}", keys, patches, which, tokens, end));
    } else if (keys % patches == 0) {
      say(fmt::format("{} {}{}", which, times_text(keys / patches), end));
    } else {
      say(fmt::format("{} keys in {} of {} tokens, some of them more than once{}", keys, which,
                      patches, end),
          StatementVerb::kCount);
    }
  }
}

void RowStatements::compare_text() {
  const std::int64_t text = c_.grid.text_tokens;
  if (mask_.text == text || mask_.text == kUnknownCount) return;
  if (mask_.text == 0) {
    say("the text", StatementVerb::kDoNotAttend);
  } else if (mask_.text < text) {
    say(fmt::format("{} of {} text tokens ({})", mask_.text, text,
                    tokens_of(c_.grid.video_tokens(), text)));
  } else if (mask_.text % text == 0) {
    say(fmt::format("the text {}", times_text(mask_.text / text)));
  } else {
    say(fmt::format("{} text keys where there are {} text tokens", mask_.text, text));
  }
}

void RowStatements::compare_rest() {
  if (!mask_.proven) {
    say("weights that no set of whole frames and parts of frames explains: undecided",
        StatementVerb::kHave);
  }
  if (mask_.multiplicity > 1) {
    say(fmt::format("every key {}, by the log-sum-exp", times_text(mask_.multiplicity)),
        StatementVerb::kCount);
  }
  const auto [least, most] = mask_.zero_keys;
  if (least > 0.0) {
    const auto low = std::max(1.0, std::floor(least));
    const std::string number = most == least
                                   ? fmt::format("{:.0f}", least)
                                   : fmt::format("{:.0f} to {:.0f}", low, std::ceil(most));
    say(fmt::format("{} key{} without value (rows of zeros that are no keys)", number,
                    number == "1" ? "" : "s"),
        StatementVerb::kCount);
  } else if (most < 0.0) {
    say("a denominator that lacks some of the keys", StatementVerb::kHave);
  }
  for (const auto& [index, share] : mask_.other_batch) {
    say(fmt::format("keys of batch element {} with {:.3g} of the weight", index, share));
  }
  for (const auto& [index, share] : mask_.other_kv_head) {
    say(fmt::format("keys of kv head {} with {:.3g} of the weight", index, share));
  }
}

}  // namespace lvsa::analysis
