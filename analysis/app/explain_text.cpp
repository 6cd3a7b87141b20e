// lvsa-verify explain, as text.

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "analysis/app/explain_print.hpp"

namespace lvsa::app {

const char* denominator_name(analysis::Denominator denominator) {
  switch (denominator) {
    case analysis::Denominator::kExactP:
      return "P before its rounding";
    case analysis::Denominator::kRoundedP:
      return "rounded P";
    case analysis::Denominator::kUnknown:
      break;
  }
  return "not known";
}

std::string token_text(const analysis::Case& c, std::int64_t token) {
  const std::int64_t text = token - c.grid.video_tokens();
  if (text >= 0) return fmt::format("token {} (text row {})", token, text);
  return fmt::format("token {} (frame {}, row {})", token, token / c.grid.patches_per_frame,
                     token % c.grid.patches_per_frame);
}

namespace {

using analysis::ExplainedSchedule;
using analysis::ExplainedTerm;
using analysis::Explanation;

void print_row(const Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  fmt::print("The row, exactly\n");
  fmt::print("  keys            {}\n", e.row.keys);
  if (e.row.keys > 0) {
    fmt::print("  scores          {:.9g} .. {:.9g}; m = {:.9g} at {}\n", e.min_score,
               e.row.max_score, e.row.max_score, token_text(e.c, e.max_score_token));
  }
  fmt::print("  L               {:.9g}\n  lse             {:.9g}\n", e.row.normaliser, e.row.lse);
  fmt::print("  o_c             {:.9g}\n  A_c             {:.9g}\n  D_c             {:.9g}\n",
             e.row.out[i], e.row.magnitude[i], e.row.deviation[i]);
  fmt::print("  sum |v_jc| / L  {:.6g}\n", e.value_sum);
  if (e.row.keys > 0) {
    fmt::print("  eta             mean {:.3g}, at most {:.3g} at {}{}\n", e.row.lse_shift,
               e.row.max_eta, token_text(e.c, e.max_eta_token),
               analysis::scores_are_weak(e.row) ? "; 2^-8 or more: WEAK" : "");
  }
}

void print_model(const Explanation& e) {
  const analysis::BoundModel& m = e.model;
  fmt::print("Arithmetic, {}\n", e.declared_by.empty()
                                     ? "of which nothing is known: the worst case"
                                     : "as kernel " + e.declared_by + " declares it");
  fmt::print("  u_P             {:.4g}, mu_P {:.4g}; L sums {}\n", m.p_roundoff, m.p_underflow,
             denominator_name(m.denominator));
  fmt::print("  u_a             {:.4g}\n", m.accumulator_roundoff);
  fmt::print("  B               {}\n", m.key_tile == 0 ? "unknown" : std::to_string(m.key_tile));
  fmt::print("  K               {}\n", m.sum_step == 0 ? "unknown" : std::to_string(m.sum_step));
  fmt::print("  N               {} tiles, {} splits\n", e.steps.tiles, m.splits);
  fmt::print("  steps           {}\n", e.steps.sums);
  fmt::print("  R               {:.4g}\n", rescale_error(m, e.row, e.steps));
  fmt::print(
      "  eta_j           {:.4g} scale sum |q_i k_ji| + ({:g} |s_j| + {:g} |s_j - m| + {:g}) "
      "2^-24\n",
      m.scores.dot, m.scores.score, m.scores.exponent, m.scores.constant);
}

void print_terms(const std::vector<ExplainedTerm>& terms, double factor, double total) {
  double sum = 0.0;
  for (const ExplainedTerm& term : terms) sum += term.value;
  for (const ExplainedTerm& term : terms) {
    fmt::print("  {:<28} {:<32} {:>11.4g} {:>6.1f} %\n", term.name, term.formula, term.value,
               sum > 0.0 ? 100.0 * term.value / sum : 0.0);
  }
  fmt::print("  {:<61} {:>11.4g}\n", fmt::format("tolerance: the sum times {:.6g}", factor), total);
}

void print_verdict(double exact, const analysis::Interval& accepted, std::optional<double> got,
                   double ratio) {
  fmt::print("  accepted        {:.9g} .. {:.9g}, around {:.9g}\n", accepted.low, accepted.high,
             exact);
  if (!got) return;
  fmt::print("  kernel          {:.9g}: {}; error {:.4g}, {:.4g} of the tolerance\n", *got,
             accepted.contains(*got) ? "inside" : "OUTSIDE", *got - exact, ratio);
}

void print_width(double tier_a, double tier_b) {
  if (!(tier_b > 0.0)) return;
  fmt::print("  width           tier A's tolerance is {:.4g} times as large\n", tier_a / tier_b);
}

std::string schedule_text(const reference::Schedule& s, bool maps) {
  constexpr const char* kCuts[] = {"cut anew in each frame and the text", "cut across frames",
                                   "cut across frames, the text apart"};
  constexpr const char* kMapCuts[] = {"cut anew in each kept block", "cut across kept blocks",
                                      "cut as no map is"};
  const int cut = std::clamp(s.tiles_cross_frames, 0, 2);
  std::string text =
      fmt::format("tiles of {} keys, {}, {}; {} maximum; P in {}{}{}", s.key_tile,
                  maps ? kMapCuts[cut] : kCuts[cut],
                  s.key_order == LVSA_KEYS_ASCENDING    ? "ascending"
                  : s.key_order == LVSA_KEYS_DESCENDING ? "descending"
                                                        : "text first",
                  s.max_rule == LVSA_MAX_FINAL ? "final" : "running", dtype_name(s.p_dtype),
                  s.p_rounding == LVSA_P_TOWARD_ZERO ? " toward zero" : "",
                  s.p_scale_log2 != 0 ? fmt::format(" times 2^{}", s.p_scale_log2) : std::string());
  text += s.normalise_first ? ", divided by the sum first"
          : s.sum_rounded_p ? ", L sums it rounded"
                            : ", L sums it as it was";
  if (s.splits > 1) text += fmt::format("; {} splits", s.splits);
  return text;
}

void print_doubtful(const Explanation& e, const ExplainedSchedule& s) {
  if (s.doubtful.empty()) return;
  fmt::print("Roundings of P in doubt that add most to the tolerance\n");
  for (const auto& key : s.doubtful) {
    fmt::print(
        "  {:<32} s {:.6g} +- {:.2g}  P / L {:.4g}, perhaps {:.2g} off  v {:.6g}  adds {:.3g}\n",
        token_text(e.c, key.key.token), key.key.score, key.key.score_error, key.key.weight,
        key.key.doubt, key.value, key.adds);
  }
}

// Tier B: the replay of the declared schedule.
void print_schedule(const Explanation& e, const ExplainedSchedule& s) {
  fmt::print("The declared schedule, tier B\n  declared        {}\n",
             schedule_text(s.schedule, e.map.has_value()));
  if (!s.row.finite) {
    fmt::print("  {}: the row is left to tier A\n",
               e.map ? "a skip in doubt, a schedule that says nothing of this map, or a score that "
                       "is not finite"
                     : "a score is not finite");
    return;
  }
  fmt::print("  replayed        {} tiles{}, {} maxima that are certainly distinct\n", s.row.tiles,
             s.schedule.splits > 1 ? " in the longest split" : "", s.epochs);
  fmt::print("  roundings of P  {} of {} in doubt; a weight is off by {:.3g} at most\n",
             s.row.doubtful, s.row.keys, s.row.max_eta);
  fmt::print("  o_c by it       {:.9g}, off the exact one by {:.3g}\n", s.out,
             s.out - e.row.out[static_cast<std::size_t>(e.at.column)]);
  if (!s.sound) {
    fmt::print("  a weight off by 2^-8, or a quarter of L in doubt: the row is left to tier A\n");
  }
  fmt::print("Output, tier B\n");
  print_terms(s.terms, analysis::kScheduleFactor, s.tolerance.total);
  print_width(e.tolerance.total, s.tolerance.total);
  print_verdict(s.out, s.accepted, e.got, s.ratio);
  fmt::print("Log-sum-exp, tier B\n");
  print_terms(s.lse_terms, analysis::kScheduleFactor, s.lse_tolerance.total);
  print_width(e.lse_tolerance.total, s.lse_tolerance.total);
  print_verdict(s.row.lse, s.lse_accepted, e.lse_got, s.lse_ratio);
  print_doubtful(e, s);
}

void print_keys(const Explanation& e) {
  for (const auto& term : e.keys) {
    if (term.keys.empty()) continue;
    fmt::print("Keys that add most to: {}\n", term.what);
    for (const auto& key : term.keys) {
      fmt::print("  {:>6.2f} %  {:<32} s {:.6g}  p {:.4g}  eta {:.3g}  v {:.6g}\n",
                 100.0 * key.share, token_text(e.c, key.key.token), key.key.score, key.key.p,
                 key.key.eta, key.value);
    }
  }
}

}  // namespace

void print_text(const Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  fmt::print("{}\n", to_line(e.c));
  fmt::print("batch {}, head {}, query {}, column {}\n\n", e.at.row.batch, e.at.row.head,
             token_text(e.c, e.at.row.token), e.at.column);
  if (e.map) print_map(e);
  print_row(e);
  print_model(e);
  fmt::print("Output, tier A\n");
  print_terms(e.terms, e.factor, e.tolerance.total);
  print_verdict(e.row.out[i], e.accepted, e.got, e.ratio);
  fmt::print("Log-sum-exp, tier A\n");
  print_terms(e.lse_terms, e.factor, e.lse_tolerance.total);
  print_verdict(e.row.lse, e.lse_accepted, e.lse_got, e.lse_ratio);
  if (e.schedule) print_schedule(e, *e.schedule);
  print_keys(e);
}

}  // namespace lvsa::app
