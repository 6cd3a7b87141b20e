// lvsa-verify explain, as JSON.

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/app/explain_print.hpp"

namespace lvsa::app {
namespace {

using analysis::ExplainedSchedule;
using analysis::ExplainedTerm;
using analysis::Explanation;
using nlohmann::ordered_json;

// JSON has no infinity; a row without keys has one as its log-sum-exp.
ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(fmt::format("{}", value));
}

ordered_json terms_json(const std::vector<ExplainedTerm>& terms) {
  auto list = ordered_json::array();
  for (const ExplainedTerm& term : terms) {
    list.push_back({{"name", term.name}, {"formula", term.formula}, {"value", term.value}});
  }
  return list;
}

ordered_json verdict_json(double exact, const std::vector<ExplainedTerm>& terms, double tolerance,
                          const analysis::Interval& accepted, std::optional<double> got,
                          double ratio) {
  ordered_json made = {{"exact", number(exact)},
                       {"terms", terms_json(terms)},
                       {"tolerance", tolerance},
                       {"low", number(accepted.low)},
                       {"high", number(accepted.high)}};
  if (got) {
    made["got"] = number(*got);
    made["ratio"] = number(ratio);
    made["accepted"] = accepted.contains(*got);
  }
  return made;
}

ordered_json row_json(const Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  return {{"keys", e.row.keys},
          {"score_min", number(e.min_score)},
          {"score_max", number(e.row.max_score)},
          {"score_max_token", e.max_score_token},
          {"normaliser", e.row.normaliser},
          {"lse", number(e.row.lse)},
          {"out", e.row.out[i]},
          {"magnitude", e.row.magnitude[i]},
          {"deviation", e.row.deviation[i]},
          {"value_sum", e.value_sum},
          {"eta_mean", e.row.lse_shift},
          {"eta_max", e.row.max_eta},
          {"eta_max_token", e.max_eta_token},
          {"weak", analysis::scores_are_weak(e.row)}};
}

ordered_json model_json(const Explanation& e) {
  const analysis::BoundModel& m = e.model;
  return {{"declared_by", e.declared_by},
          {"p_roundoff", m.p_roundoff},
          {"p_underflow", m.p_underflow},
          {"denominator", denominator_name(m.denominator)},
          {"accumulator_roundoff", m.accumulator_roundoff},
          {"key_tile", m.key_tile},
          {"sum_step", m.sum_step},
          {"tiles", e.steps.tiles},
          {"splits", m.splits},
          {"steps", e.steps.sums},
          {"rescale_error", rescale_error(m, e.row, e.steps)},
          {"eta",
           {{"dot", m.scores.dot},
            {"score", m.scores.score},
            {"exponent", m.scores.exponent},
            {"constant", m.scores.constant},
            {"unit", m.scores.unit}}},
          {"factor", e.factor}};
}

ordered_json schedule_json(const Explanation& e, const ExplainedSchedule& s) {
  auto doubtful = ordered_json::array();
  for (const auto& key : s.doubtful) {
    doubtful.push_back({{"token", key.key.token},
                        {"score", key.key.score},
                        {"score_error", key.key.score_error},
                        {"weight", key.key.weight},
                        {"doubt", key.key.doubt},
                        {"value", key.value},
                        {"adds", key.adds}});
  }
  ordered_json made = {{"key_tile", s.schedule.key_tile},
                       {"p_dtype", dtype_name(s.schedule.p_dtype)},
                       {"splits", s.schedule.splits},
                       {"sound", s.sound},
                       {"tiles", s.row.tiles},
                       {"maxima", s.epochs},
                       {"doubtful", s.row.doubtful},
                       {"eta_max", number(s.row.max_eta)},
                       {"sum_doubt", s.row.sum_doubt},
                       {"steps", s.steps},
                       {"factor", analysis::kScheduleFactor}};
  if (!s.row.finite) return made;
  made["output"] = verdict_json(s.out, s.terms, s.tolerance.total, s.accepted, e.got, s.ratio);
  made["lse"] = verdict_json(s.row.lse, s.lse_terms, s.lse_tolerance.total, s.lse_accepted,
                             e.lse_got, s.lse_ratio);
  made["keys"] = doubtful;
  return made;
}

ordered_json head_json(const analysis::ExplainedHead& head) {
  ordered_json parameters;
  for (const auto& p : head.parameters) parameters[p.name] = p.value;
  ordered_json made = {{"rule", head.rule},
                       {"parameters", parameters},
                       {"choice", head.choice},
                       {"row_blocks", head.row_blocks},
                       {"column_blocks", head.column_blocks},
                       {"kept", head.kept},
                       {"block_rows", head.nominal.rows},
                       {"block_columns", head.nominal.columns},
                       {"density", head.density},
                       {"ordered", head.ordered},
                       {"query_block", head.query_block},
                       {"query_places", {head.query_begin, head.query_end}}};
  if (head.threshold) made["skip_threshold_log2"] = number(*head.threshold);
  return made;
}

ordered_json skip_json(const reference::SkipDecision& skip) {
  constexpr const char* kStates[] = {"kept", "in doubt", "skipped"};
  return {{"state", kStates[static_cast<std::size_t>(skip.state)]},
          {"gain_low", number(skip.delta_low)},
          {"gain_high", number(skip.delta_high)}};
}

ordered_json map_json(const Explanation& e, const analysis::ExplainedMap& map) {
  ordered_json made = head_json(map.head);
  made["place"] = map.place;
  made["skipped_mass"] = map.skipped_mass;
  made["doubt_mass"] = map.doubt_mass;
  made["key_blocks"] = ordered_json::array();
  for (const analysis::ExplainedBlock& b : map.blocks) {
    ordered_json block = {{"block", b.block},
                          {"places", {b.begin, b.end}},
                          {"mask", b.mask},
                          {"tokens", b.keys},
                          {"weight", b.share}};
    if (map.head.threshold) block["skip"] = skip_json(b.skip);
    made["key_blocks"].push_back(block);
  }
  if (!map.other) return made;
  const analysis::ExplainedOther& o = *map.other;
  made["against"] = {{"rule", o.rule},
                     {"same_blocks", o.same_blocks},
                     {"only_here", o.only_here},
                     {"only_there", o.only_there},
                     {"other_pairs", o.other_mask},
                     {"keys", o.keys},
                     {"shared_keys", o.shared_keys},
                     {"tokens_only_here", o.tokens_here},
                     {"tokens_only_there", o.tokens_there},
                     {"rows_that_differ", o.rows},
                     {"out", o.out},
                     {"lse", number(o.lse)}};
  if (e.got) made["against"]["accepted"] = o.fits;
  return made;
}

}  // namespace

