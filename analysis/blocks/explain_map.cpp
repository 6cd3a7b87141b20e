#include "analysis/blocks/explain_map.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

#include "analysis/blocks/block_maps.hpp"
#include "analysis/verify/explain_parts.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/blocks/rule_words.hpp"
#include "reference/attention/blocks/block_oracle.hpp"
#include "reference/attention/blocks/cpu_blocks.hpp"

namespace lvsa::analysis {
namespace {

using reference::BlockOracle;
using reference::KeyTerm;
using reference::RowId;

const HeadPattern& head_of(const MapSubject& subject, const RowId& row) {
  return subject.made.heads[static_cast<std::size_t>(row.batch * subject.c.heads + row.head)];
}

// Name of the rule and all of its parameters.
void add_rule(ExplainedHead& made, const std::string& rule) {
  std::istringstream in(rule);
  std::vector<std::string> words;
  in >> made.rule;
  for (std::string word; in >> word;) words.push_back(word);
  const RuleInfo& info = rule_info(made.rule);
  const RuleWords read(info, words);
  for (const RuleParameter& parameter : info.parameters) {
    made.parameters.push_back(
        {std::string(parameter.name), read.text(parameter.name), read.given(parameter.name)});
  }
}

// The row in one kept block.
ExplainedBlock explain_block(const HeadPattern& head, std::int64_t row_block, std::int64_t line,
                             std::size_t i) {
  ExplainedBlock made;
  made.block = head.map.row(row_block)[i];
  made.begin = head.map.columns.begin(made.block);
  made.end = head.map.columns.end(made.block);
  const std::int64_t entry =
      head.map.indptr[static_cast<std::size_t>(row_block)] + static_cast<std::int64_t>(i);
  made.mask = head.mask.mask_of(entry);
  for (std::int64_t place = made.begin; place < made.end; ++place) {
    const bool attended = head.mask.attends(made.mask, line, place - made.begin);
    if (made.mask >= 0) made.bits += attended ? '#' : '.';
    if (attended) made.keys.push_back(head.order ? std::int64_t{head.order->token(place)} : place);
  }
  return made;
}

ExplainedMap explain_row(const MapSubject& subject, const RowId& row,
                         const std::vector<reference::SkipDecision>& decisions,
                         const std::vector<KeyTerm>& keys) {
  const HeadPattern& head = head_of(subject, row);
  ExplainedMap made;
  made.place = place_of_token(head, row.token);
  const std::int64_t block = head.map.rows.block_of(made.place);
  made.head = explain_head(subject, row.batch, row.head, block);
  double sum = 0.0;
  std::vector<double> shares(static_cast<std::size_t>(head.map.columns.blocks()), 0.0);
  for (const KeyTerm& key : keys) {
    sum += key.p;
    const std::int64_t column = head.map.columns.block_of(place_of_token(head, key.token));
    shares[static_cast<std::size_t>(column)] += key.p;
  }
  for (std::size_t i = 0; i < head.map.row(block).size(); ++i) {
    made.blocks.push_back(explain_block(head, block, made.place - head.map.rows.begin(block), i));
    ExplainedBlock& last = made.blocks.back();
    last.share = sum > 0.0 ? shares[static_cast<std::size_t>(last.block)] / sum : 0.0;
    last.skip = decisions[i];
  }
  return made;
}

std::vector<std::int64_t> tokens_of(const reference::AttentionProblem& problem, const RowId& row) {
  std::vector<std::int64_t> tokens;
  for (const auto& [begin, end] : problem.key_ranges(row)) {
    for (std::int64_t token = begin; token < end; ++token) tokens.push_back(token);
  }
  return tokens;
}

using Numbers = std::vector<std::int64_t>;

Numbers without(const Numbers& all, const Numbers& some) {
  Numbers rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

std::int64_t size_of(const Numbers& numbers) { return static_cast<std::int64_t>(numbers.size()); }

// Key blocks of the row in both maps, whose blocks are the same.
void compare_blocks(ExplainedOther& made, const ExplainedMap& here, const HeadPattern& there) {
  const std::int64_t block = here.head.query_block;
  const std::int64_t line = here.place - here.head.query_begin;
  Numbers mine;
  for (const ExplainedBlock& b : here.blocks) mine.push_back(b.block);
  const auto row = there.map.row(block);
  const Numbers others(row.begin(), row.end());
  made.only_here = without(mine, others);
  made.only_there = without(others, mine);
  for (const ExplainedBlock& b : here.blocks) {
    const auto at = std::find(others.begin(), others.end(), b.block);
    if (at == others.end()) continue;
    const auto i = static_cast<std::size_t>(at - others.begin());
    if (explain_block(there, block, line, i).keys != b.keys) made.other_mask.push_back(b.block);
  }
}

// The row under another rule on the same tensors.
ExplainedOther explain_other(const MapSubject& subject, const Explanation& e,
                             const std::string& rule, const Numbers& keys) {
  Case c = subject.c;
  c.pattern = rule;
  std::vector<HeadPattern> heads = case_patterns(c, subject.made.tensors);
  const BlockSize nominal = nominal_blocks(rule, heads);
  const RowId& row = e.at.row;
  const HeadPattern& here = head_of(subject, row);
  const HeadPattern& there = heads[static_cast<std::size_t>(row.batch * c.heads + row.head)];
  ExplainedOther made;
  made.rule = rule;
  made.same_blocks = here.map.rows == there.map.rows && here.map.columns == there.map.columns &&
                     here.order == there.order;
  if (made.same_blocks) compare_blocks(made, *e.map, there);
  for (std::int64_t token = 0; token < subject.c.grid.seq_len(); ++token) {
    if (visible_tokens(here, token) != visible_tokens(there, token)) ++made.rows;
  }
  reference::BlockAttention attention = subject.attention();
  attention.patterns = heads;
  BlockOracle oracle(attention, e.model.scores);
  const reference::BlockRowResult due = oracle.attend_rows({&row, 1}).front();
  const Numbers others = tokens_of(oracle.problem(), row);
  made.keys = size_of(others);
  made.tokens_here = without(keys, others);
  made.tokens_there = without(others, keys);
  made.shared_keys = made.keys - size_of(made.tokens_there);
  const auto i = static_cast<std::size_t>(e.at.column);
  made.out = due.row.out[i];
  made.lse = due.row.lse;
  if (!e.got) return made;
  const BlockMaps maps(reference::cpu_blocks_kernel(), std::move(heads), c.batch, nominal);
  reference::RowResult exact = due.row;
  exact.score_shift[i] += due.doubt[i];
  exact.lse_shift += due.doubt_lse;
  const RowSteps steps = map_steps(e.model, maps, row, exact.keys);
  const double t = output_tolerance(e.model, exact, i, steps).total;
  const double t_lse = lse_tolerance(e.model, exact, steps);
  made.fits = accept_interval(made.out, t, output_dtype(e.c)).contains(*e.got) &&
              (!e.lse_got || accept_interval(made.lse, t_lse, LVSA_F32).contains(*e.lse_got));
  return made;
}

// What blocks in doubt add, apart from what errors of scores add.
void split_terms(Explanation& e, double doubt, double doubt_lse) {
  e.terms[1].value -= doubt;
  e.terms.insert(e.terms.begin() + 2,
                 {"skips in doubt", "sum_D p_j |v_jc - o_c| / L / (1 - m_D)", doubt});
  e.lse_terms[0].value -= doubt_lse;
  e.lse_terms.insert(e.lse_terms.begin() + 1, {"skips in doubt", "-ln(1 - m_D)", doubt_lse});
}

}  // namespace

ExplainedHead explain_head(const MapSubject& subject, std::int64_t batch, std::int64_t head,
                           std::int64_t query_block) {
  const HeadPattern& pattern = head_of(subject, {batch, 0, head});
  ExplainedHead made;
  add_rule(made, subject.c.pattern);
  made.choice = pattern.choice;
  made.row_blocks = pattern.map.rows.blocks();
  made.column_blocks = pattern.map.columns.blocks();
  made.kept = pattern.map.kept();
  made.nominal = subject.made.nominal;
  made.density = token_density(pattern);
  made.ordered = pattern.order.has_value();
  made.masked = pattern.mask.masks() > 0;
  if (pattern.skip) made.threshold = pattern.skip->threshold_log2;
  made.query_block = query_block;
  made.query_begin = pattern.map.rows.begin(query_block);
  made.query_end = pattern.map.rows.end(query_block);
  return made;
}

Explanation explain_map_element(const MapSubject& subject, const ElementId& at,
                                const std::optional<ElementCall>& call, std::int64_t most,
                                const std::string& other) {
  check_at(subject.c, at);
  const Case& c = subject.c;
  Explanation e;
  e.c = c;
  e.at = at;
  e.model =
      make_bound_model(call && call->numerics ? &*call->numerics : nullptr, c.dtype, c.head_dim);
  const reference::BlockAttention attention = subject.attention();
  BlockOracle oracle(attention, e.model.scores);
  const reference::BlockRowResult due = oracle.attend_rows({&at.row, 1}).front();
  e.row = due.row;
  for (std::size_t i = 0; i < due.doubt.size(); ++i) e.row.score_shift[i] += due.doubt[i];
  e.row.lse_shift += due.doubt_lse;
  const BlockMaps maps(reference::cpu_blocks_kernel(), subject.made.heads, c.batch,
                       subject.made.nominal);
  e.steps = map_steps(e.model, maps, at.row, e.row.keys);
  fill_explanation(e, {oracle.problem(), call, most, [&](const ScheduleJudge& judge) {
                         return judge.trace_maps(attention, at.row, e.row);
                       }});
  if (due.blocks_in_doubt > 0) {
    split_terms(e, due.doubt[static_cast<std::size_t>(at.column)], due.doubt_lse);
  }
  const std::int64_t block = row_block_of(maps.head(at.row), at.row.token);
  e.map = explain_row(subject, at.row, oracle.decisions(at.row.batch, at.row.head, block),
                      attend_keys(oracle.problem(), at.row, e.model.scores));
  e.map->skipped_mass = due.skipped_mass;
  e.map->doubt_mass = due.doubt_mass;
  if (!other.empty()) {
    e.map->other = explain_other(subject, e, other, tokens_of(oracle.problem(), at.row));
  }
  return e;
}

}  // namespace lvsa::analysis
