#include "analysis/verify/explain_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "analysis/verify/inputs.hpp"
#include "core/error.hpp"
#include "reference/attention/p_rounding.hpp"

namespace lvsa::analysis {
namespace {

using reference::KeyTerm;

double ratio_of(double exact, double got, double tolerance, DType dtype) {
  const double error = unrounded_error(exact, got, dtype);
  if (error == 0.0) return 0.0;
  return tolerance > 0.0 ? error / tolerance : std::numeric_limits<double>::infinity();
}

void add_terms(Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  const double rescales = rescale_error(e.model, e.row, e.steps) * e.row.deviation[i];
  const char* rounding = e.model.denominator == Denominator::kExactP     ? "u_P A_c"
                         : e.model.denominator == Denominator::kRoundedP ? "u_P D_c"
                                                                         : "u_P max(A_c, D_c)";
  e.terms = {
      {"rounding of P", rounding, e.tolerance.p_rounding},
      {"scores", "sum p_j |v_jc - o_c| eta_j / L", e.row.score_shift[i]},
      {"rescales and merges", "R D_c", rescales},
      {"accumulation", fmt::format("(steps + {:g}) u_a (A_c + |o_c|)", e.model.last_roundings()),
       e.tolerance.accumulation},
      {"underflow of P", "mu_P sum |v_jc| / L", e.tolerance.underflow}};
  e.lse_terms = {{"scores, rescales and merges", "sum p_j eta_j / L + R", e.lse_tolerance.scores},
                 {"rounding of P", "u_P, where L sums the rounded P", e.lse_tolerance.p_rounding},
                 {"accumulation", "steps u_a", e.lse_tolerance.accumulation},
                 {"logarithm", "3 (|m| + ln L + |lse|) 2^-24", e.lse_tolerance.logarithm}};
}

// The keys that add most to a sum of `part` over the keys.
ExplainedKeys largest(std::string what, const std::vector<KeyTerm>& keys,
                      const std::vector<double>& values, std::int64_t most,
                      const std::function<double(const KeyTerm&, double)>& part) {
  std::vector<ExplainedKey> all;
  double sum = 0.0;
  for (std::size_t j = 0; j < keys.size(); ++j) {
    all.push_back({keys[j], values[j], part(keys[j], values[j])});
    sum += all.back().share;
  }
  const auto count = static_cast<std::ptrdiff_t>(
      std::min<std::int64_t>(most, static_cast<std::int64_t>(all.size())));
  std::partial_sort(all.begin(), all.begin() + count, all.end(),
                    [](const ExplainedKey& a, const ExplainedKey& b) {
                      return a.share != b.share ? a.share > b.share : a.key.token < b.key.token;
                    });
  all.resize(static_cast<std::size_t>(count));
  for (ExplainedKey& key : all) key.share = sum > 0.0 ? key.share / sum : 0.0;
  return {std::move(what), std::move(all)};
}

void add_keys(Explanation& e, const reference::AttentionProblem& problem, std::int64_t most) {
  const auto keys = attend_keys(problem, e.at.row, e.model.scores);
  const std::int64_t kv_head = e.at.row.head / (e.c.heads / e.c.kv_heads);
  std::vector<double> value(static_cast<std::size_t>(e.c.head_dim));
  std::vector<double> values;
  e.min_score = e.row.max_score;
  for (const KeyTerm& key : keys) {
    problem.v.read_row(e.at.row.batch, key.token, kv_head, value.data());
    values.push_back(value[static_cast<std::size_t>(e.at.column)]);
    e.min_score = std::min(e.min_score, key.score);
    if (key.score == e.row.max_score) e.max_score_token = key.token;
    if (key.eta == e.row.max_eta) e.max_eta_token = key.token;
  }
  const double out = e.row.out[static_cast<std::size_t>(e.at.column)];
  e.keys = {
      largest("weight p_j / L", keys, values, most,
              [](const KeyTerm& key, double) { return key.p; }),
      largest("rounding of P, by p_j |v_jc|", keys, values, most,
              [](const KeyTerm& key, double v) { return key.p * std::fabs(v); }),
      largest("scores, by p_j |v_jc - o_c| eta_j", keys, values, most,
              [=](const KeyTerm& key, double v) { return key.p * std::fabs(v - out) * key.eta; }),
      largest("underflow of P, by |v_jc|", keys, values, most,
              [](const KeyTerm&, double v) { return std::fabs(v); })};
}

// The keys whose rounding is in doubt, and their sum over all of them.
std::vector<DoubtfulKey> doubtful_keys(const Explanation& e, const reference::Schedule& schedule,
                                       const reference::ShadowTrace& trace,
                                       const reference::AttentionProblem& problem,
                                       std::int64_t most) {
  const std::int64_t kv_head = e.at.row.head / (e.c.heads / e.c.kv_heads);
  const auto i = static_cast<std::size_t>(e.at.column);
  const double centre = schedule.sum_rounded_p ? e.row.out[i] : 0.0;
  std::vector<double> value(static_cast<std::size_t>(e.c.head_dim));
  std::vector<DoubtfulKey> found;
  for (const reference::ShadowKey& key : trace.keys) {
    if (key.doubt == 0.0) continue;
    problem.v.read_row(e.at.row.batch, key.token, kv_head, value.data());
    found.push_back({key, value[i], key.doubt * std::fabs(value[i] - centre)});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const DoubtfulKey& a, const DoubtfulKey& b) { return a.adds > b.adds; });
  found.resize(std::min(found.size(), static_cast<std::size_t>(most)));
  return found;
}

ExplainedSchedule explain_schedule(const Explanation& e, const ScheduleJudge& judge,
                                   const reference::ShadowTrace& trace,
                                   const reference::AttentionProblem& problem, std::int64_t most) {
  const auto i = static_cast<std::size_t>(e.at.column);
  const BoundModel& model = judge.model();
  ExplainedSchedule s;
  s.schedule = judge.schedule();
  s.row = trace.row;
  s.epochs = trace.epochs;
  s.sound = shadow_is_sound(s.row);
  if (!s.row.finite) return s;
  s.steps = accumulation_steps(model, s.row.keys, s.row.tiles);
  s.out = s.row.out[i];
  s.tolerance = schedule_tolerance(model, s.row, e.row, i);
  s.lse_tolerance = schedule_lse_terms(model, s.row);
  s.accepted = accept_interval(s.out, s.tolerance.total, output_dtype(e.c));
  s.lse_accepted = accept_interval(s.row.lse, s.lse_tolerance.total, LVSA_F32);
  const bool rounds = reference::PRounding(s.schedule.p_dtype, false).rounds();
  s.terms = {
      {rounds ? "roundings in doubt" : "scores, by P that is not rounded",
       rounds ? "sum g_e f_j |v_jc (- o_c)| / L'" : "sum p_j eta_j |v_jc - o_c| / L",
       s.tolerance.p_rounding},
      {"scores, maxima, factors", "by kappa_e, rho_e and eta_j", s.tolerance.scores},
      {"accumulation", fmt::format("(steps + {:g}) u_a (A_c + |o_c|)", model.last_roundings()),
       s.tolerance.accumulation},
      {"flushed weights", "2^-126 sum |v_jc| / L", s.tolerance.underflow}};
  s.lse_terms = {{"scores, maxima, factors", "by eta_j, kappa_e, rho_e", s.lse_tolerance.scores},
                 {"accumulation", "steps u_a", s.lse_tolerance.accumulation},
                 {"logarithm", "2^-23 |lse|", s.lse_tolerance.logarithm}};
  if (e.got) s.ratio = ratio_of(s.out, *e.got, s.tolerance.total, output_dtype(e.c));
  if (e.lse_got) s.lse_ratio = ratio_of(s.row.lse, *e.lse_got, s.lse_tolerance.total, LVSA_F32);
  if (rounds) s.doubtful = doubtful_keys(e, s.schedule, trace, problem, most);
  return s;
}

}  // namespace

