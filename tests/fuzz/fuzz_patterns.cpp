// Targets that read sparse patterns: files of one's own, and rules from words.
#include <string>

#include "analysis/patterns/pattern_calls.hpp"
#include "core/error.hpp"
#include "core/sparse/pattern_file.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {
namespace {

constexpr std::int64_t kMostTokens = 400;

// What has passed its check can be used.
void use(const HeadPattern& pattern) {
  check_head_pattern(pattern, "fuzz");
  const std::int64_t keys = pattern.map.columns.tokens();
  require(attended_pairs(pattern) >= 0 && token_density(pattern) <= 1.0, "no pair counts twice");
  for (const std::int64_t query : {std::int64_t{0}, pattern.map.rows.tokens() - 1}) {
    std::int64_t end = -1;
    for (const KeyRange& range : visible_tokens(pattern, query)) {
      require(range.first > end && range.first < range.second, "ranges ascend and do not touch");
      end = range.second;
    }
    require(end <= keys, "keys are those of the sequence");
  }
}

}  // namespace

void fuzz_pattern_file(std::string_view bytes) {
  const ScratchFile scratch(bytes);
  const auto file = open_tensor_file(scratch.path());
  for (const std::string& group : pattern_groups(*file)) {
    for (const HeadPattern& pattern : read_patterns(*file, group)) use(pattern);
  }
}

// The words of a rule, and in a second line the size of the video.
void fuzz_pattern_words(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string words(bytes.substr(0, end));
  if (words.find("csr") != std::string::npos || words.find("plugin") != std::string::npos) return;
  const auto rule = make_rule(words);
  make_rule(canonical_rule_words(words));
  if (end == std::string_view::npos) return;
  PatternInput input;
  input.video = analysis::parse_video_size(std::string(bytes.substr(end + 1)));
  if (input.video.grid.seq_len() > kMostTokens || rule->needs_tensors()) return;
  use(rule->make(input));
}

}  // namespace lvsa::fuzz