void print_pair_json(const analysis::Case& c, const analysis::ExplainedPair& pair) {
  ordered_json all = {{"case", to_line(c)},
                      {"batch", pair.batch},
                      {"head", pair.head_number},
                      {"query_block", pair.head.query_block},
                      {"key_block", pair.key_block},
                      {"map", head_json(pair.head)},
                      {"key_places", {pair.key_begin, pair.key_end}},
                      {"query_tokens", pair.query_tokens},
                      {"key_tokens", pair.key_tokens},
                      {"kept", pair.kept},
                      {"columns", pair.columns},
                      {"keepers", pair.keepers}};
  if (pair.kept) {
    all["entry"] = pair.entry;
    all["mask"] = pair.mask;
    all["pairs"] = pair.pairs;
    all["weights"] = pair.shares;
    if (!pair.bits.empty()) all["bits"] = pair.bits;
    if (pair.head.threshold) all["skip"] = skip_json(pair.skip);
  }
  if (!pair.judged.empty()) {
    all["kernel"] = pair.judged;
    all["readings"] = ordered_json::array();
    for (const auto& reading : pair.readings) {
      all["readings"].push_back({{"what", reading.what}, {"rows", reading.fits}});
    }
  }
  fmt::print("{}\n", all.dump());
}

void print_json(const Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  auto keys = ordered_json::array();
  for (const auto& term : e.keys) {
    auto list = ordered_json::array();
    for (const auto& key : term.keys) {
      list.push_back({{"token", key.key.token},
                      {"share", key.share},
                      {"score", key.key.score},
                      {"p", key.key.p},
                      {"eta", key.key.eta},
                      {"value", key.value}});
    }
    keys.push_back({{"what", term.what}, {"keys", list}});
  }
  ordered_json all = {{"case", to_line(e.c)},
                      {"at",
                       {{"batch", e.at.row.batch},
                        {"head", e.at.row.head},
                        {"row", e.at.row.token},
                        {"column", e.at.column},
                        {"frame", e.frame},
                        {"row_in_frame", e.row_in_frame}}},
                      {"row", row_json(e)},
                      {"arithmetic", model_json(e)},
                      {"output", verdict_json(e.row.out[i], e.terms, e.tolerance.total, e.accepted,
                                              e.got, e.ratio)},
                      {"lse", verdict_json(e.row.lse, e.lse_terms, e.lse_tolerance.total,
                                           e.lse_accepted, e.lse_got, e.lse_ratio)},
                      {"keys", keys}};
  if (e.schedule) all["schedule"] = schedule_json(e, *e.schedule);
  if (e.map) all["map"] = map_json(e, *e.map);
  fmt::print("{}\n", all.dump());
}

}  // namespace lvsa::app
