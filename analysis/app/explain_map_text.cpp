// What lvsa-verify explain prints of block maps.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/app/explain_print.hpp"
#include "analysis/verify/number_ranges.hpp"

namespace lvsa::app {
namespace {

using analysis::ExplainedBlock;
using analysis::ExplainedHead;
using analysis::ExplainedMap;
using analysis::ExplainedOther;
using analysis::ExplainedPair;
using analysis::Explanation;
using analysis::number_ranges;
using reference::SkipDecision;
using reference::SkipState;

constexpr std::size_t kMostBlocks = 64;  // of a table

const char* state_text(SkipState state) {
  switch (state) {
    case SkipState::kSkipped:
      return "SKIPPED";
    case SkipState::kInDoubt:
      return "in doubt";
    case SkipState::kKept:
      break;
  }
  return "kept";
}

// "kept, gain 3.21 .. 3.22": how far the block raises a row's maximum, in log2 units.
std::string skip_text(const SkipDecision& skip) {
  if (std::isinf(skip.delta_low) && skip.delta_low > 0.0) return "kept, a row's first keys";
  if (std::isinf(skip.delta_high)) return fmt::format("{}, no gain", state_text(skip.state));
  return fmt::format("{}, gain {:.4g} .. {:.4g}", state_text(skip.state), skip.delta_low,
                     skip.delta_high);
}

std::string rule_text(const ExplainedHead& head) {
  std::string given;
  std::string rest;
  for (const auto& p : head.parameters) {
    std::string& to = p.given ? given : rest;
    to += fmt::format(" {}={}", p.name, p.value);
  }
  return fmt::format("{}{}{}", head.rule, given,
                     rest.empty() ? std::string() : fmt::format(", by default{}", rest));
}

void print_head(const ExplainedHead& head) {
  fmt::print("The map\n  rule            {}\n", rule_text(head));
  if (!head.choice.empty()) fmt::print("  choice          {}\n", head.choice);
  fmt::print("  blocks          {} x {} of {} x {} tokens, {} kept; {:.4g} % of the pairs{}\n",
             head.row_blocks, head.column_blocks, head.nominal.rows, head.nominal.columns,
             head.kept, 100.0 * head.density, head.masked ? ", masks counted" : "");
  if (head.ordered) fmt::print("  order           of its own: blocks are made of places\n");
  if (head.threshold)
    fmt::print("  skip            threshold {:g} (log2 units)\n", *head.threshold);
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void print_block(const ExplainedMap& map, const ExplainedBlock& b) {
  const std::string mask = b.mask < 0 ? "all" : fmt::format("mask {}", b.mask);
  fmt::print("  {:>9}  {:<15} {:>5} of {:<5} {:<9} {:>8.3f} %  {}{}\n", b.block,
             fmt::format("{}-{}", b.begin, b.end - 1), b.keys.size(), b.end - b.begin, mask,
             100.0 * b.share,
             map.head.threshold ? fmt::format("{:<28}  ", skip_text(b.skip)) : std::string(),
             b.keys.empty() ? "-" : number_ranges(sorted(b.keys), 4));
}

void print_blocks(const ExplainedMap& map) {
  fmt::print("Key blocks that query block {} keeps\n", map.head.query_block);
  fmt::print("  {:>9}  {:<15} {:>14} {:<9} {:>10}  {}{}\n", "key block", "places", "keys of row",
             "pairs", "weight", map.head.threshold ? fmt::format("{:<28}  ", "skip") : "",
             "tokens that the row attends");
  for (std::size_t i = 0; i < std::min(kMostBlocks, map.blocks.size()); ++i) {
    print_block(map, map.blocks[i]);
  }
  if (map.blocks.size() > kMostBlocks) {
    fmt::print("  and {} more (--json has all)\n", map.blocks.size() - kMostBlocks);
  }
  std::size_t printed = 0;
  for (const ExplainedBlock& b : map.blocks) {
    if (b.mask < 0 || ++printed > kMostBlocks) continue;
    if (printed == 1) fmt::print("Element masks, the query's row of them (#: attended)\n");
    fmt::print("  {:>9}  {}\n", b.block, b.bits);
  }
}

void print_other(const Explanation& e, const ExplainedOther& other) {
  const bool plain = other.rule.find(' ') == std::string::npos;
  fmt::print("Against {}{}\n", other.rule, plain ? ", all parameters by default" : "");
  if (other.same_blocks) {
    const auto list = [](const std::vector<std::int64_t>& blocks) {
      return blocks.empty() ? std::string("none") : number_ranges(blocks);
    };
    fmt::print("  key blocks      only here: {}; only there: {}; in both with other pairs: {}\n",
               list(other.only_here), list(other.only_there), list(other.other_mask));
  } else {
    fmt::print("  key blocks      of other sizes or in another order: tokens are compared\n");
  }
  fmt::print("  keys            {} there, {} of them here too\n", other.keys, other.shared_keys);
  if (!other.tokens_here.empty()) {
    fmt::print("  only here       tokens {}\n", number_ranges(other.tokens_here));
  }
  if (!other.tokens_there.empty()) {
    fmt::print("  only there      tokens {}\n", number_ranges(other.tokens_there));
  }
  fmt::print("  rows            {} of {} of this head attend other keys, the skip left aside\n",
             other.rows, e.c.grid.seq_len());
  fmt::print("  o_c there       {:.9g}, lse {:.9g}\n", other.out, other.lse);
  if (e.got) {
    fmt::print("  kernel          what it gives is {} there\n",
               other.fits ? "inside what is accepted" : "outside of what is accepted");
  }
}

// "places 48-63; 48 is token 115 (frame 2, row 35); tokens 4-5, 46, ...".
std::string places_text(const analysis::Case& c, std::int64_t begin,
                        const std::vector<std::int64_t>& tokens) {
  return fmt::format("places {}-{}; {} is {}; tokens {}", begin,
                     begin + static_cast<std::int64_t>(tokens.size()) - 1, begin,
                     token_text(c, tokens.front()), number_ranges(sorted(tokens), 8));
}

void print_pair_skip(const ExplainedPair& pair) {
  if (!pair.head.threshold) return;
  const bool last = pair.key_block == pair.columns.back();
  fmt::print("  skip            {}{}\n", skip_text(pair.skip),
             last ? "; the last block of a row is never skipped" : "");
}

void print_shares(const ExplainedPair& pair) {
  double sum = 0.0;
  for (const double share : pair.shares) sum += share;
  const auto [least, most] = std::minmax_element(pair.shares.begin(), pair.shares.end());
  fmt::print("  weight          {:.4g} % of a row's on average, {:.4g} % .. {:.4g} %\n",
             100.0 * sum / static_cast<double>(pair.shares.size()), 100.0 * *least, 100.0 * *most);
}

void print_readings(const ExplainedPair& pair) {
  if (pair.judged.empty()) return;
  fmt::print("Rows of query block {} that fit, as {} left them\n", pair.head.query_block,
             pair.judged);
  const auto all = static_cast<std::int64_t>(pair.query_tokens.size());
  const bool wrong = pair.readings.front().fits < all;
  for (const auto& reading : pair.readings) {
    fmt::print("  {:<44} {:>5} of {}{}\n", reading.what, reading.fits, all,
               wrong && reading.fits == all ? "  <- fits" : "");
  }
}

}  // namespace

void print_map(const Explanation& e) {
  const ExplainedMap& map = *e.map;
  print_head(map.head);
  fmt::print("  query           {}row {} of query block {} (places {}-{})\n",
             map.head.ordered ? fmt::format("place {}, ", map.place) : std::string(),
             map.place - map.head.query_begin, map.head.query_block, map.head.query_begin,
             map.head.query_end - 1);
  if (map.head.threshold) {
    fmt::print(
        "  skipped         {:.4g} % of the row's weight; in doubt {:.4g} % of what is left\n",
        100.0 * map.skipped_mass, 100.0 * map.doubt_mass);
  }
  print_blocks(map);
  if (map.other) print_other(e, *map.other);
}

void print_pair(const analysis::Case& c, const ExplainedPair& pair) {
  const ExplainedHead& head = pair.head;
  fmt::print("{}\nbatch {}, head {}, query block {}, key block {}\n\n", to_line(c), pair.batch,
             pair.head_number, head.query_block, pair.key_block);
  print_head(head);
  fmt::print("The pair\n  query block     {}\n",
             places_text(c, head.query_begin, pair.query_tokens));
  fmt::print("  key block       {}\n", places_text(c, pair.key_begin, pair.key_tokens));
  fmt::print("  in the map      {}; query block {} keeps {}\n",
             pair.kept ? fmt::format("kept, entry {}", pair.entry) : "NOT kept", head.query_block,
             pair.columns.empty() ? "none" : number_ranges(pair.columns));
  fmt::print("  kept by         {}\n", pair.keepers.empty()
                                           ? "no query block"
                                           : analysis::counted("query block", pair.keepers));
  if (pair.kept) {
    fmt::print("  pairs           {} of {}{}\n", pair.pairs,
               pair.query_tokens.size() * pair.key_tokens.size(),
               pair.mask < 0 ? std::string() : fmt::format(", by element mask {}", pair.mask));
    print_pair_skip(pair);
    print_shares(pair);
  }
  if (!pair.bits.empty()) fmt::print("The mask, a query a line by place (#: attended)\n");
  for (std::size_t q = 0; q < pair.bits.size(); ++q) {
    fmt::print("  {:>9}  {}\n", head.query_begin + static_cast<std::int64_t>(q), pair.bits[q]);
  }
  print_readings(pair);
}

}  // namespace lvsa::app
