#include "report_markup_check.hpp"

#include <set>
#include <vector>

namespace lvsa::analysis {
namespace {

bool is_void(const std::string& name) {
  static const std::set<std::string> names = {"meta", "link", "input", "br"};
  return names.count(name) > 0;
}

// End of the tag that starts at `at`, past quoted values; npos when it never ends.
std::size_t tag_end(const std::string& text, std::size_t at) {
  char quote = '\0';
  for (; at < text.size(); ++at) {
    if (quote != '\0') {
      if (text[at] == quote) quote = '\0';
      if (text[at] == '<') return std::string::npos;
    } else if (text[at] == '"' || text[at] == '\'') {
      quote = text[at];
    } else if (text[at] == '>') {
      return at;
    }
  }
  return std::string::npos;
}

std::string context(const std::string& text, std::size_t at) {
  return " at '" + text.substr(at, 60) + "'";
}

std::string character_problem(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && byte != '\n' && byte != '\t') return "control character" + context(text, i);
  }
  return "";
}

}  // namespace

std::string markup_problem(const std::string& text, bool html) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '&') {
      const std::size_t end = text.find(';', at);
      if (end == std::string::npos || end - at > 8) return "bare &" + context(text, at);
      at = end;
    }
    if (text[at] != '<') continue;
    const std::size_t end = tag_end(text, at);
    if (end == std::string::npos) return "tag without end" + context(text, at);
    const std::string tag = text.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n/", 1));
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return "unexpected end" + context(text, at);
      open.pop_back();
    } else if (tag[0] != '!' && tag[0] != '?' && tag.back() != '/' && !(html && is_void(name))) {
      open.push_back(name);
    }
    at = end;
    if (html && (name == "style" || name == "script")) at = text.find("</" + name + ">", at) - 1;
  }
  if (!open.empty()) return "no end of <" + open.back() + ">";
  return character_problem(text);
}

}  // namespace lvsa::analysis
