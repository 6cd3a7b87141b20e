#include "core/sparse/rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/rule_words.hpp"
#include "core/error.hpp"

namespace lvsa {
namespace {

std::pair<const RuleInfo*, RuleWords> read_words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) throw Error(ErrorKind::kValue, "pattern: a name is due, for example 'dense'");
  const RuleInfo& rule = rule_info(words.front());
  words.erase(words.begin());
  return {&rule, RuleWords(rule, words)};
}

}  // namespace

std::span<const RuleInfo> all_rules() {
  static const std::vector<RuleInfo> rules = {
      sparse::dense_rule(),       sparse::lvsa_rule(),
      sparse::radial_rule(),      sparse::sliding_tile_rule(),
      sparse::sparge_rule(),      sparse::rainfusion_rule(),
      sparse::rainfusion2_rule(), sparse::sparse_videogen_rule(),
      sparse::csr_rule(),         sparse::plugin_rule(),
      sparse::random_rule(),
  };
  return rules;
}

const RuleInfo& rule_info(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RuleInfo& rule : all_rules()) {
    if (rule.name == name) return rule;
    names.push_back(rule.name);
  }
  throw Error(ErrorKind::kValue,
              fmt::format("pattern '{}': not known; there are: {}", name, fmt::join(names, ", ")));
}

std::unique_ptr<PatternRule> make_rule(const std::string& words) {
  const auto [rule, parameters] = read_words(words);
  return rule->make(parameters);
}

std::string canonical_rule_words(const std::string& words) {
  return read_words(words).second.canonical();
}

}  // namespace lvsa