void require_inside(const char* option, const char* what, std::int64_t index, std::int64_t size) {
  if (index >= 0 && index < size) return;
  throw Error(ErrorKind::kValue, fmt::format("{}: {} {} is outside this case; 0 .. {} is due",
                                             option, what, index, size - 1));
}

void check_at(const Case& c, const ElementId& at) {
  require_inside("--at", "batch element", at.row.batch, c.batch);
  require_inside("--at", "head", at.row.head, c.heads);
  require_inside("--at", "row (query token)", at.row.token, c.grid.seq_len());
  require_inside("--at", "column", at.column, c.head_dim);
}

void fill_explanation(Explanation& e, const ExplainedSource& source) {
  const Case& c = e.c;
  const auto i = static_cast<std::size_t>(e.at.column);
  const std::int64_t video = c.grid.video_tokens();
  const bool text = e.at.row.token >= video;
  e.frame = text ? -1 : e.at.row.token / c.grid.patches_per_frame;
  e.row_in_frame = text ? e.at.row.token - video : e.at.row.token % c.grid.patches_per_frame;
  e.value_sum = e.row.value_sum[i];
  e.factor = higher_order_factor(e.model, e.row, e.steps);
  e.tolerance = output_tolerance(e.model, e.row, i, e.steps);
  e.lse_tolerance = lse_terms(e.model, e.row, e.steps);
  e.accepted = accept_interval(e.row.out[i], e.tolerance.total, output_dtype(c));
  e.lse_accepted = accept_interval(e.row.lse, e.lse_tolerance.total, LVSA_F32);
  add_terms(e);
  add_keys(e, source.problem, source.most);
  if (!source.call) return;
  const ElementCall& call = *source.call;
  const lvsa_numerics* numerics = call.numerics ? &*call.numerics : nullptr;
  if (numerics != nullptr) e.declared_by = call.name;
  e.got = call.got;
  e.ratio = ratio_of(e.row.out[i], call.got, e.tolerance.total, output_dtype(c));
  e.lse_got = call.lse;
  if (call.lse) e.lse_ratio = ratio_of(e.row.lse, *call.lse, e.lse_tolerance.total, LVSA_F32);
  const auto judge = make_schedule_judge(numerics, c.dtype, c.head_dim);
  if (judge) {
    e.schedule = explain_schedule(e, *judge, source.trace(*judge), source.problem, source.most);
  }
}

}  // namespace lvsa::analysis
