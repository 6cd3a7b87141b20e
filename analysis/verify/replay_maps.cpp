#include "analysis/verify/replay_maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/blocks/block_problem.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorKind::kIo, "'maps': " + what); }

// Sixteen hexadecimal digits a word.
std::string hex(const std::vector<std::uint64_t>& words) {
  std::string text;
  for (const std::uint64_t word : words) text += fmt::format("{:016x}", word);
  return text;
}

ordered_json pattern_to_json(const HeadPattern& pattern) {
  ordered_json json = {{"row_begin", pattern.map.rows.begins()},
                       {"column_begin", pattern.map.columns.begins()},
                       {"indptr", pattern.map.indptr},
                       {"indices", pattern.map.indices}};
  if (pattern.mask.masks() > 0) {
    json["entry_mask"] = pattern.mask.entry;
    json["mask_rows"] = pattern.mask.block_rows;
    json["mask_bits"] = hex(pattern.mask.bits);
  }
  if (pattern.order) json["order"] = pattern.order->tokens();
  if (pattern.skip) json["skip"] = pattern.skip->threshold_log2;
  return json;
}

const ordered_json& part(const ordered_json& json, const char* key) {
  if (!json.is_object() || !json.contains(key)) fail(fmt::format("no '{}'", key));
  return json[key];
}

std::int64_t integer(const ordered_json& value, const char* key) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (!value.is_number_integer() || value.get<double>() < -1.0 ||
      value.get<double>() > static_cast<double>(kMost)) {
    fail(fmt::format("'{}': integers of -1 .. {} are due", key, kMost));
  }
  return value.get<std::int64_t>();
}

template <typename Number>
std::vector<Number> numbers(const ordered_json& json, const char* key) {
  const ordered_json& list = part(json, key);
  if (!list.is_array()) fail(fmt::format("'{}' is no list", key));
  std::vector<Number> values;
  for (const ordered_json& value : list) {
    values.push_back(static_cast<Number>(integer(value, key)));
  }
  return values;
}

std::vector<std::uint64_t> words(const ordered_json& json, const char* key) {
  constexpr std::size_t kDigits = 16;
  const ordered_json& value = part(json, key);
  if (!value.is_string()) fail(fmt::format("'{}' is no text", key));
  const auto& text = value.get_ref<const std::string&>();
  std::vector<std::uint64_t> made;
  for (std::size_t i = 0; i < text.size(); i += kDigits) {
    const char* first = text.data() + i;
    const char* last = text.data() + std::min(text.size(), i + kDigits);
    std::uint64_t word = 0;
    const auto read = std::from_chars(first, last, word, 16);
    if (last - first != kDigits || read.ec != std::errc() || read.ptr != last) {
      fail(fmt::format("'{}': sixteen hexadecimal digits a word are due", key));
    }
    made.push_back(word);
  }
  return made;
}

HeadPattern pattern_from_json(const ordered_json& json, std::int64_t tokens) {
  HeadPattern pattern;
  pattern.map.rows = BlockAxis::of_begins(numbers<std::int64_t>(json, "row_begin"));
  pattern.map.columns = BlockAxis::of_begins(numbers<std::int64_t>(json, "column_begin"));
  if (pattern.map.rows.tokens() != tokens || pattern.map.columns.tokens() != tokens) {
    fail(fmt::format("blocks of {} queries and {} keys; {} tokens are due",
                     pattern.map.rows.tokens(), pattern.map.columns.tokens(), tokens));
  }
  pattern.map.indptr = numbers<std::int32_t>(json, "indptr");
  pattern.map.indices = numbers<std::int32_t>(json, "indices");
  if (json.contains("entry_mask")) {
    pattern.mask.entry = numbers<std::int32_t>(json, "entry_mask");
    pattern.mask.block_rows = integer(part(json, "mask_rows"), "mask_rows");
    pattern.mask.words = (pattern.map.columns.largest() + 63) / 64;
    pattern.mask.bits = words(json, "mask_bits");
  }
  if (json.contains("order")) {
    pattern.order = Permutation(numbers<std::int32_t>(json, "order"), "order");
  }
  if (json.contains("skip")) {
    if (!json["skip"].is_number()) fail("'skip' is no number");
    pattern.skip = SkipRule{json["skip"].get<double>()};
  }
  check_head_pattern(pattern, "a pattern");
  return pattern;
}

// Masks are laid out for whole blocks, which a file may say are large.
void check_memory(const std::vector<HeadPattern>& patterns, const BlockSize& nominal) {
  constexpr double kMostWords = 0x1p24;
  double masks = 1.0;
  for (const HeadPattern& pattern : patterns) masks += static_cast<double>(pattern.mask.masks());
  const double words = static_cast<double>(nominal.rows) * static_cast<double>(nominal.columns);
  if (masks * words / 64.0 <= kMostWords) return;
  fail(fmt::format("whole blocks of {} x {} tokens: more than a replay file holds", nominal.rows,
                   nominal.columns));
}

}  // namespace

ordered_json maps_to_json(const ReplayCase& replay) {
  std::vector<const HeadPattern*> different;
  ordered_json of_head = ordered_json::array();
  ordered_json patterns = ordered_json::array();
  for (const HeadPattern& head : replay.maps) {
    const auto same = [&](const HeadPattern* known) {
      return known->map == head.map && known->mask == head.mask && known->order == head.order &&
             known->skip == head.skip;
    };
    const auto found = std::find_if(different.begin(), different.end(), same);
    of_head.push_back(found - different.begin());
    if (found != different.end()) continue;
    different.push_back(&head);
    patterns.push_back(pattern_to_json(head));
  }
  return {{"block_rows", replay.nominal.rows},
          {"block_columns", replay.nominal.columns},
          {"of_head", of_head},
          {"patterns", patterns}};
}

void maps_from_json(const ordered_json& json, ReplayCase& replay) {
  try {
    std::vector<HeadPattern> patterns;
    const ordered_json& list = part(json, "patterns");
    if (!list.is_array()) fail("'patterns' is no list");
    for (const ordered_json& pattern : list) {
      patterns.push_back(pattern_from_json(pattern, replay.c.grid.seq_len()));
    }
    replay.nominal = {integer(part(json, "block_rows"), "block_rows"),
                      integer(part(json, "block_columns"), "block_columns")};
    const auto of_head = numbers<std::int64_t>(json, "of_head");
    if (static_cast<std::int64_t>(of_head.size()) != replay.c.batch * replay.c.heads) {
      fail(fmt::format("'of_head' has {} entries; {} are due", of_head.size(),
                       replay.c.batch * replay.c.heads));
    }
    for (const std::int64_t number : of_head) {
      if (number < 0 || number >= static_cast<std::int64_t>(patterns.size())) {
        fail(fmt::format("'of_head': pattern {} of {}", number, patterns.size()));
      }
      replay.maps.push_back(patterns[static_cast<std::size_t>(number)]);
    }
    check_memory(patterns, replay.nominal);
    const BlockProblem fits(replay.maps, replay.c.batch, replay.c.heads, replay.nominal.rows,
                            replay.nominal.columns);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kIo) throw;
    fail(error.what());
  }
}

}  // namespace lvsa::analysis
