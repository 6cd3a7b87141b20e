// lvsa-verify judge: a stored report by other rules, without running anything.

#include <fmt/format.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/gate.hpp"
#include "analysis/gate/evidence_load.hpp"
#include "analysis/gate/glob.hpp"
#include "analysis/gate/rejudge.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

struct Options {
  std::string report;
  std::string rules;
  bool json = false;
};

nlohmann::ordered_json to_json(const analysis::Rejudged& result) {
  auto changes = nlohmann::ordered_json::array();
  for (const analysis::VerdictChange& change : result.changes) {
    changes.push_back({{"case", change.line},
                       {"then", std::string(status_name(change.then))},
                       {"now", std::string(status_name(change.now))},
                       {"check", change.check},
                       {"why", change.why}});
  }
  return {{"cases", result.cases},         {"passed", result.passed},
          {"failed", result.failed},       {"unsupported", result.unsupported},
          {"changes", std::move(changes)}, {"unmet", result.unmet}};
}

void print_text(const analysis::Rejudged& result) {
  for (const analysis::VerdictChange& change : result.changes) {
    fmt::print("{} -> {}  {}\n  {}{}\n", status_name(change.then), status_name(change.now),
               change.line, change.check.empty() ? "" : change.check + ": ", change.why);
  }
  for (const std::string& glob : result.unmet) fmt::print("must pass: {}\n", glob);
  fmt::print("{} of {} verdicts change\n", result.changes.size(), result.cases);
  if (result.unsupported > 0) fmt::print("{} not run\n", result.unsupported);
  fmt::print("{} passed, {} failed\n", result.passed, result.failed);
}

int run(const Options& options) {
  const analysis::GateRules rules =
      options.rules.empty() ? analysis::default_rules() : analysis::read_rules(options.rules);
  const analysis::Evidence evidence = analysis::load_evidence({options.report});
  if (!evidence.conformance) {
    throw Error(
        ErrorKind::kValue,
        fmt::format("{}: holds no cases of `kernel`; a report.jsonl is due", options.report));
  }
  const analysis::Rejudged result = rejudge(*evidence.conformance, rules.conformance);
  if (options.json) {
    fmt::print("{}\n", to_json(result).dump(-1, ' ', false,
                                            nlohmann::ordered_json::error_handler_t::replace));
  } else {
    print_text(result);
  }
  return result.good() ? kAllGood : kCheckFailed;
}

}  // namespace

void add_judge_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "judge", "Judge a stored report by other rules: which verdicts change, without a run");
  command
      ->add_option("report", options->report,
                   "report.jsonl, its folder, or a baseline with such a report")
      ->required()
      ->type_name("FILE|DIR");
  command->add_option("--rules", options->rules, "rules.json (docs/gate.md); default: built in")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "One JSON object instead of text");
  command->footer(
      "Example:\n  lvsa-verify judge report/report.jsonl --rules stricter.json\n"
      "Exit codes: 0 all pass by these rules, 1 a case fails, 2 bad input.");
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
