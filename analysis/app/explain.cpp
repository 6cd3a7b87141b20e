// lvsa-verify explain: every term of the bound of one output element, in numbers.

#include "analysis/verify/explain.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::Denominator;
using analysis::ElementId;
using analysis::ExplainedTerm;
using analysis::Explanation;
using nlohmann::ordered_json;

struct Options {
  std::string line;
  std::string at;
  std::string kernel;
  std::int64_t keys = 3;
  bool json = false;
};

ElementId parse_at(const std::string& text) {
  std::int64_t numbers[4] = {};
  const char* from = text.data();
  const char* const end = text.data() + text.size();
  for (int i = 0; i < 4; ++i) {
    const auto result = std::from_chars(from, end, numbers[i]);
    const bool last = i == 3;
    if (result.ec != std::errc() ||
        (last ? result.ptr != end : result.ptr == end || *result.ptr != ',')) {
      throw Error(ErrorKind::kValue,
                  fmt::format("--at {}: four integers batch,head,row,column are due", text));
    }
    from = result.ptr + 1;
  }
  return {{numbers[0], numbers[2], numbers[1]}, numbers[3]};
}

const char* denominator_name(Denominator denominator) {
  switch (denominator) {
    case Denominator::kExactP:
      return "P before its rounding";
    case Denominator::kRoundedP:
      return "rounded P";
    case Denominator::kUnknown:
      break;
  }
  return "not known";
}

// A key token by its place: "token 130 (frame 2, row 0)" or "(text row 3)".
std::string place(const analysis::Case& c, std::int64_t token) {
  const std::int64_t text = token - c.grid.video_tokens();
  if (text >= 0) return fmt::format("token {} (text row {})", token, text);
  return fmt::format("token {} (frame {}, row {})", token, token / c.grid.patches_per_frame,
                     token % c.grid.patches_per_frame);
}

void print_row(const Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  fmt::print("The row, exactly\n");
  fmt::print("  keys            {}\n", e.row.keys);
  if (e.row.keys > 0) {
    fmt::print("  scores          {:.9g} .. {:.9g}; m = {:.9g} at {}\n", e.min_score,
               e.row.max_score, e.row.max_score, place(e.c, e.max_score_token));
  }
  fmt::print("  L               {:.9g}\n  lse             {:.9g}\n", e.row.normaliser, e.row.lse);
  fmt::print("  o_c             {:.9g}\n  A_c             {:.9g}\n  D_c             {:.9g}\n",
             e.row.out[i], e.row.magnitude[i], e.row.deviation[i]);
  fmt::print("  sum |v_jc| / L  {:.6g}\n", e.value_sum);
  if (e.row.keys > 0) {
    fmt::print("  eta             mean {:.3g}, at most {:.3g} at {}{}\n", e.row.lse_shift,
               e.row.max_eta, place(e.c, e.max_eta_token),
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

void print_keys(const Explanation& e) {
  for (const auto& term : e.keys) {
    if (term.keys.empty()) continue;
    fmt::print("Keys that add most to: {}\n", term.what);
    for (const auto& key : term.keys) {
      fmt::print("  {:>6.2f} %  {:<32} s {:.6g}  p {:.4g}  eta {:.3g}  v {:.6g}\n",
                 100.0 * key.share, place(e.c, key.key.token), key.key.score, key.key.p,
                 key.key.eta, key.value);
    }
  }
}

void print_text(const Explanation& e) {
  const auto i = static_cast<std::size_t>(e.at.column);
  fmt::print("{}\n", to_line(e.c));
  fmt::print("batch {}, head {}, query {}, column {}\n\n", e.at.row.batch, e.at.row.head,
             place(e.c, e.at.row.token), e.at.column);
  print_row(e);
  print_model(e);
  fmt::print("Output, tier A\n");
  print_terms(e.terms, e.factor, e.tolerance.total);
  print_verdict(e.row.out[i], e.accepted, e.got, e.ratio);
  fmt::print("Log-sum-exp, tier A\n");
  print_terms(e.lse_terms, e.factor, e.lse_tolerance.total);
  print_verdict(e.row.lse, e.lse_accepted, e.lse_got, e.lse_ratio);
  // Tier B, the replay of a declared schedule, is a section of its own here.
  print_keys(e);
}

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
  const ordered_json all = {{"case", to_line(e.c)},
                            {"at",
                             {{"batch", e.at.row.batch},
                              {"head", e.at.row.head},
                              {"row", e.at.row.token},
                              {"column", e.at.column},
                              {"frame", e.frame},
                              {"row_in_frame", e.row_in_frame}}},
                            {"row", row_json(e)},
                            {"arithmetic", model_json(e)},
                            {"output", verdict_json(e.row.out[i], e.terms, e.tolerance.total,
                                                    e.accepted, e.got, e.ratio)},
                            {"lse", verdict_json(e.row.lse, e.lse_terms, e.lse_tolerance.total,
                                                 e.lse_accepted, e.lse_got, e.lse_ratio)},
                            {"keys", keys}};
  fmt::print("{}\n", all.dump());
}

int run(const Options& options) {
  const analysis::Case c = analysis::parse_case(options.line);
  const ElementId at = parse_at(options.at);
  KernelChoice choice;
  if (!options.kernel.empty()) choice = choose_kernel(options.kernel);
  const Explanation e = explain_element(c, at, choice.kernel, options.keys);
  if (options.json) {
    print_json(e);
  } else {
    print_text(e);
  }
  const bool outside = (e.got && !e.accepted.contains(*e.got)) ||
                       (e.lse_got && !e.lse_accepted.contains(*e.lse_got));
  return outside ? kCheckFailed : kAllGood;
}

}  // namespace

void add_explain_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("explain", "Print every term of the bound of one output element");
  command->add_option("case", options->line, "The case line, in quotes")
      ->required()
      ->type_name("LINE");
  command->add_option("--at", options->at, "Batch element, head, row (query token) and column")
      ->required()
      ->type_name("B,H,ROW,COLUMN");
  command
      ->add_option(
          "--kernel", options->kernel,
          "Judge this kernel's value there, by what it declares: cpu, or path/to/lib.so[:name]; "
          "without it nothing is known and the worst case counts")
      ->type_name("NAME|PATH");
  command->add_option("--keys", options->keys, "Keys that are listed for each term")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  command->add_flag("--json", options->json, "One JSON object");
  command->footer(
      "Example:\n"
      "  lvsa-verify explain 'T=13 P=65 H=2 Hkv=1 D=64 dtype=bf16 ref=5 step=1 input=gauss seed=7 "
      "rows=0' --at 0,1,204,5 --kernel cpu\n"
      "docs/bounds.md derives the terms. Exit code 1 when the kernel's value is outside.");
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
