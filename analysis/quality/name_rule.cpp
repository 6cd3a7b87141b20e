// Words of settings in the names of videos.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "analysis/quality/run_settings.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::array<std::string_view, 9> kWords = {
    "W", "n_first", "interval", "ref", "scale", "budget", "expand", "rotate", "offset"};

bool is_word(std::string_view name) {
  return std::find(kWords.begin(), kWords.end(), name) != kWords.end();
}

bool in_value(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '+' || c == '-';
}

std::string_view without_ending(std::string_view path) {
  constexpr std::array<std::string_view, 7> kEndings = {".mp4", ".mov", ".webm", ".avi",
                                                        ".mkv", ".gif", ".m4v"};
  for (const std::string_view ending : kEndings) {
    if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
  }
  return path;
}

using Words = std::map<std::string, std::string, std::less<>>;

std::string joined(const Words& words) {
  std::string text;
  for (const std::string_view name : kWords) {
    const auto at = words.find(name);
    if (at == words.end()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, at->second);
  }
  return text;
}

void take(Words& words, std::string_view name, std::string_view value, std::string_view path) {
  const auto [at, is_new] = words.emplace(name, value);
  if (is_new || at->second == value) return;
  throw Error(ErrorKind::kValue, fmt::format("video '{}': its name says both {}={} and {}={}",
                                             printable(path), name, at->second, name, value));
}

// The longest word that ends before `end` and has no letter or digit before it.
std::string_view word_before(std::string_view path, std::size_t end) {
  std::string_view found;
  for (const std::string_view word : kWords) {
    if (word.size() > end || path.substr(end - word.size(), word.size()) != word) continue;
    const std::size_t begin = end - word.size();
    if (begin > 0 && std::isalnum(static_cast<unsigned char>(path[begin - 1])) != 0) continue;
    if (word.size() > found.size()) found = word;
  }
  return found;
}

std::string plain_words(std::string_view path) {
  Words words;
  for (std::size_t at = path.find('='); at != std::string_view::npos; at = path.find('=', at + 1)) {
    const std::string_view name = word_before(path, at);
    std::size_t end = at + 1;
    while (end < path.size() && in_value(path[end])) ++end;
    if (!name.empty() && end > at + 1) take(words, name, path.substr(at + 1, end - at - 1), path);
  }
  return joined(words);
}

// Whether `pattern` stands at the beginning of `text`; values are as short as the rest allows.
bool fits(std::string_view pattern, std::string_view text, Words& words, int& budget) {
  if (--budget < 0) return false;
  if (pattern.empty()) return text.empty() || !in_value(text.front());
  if (pattern.front() != '{') {
    return !text.empty() && text.front() == pattern.front() &&
           fits(pattern.substr(1), text.substr(1), words, budget);
  }
  const std::size_t close = pattern.find('}');
  const std::string name(pattern.substr(1, close - 1));
  for (std::size_t size = 1; size <= text.size() && in_value(text[size - 1]); ++size) {
    Words tried = words;
    const auto [at, is_new] = tried.emplace(name, text.substr(0, size));
    if (!is_new && at->second != text.substr(0, size)) continue;
    if (fits(pattern.substr(close + 1), text.substr(size), tried, budget)) {
      words = tried;
      return true;
    }
  }
  return false;
}

}  // namespace

NameRule parse_name_rule(const std::string& pattern) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::kValue, fmt::format("pattern '{}': {}; such as w{{W}}_s{{scale}} is due",
                                               printable(pattern), what));
  };
  bool any = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '}') refuse("a brace closes that none opened");
    if (pattern[at] != '{') continue;
    const std::size_t close = pattern.find('}', at);
    if (close == std::string::npos) refuse("a brace is not closed");
    const std::string name = pattern.substr(at + 1, close - at - 1);
    if (!is_word(name)) refuse(fmt::format("'{}' is no word of a setting", printable(name)));
    any = true;
    at = close;
  }
  if (!any) refuse("no word in braces");
  return {pattern};
}

std::string words_in_name(const NameRule& rule, std::string_view path) {
  const std::string_view name = without_ending(path);
  if (rule.pattern.empty()) return plain_words(name);
  constexpr int kMostSteps = 200'000;  // names of files are short; this is for those that are not
  int budget = kMostSteps;
  for (std::size_t at = 0; at <= name.size(); ++at) {
    if (at > 0 && std::isalnum(static_cast<unsigned char>(name[at - 1])) != 0 &&
        std::isalnum(static_cast<unsigned char>(rule.pattern.front())) != 0) {
      continue;  // in the middle of a word
    }
    Words words;
    if (fits(rule.pattern, name.substr(at), words, budget)) return joined(words);
  }
  return "";
}

}  // namespace lvsa::analysis
