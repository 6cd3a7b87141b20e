#include "analysis/patterns/pattern_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

template <typename Value>
void line(std::string& text, const char* name, const Value& value) {
  text += fmt::format("{:<14} {}\n", name, value);
}

std::string blocks_text(const PatternFigures& f) {
  return fmt::format("{} x {} of {} x {} tokens{}", f.rows, f.columns, f.block_rows,
                     f.block_columns, f.segments ? ", some smaller" : "");
}

std::string order_text(const PatternFigures& f) {
  if (!f.ordered) return "that of the sequence";
  return fmt::format("its own: {} of {} tokens are moved", f.moved_tokens, f.queries);
}

}  // namespace

std::string figures_text(const PatternFigures& f) {
  std::string text;
  line(text, "tokens",
       f.queries == f.keys ? fmt::format("{}", f.queries)
                           : fmt::format("{} queries, {} keys", f.queries, f.keys));
  line(text, "blocks", blocks_text(f));
  line(text, "kept",
       fmt::format("{} of {}, a share of {:.4f}", f.kept, f.rows * f.columns, f.block_density));
  line(text, "token pairs", fmt::format("a share of {:.4f}", f.token_density));
  line(text, "of a row", fmt::format("{} to {} blocks", f.row_least, f.row_most));
  line(text, "empty rows", f.empty_rows);
  line(text, "element masks",
       f.masked_blocks == 0 ? std::string("none")
                            : fmt::format("{} different, on {} blocks", f.masks, f.masked_blocks));
  line(text, "order", order_text(f));
  if (f.skip_threshold_log2) {
    line(text, "online skip", fmt::format("threshold {} (log2)", *f.skip_threshold_log2));
  }
  if (!f.choice.empty()) line(text, "choice", f.choice);
  return text;
}

std::string figures_heading() {
  return fmt::format("{:>9} {:>8} {:>8} {:>6} {:>6} {:>6}  {}\n", "kept", "blocks", "pairs",
                     "least", "most", "empty", "choice");
}

std::string figures_line(const PatternFigures& f) {
  return fmt::format("{:>9} {:>8.4f} {:>8.4f} {:>6} {:>6} {:>6}  {}\n", f.kept, f.block_density,
                     f.token_density, f.row_least, f.row_most, f.empty_rows,
                     f.choice.empty() ? "-" : f.choice);
}

Json figures_json(const PatternFigures& f) {
  Json json;
  json["queries"] = f.queries;
  json["keys"] = f.keys;
  json["row_blocks"] = f.rows;
  json["column_blocks"] = f.columns;
  json["block_q"] = f.block_rows;
  json["block_k"] = f.block_columns;
  json["blocks_of_one_size"] = !f.segments;
  json["kept"] = f.kept;
  json["block_density"] = f.block_density;
  json["token_density"] = f.token_density;
  json["row_least"] = f.row_least;
  json["row_most"] = f.row_most;
  json["empty_rows"] = f.empty_rows;
  json["masks"] = f.masks;
  json["masked_blocks"] = f.masked_blocks;
  json["ordered"] = f.ordered;
  json["moved_tokens"] = f.moved_tokens;
  json["skip_threshold_log2"] = f.skip_threshold_log2 ? Json(*f.skip_threshold_log2) : Json();
  json["choice"] = f.choice;
  return json;
}

std::string difference_text(const PatternDifference& d) {
  std::string text;
  line(text, "pairs",
       fmt::format("{} of the first alone, {} of the second alone", d.only_first, d.only_second));
  if (d.query >= 0) {
    line(text, "first pair", fmt::format("query token {}, key token {}", d.query, d.key));
  }
  if (!d.same_blocks) {
    line(text, "blocks", "of other sizes or in another order");
  } else {
    line(text, "blocks",
         fmt::format("{} of the first alone, {} of the second alone", d.blocks_only_first,
                     d.blocks_only_second));
    if (d.row >= 0) line(text, "first block", fmt::format("row {}, column {}", d.row, d.column));
  }
  line(text, "verdict", d.none() ? "the same pairs of tokens" : "different");
  return text;
}

Json difference_json(const PatternDifference& d) {
  Json json;
  json["same_pairs"] = d.none();
  json["pairs_only_first"] = d.only_first;
  json["pairs_only_second"] = d.only_second;
  json["query"] = d.query < 0 ? Json() : Json(d.query);
  json["key"] = d.query < 0 ? Json() : Json(d.key);
  json["same_blocks"] = d.same_blocks;
  json["blocks_only_first"] = d.blocks_only_first;
  json["blocks_only_second"] = d.blocks_only_second;
  json["row"] = d.row < 0 ? Json() : Json(d.row);
  json["column"] = d.row < 0 ? Json() : Json(d.column);
  return json;
}

std::string rules_text() {
  std::string text;
  for (const RuleInfo& rule : all_rules()) {
    text += fmt::format("{:<12} {}: {}\n", rule.name, rule.title, rule.summary);
  }
  return text;
}

Json rules_json() {
  Json rules = Json::array();
  for (const RuleInfo& rule : all_rules()) {
    Json parameters = Json::array();
    for (const RuleParameter& p : rule.parameters) {
      parameters.push_back({{"name", p.name}, {"default", p.value}, {"help", p.help}});
    }
    rules.push_back({{"name", rule.name},
                     {"title", rule.title},
                     {"source", rule.source},
                     {"summary", rule.summary},
                     {"density", rule.knob.parameter},
                     {"parameters", parameters}});
  }
  return rules;
}

std::string rule_text(const RuleInfo& rule) {
  std::string text = fmt::format("{} ({}): {}\n", rule.name, rule.title, rule.summary);
  line(text, "source", rule.source);
  line(text, "density",
       rule.knob.parameter.empty() ? "no parameter decides on it" : rule.knob.parameter);
  for (const RuleParameter& p : rule.parameters) {
    text += fmt::format("  {:<22} {}\n", fmt::format("{}={}", p.name, p.value), p.help);
  }
  return text;
}

}  // namespace lvsa::analysis
