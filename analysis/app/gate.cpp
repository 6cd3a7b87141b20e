// lvsa-verify gate: may this change go in?

#include "analysis/app/gate.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "analysis/gate/compare.hpp"
#include "analysis/gate/evidence_load.hpp"
#include "analysis/gate/gate_report.hpp"
#include "analysis/gate/waivers.hpp"
#include "analysis/report/write_reports.hpp"
#include "core/error.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

struct GateOptions {
  std::string baseline;
  std::vector<std::string> candidate;
  std::string rules;
  std::string waivers;
  std::string today;
  analysis::Tolerated tolerated;
  bool strict = false;
  bool github = false;
  bool json = false;
  std::string junit;
  std::string markdown;
  std::string out;
  std::size_t show = 100;
};

std::string today(const GateOptions& options) {
  if (options.today.empty()) return analysis::utc_today();
  if (analysis::is_date(options.today)) return options.today;
  throw Error(ErrorKind::kValue,
              fmt::format("--today {}: a date YYYY-MM-DD is due", options.today));
}

// GitHub gives each step a file of its own to append to.
void append_step_summary(const std::string& markdown) {
  const char* path = std::getenv("GITHUB_STEP_SUMMARY");
  if (path == nullptr || *path == '\0') return;
  std::ofstream file(path, std::ios::binary | std::ios::app);
  file << markdown << std::flush;
  if (!file) {
    throw Error(ErrorKind::kIo, fmt::format("GITHUB_STEP_SUMMARY={}: cannot be written", path));
  }
}

void write_files(const GateOptions& options, const analysis::GateResult& result) {
  const std::string markdown = analysis::gate_markdown(result, options.strict);
  const auto write_junit = [&](const std::string& path) {
    AtomicFile file(path);
    analysis::gate_junit(result, options.strict, [&](std::string_view part) { file.write(part); });
    file.commit();
  };
  if (!options.junit.empty()) write_junit(options.junit);
  if (!options.markdown.empty()) write_file_atomically(options.markdown, markdown);
  if (!options.out.empty()) {
    analysis::make_report_folder(options.out);
    const std::filesystem::path folder(options.out);
    write_junit((folder / "gate.xml").string());
    write_file_atomically((folder / "gate.md").string(), markdown);
    write_file_atomically((folder / "gate.json").string(),
                          analysis::gate_json(result, options.strict) + '\n');
  }
  if (options.github) append_step_summary(markdown);
}

int run_gate(const GateOptions& options) {
  const std::string date = today(options);
  // What people wrote by hand first: it is read in no time and wrong most often.
  const analysis::GateRules rules =
      options.rules.empty() ? analysis::default_rules() : analysis::read_rules(options.rules);
  const std::vector<analysis::Waiver> waivers = options.waivers.empty()
                                                    ? std::vector<analysis::Waiver>{}
                                                    : analysis::read_waivers(options.waivers);
  const analysis::Evidence baseline = analysis::load_evidence({options.baseline});
  const analysis::Evidence candidate = analysis::load_evidence(options.candidate);
  analysis::GateResult result = compare(baseline, candidate, rules, options.tolerated);
  apply_waivers(result, waivers, analysis::devices(candidate), date);
  write_files(options, result);
  if (options.json) {
    fmt::print("{}\n", analysis::gate_json(result, options.strict));
  } else {
    fmt::print("{}", analysis::gate_text(result, options.strict, options.show));
  }
  if (options.github) {
    fmt::print("{}", analysis::github_annotations(result, options.strict, options.baseline));
  }
  return analysis::exit_code(result.verdict(), options.strict);
}

void add_comparison_options(CLI::App* command, GateOptions& options) {
  command
      ->add_option("--rules", options.rules, "What is let pass (docs/gate.md); default: built in")
      ->type_name("FILE");
  command->add_option("--waivers", options.waivers, "Known failures, each with owner and expiry")
      ->type_name("FILE");
  command->add_flag("--strict", options.strict, "Exit with 4 when speed is undecided");
  command
      ->add_option("--today", options.today, "Date that waivers are held against; default: today")
      ->type_name("YYYY-MM-DD");
  command->add_flag("--across-versions", options.tolerated.versions,
                    "Compare results of different versions of lvsa-verify");
  command->add_flag(
      "--across-suites", options.tolerated.suites,
      "Compare what suites of other names, or sweeps of other tensors, have in common");
  command->add_flag("--across-devices", options.tolerated.devices,
                    "Compare speed measured on different devices");
}

void add_output_options(CLI::App* command, GateOptions& options) {
  command->add_option("--out", options.out, "Folder for gate.md, gate.xml (JUnit) and gate.json")
      ->type_name("DIR");
  command->add_option("--junit", options.junit, "JUnit XML into this file")->type_name("FILE");
  command->add_option("--markdown", options.markdown, "Markdown summary into this file")
      ->type_name("FILE");
  CLI::Option* json =
      command->add_flag("--json", options.json, "One JSON object instead of the table");
  command
      ->add_flag("--github", options.github,
                 "Annotations for GitHub Actions, and the summary into $GITHUB_STEP_SUMMARY")
      ->excludes(json);
  command
      ->add_option(
          "--show", options.show,
          "Most findings of a weight in the table; of a sweep the worst N/10 settings with "
          "the worst N/30 findings of each")
      ->type_name("N")
      ->capture_default_str();
}

}  // namespace

void add_gate_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<GateOptions>();
  CLI::App* command = app.add_subcommand(
      "gate", "Compare a run with a baseline: one exit code says whether a change may go in");
  command->add_option("baseline", options->baseline, "What lvsa-verify baseline stored")
      ->required()
      ->type_name("BASELINE");
  command
      ->add_option("candidate", options->candidate,
                   "The run: folders or files as lvsa-verify baseline takes them, or a baseline")
      ->required()
      ->type_name("CANDIDATE...");
  add_comparison_options(command, *options);
  add_output_options(command, *options);
  command->footer(
      "Example:\n"
      "  lvsa-verify kernel --kernel ./libmine.so --suite default --out report\n"
      "  lvsa-verify gate baseline.jsonl report --waivers waivers.json\n"
      "Exit codes: 0 pass, 1 correctness or quality, 3 slower, 4 undecided (with --strict), 2 bad "
      "input. Correctness outranks speed.");
  command->callback([options, &body] { body = [options] { return run_gate(*options); }; });
}

}  // namespace lvsa::app
