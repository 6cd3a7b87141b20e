// lvsa-verify baseline: stores a run as what later ones are compared with.

#include <fmt/format.h>

#include <memory>

#include "analysis/app/gate.hpp"
#include "analysis/gate/baseline_file.hpp"
#include "analysis/gate/evidence_load.hpp"
#include "analysis/gate/judge_case.hpp"

namespace lvsa::app {
namespace {

struct Options {
  std::vector<std::string> sources;
  std::string out = "baseline.jsonl";
  bool with_failures = false;
};

// What a baseline should not hold without somebody's decision.
std::int64_t failures(const analysis::Evidence& evidence) {
  std::int64_t count = 0;
  if (evidence.conformance) {
    evidence.conformance->cases.for_each([&](const analysis::CaseRecord& record) {
      count += analysis::is_failure(record.status) ? 1 : 0;
    });
  }
  if (evidence.patterns) {
    for (const analysis::PatternFile& file : evidence.patterns->files) count += file.failed;
  }
  return count;
}

void print_parts(const analysis::Evidence& evidence) {
  const auto print = [](const char* kind, const auto& part, std::size_t entries) {
    fmt::print("{:<12} {:>6} from {}\n", kind, entries, part->source);
  };
  if (evidence.conformance) {
    print("conformance", evidence.conformance, evidence.conformance->cases.size());
  }
  if (evidence.patterns) print("patterns", evidence.patterns, evidence.patterns->files.size());
  if (evidence.sweep) print("sweep", evidence.sweep, evidence.sweep->rows.size());
  if (evidence.speed) print("speed", evidence.speed, evidence.speed->rows.size());
}

int run(const Options& options) {
  const analysis::Evidence evidence = analysis::load_evidence(options.sources);
  const std::int64_t failed = failures(evidence);
  if (failed > 0 && !options.with_failures) {
    fmt::print(stderr,
               "lvsa-verify baseline: {} in {}: a gate would take them for known and let them be; "
               "nothing stored (--with-failures stores them)\n",
               failed == 1 ? "1 failure" : fmt::format("{} failures", failed), evidence.name);
    return kCheckFailed;
  }
  analysis::write_baseline(options.out, evidence, analysis::collect_provenance(command_line()));
  print_parts(evidence);
  fmt::print("stored: {}{}\n", options.out,
             failed > 0 ? fmt::format(", with {} failing", failed) : "");
  return kAllGood;
}

}  // namespace

void add_baseline_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "baseline", "Store a run (conformance, patterns, sweep, benchmark) for lvsa-verify gate");
  command
      ->add_option("sources", options->sources,
                   "Folders that kernel or sweep wrote, or files: report.jsonl, sweep.h5, the JSON "
                   "of bench or of vectors --json")
      ->required()
      ->type_name("FILE|DIR...");
  command->add_option("--out", options->out, "The baseline: JSON lines, for version control")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_flag("--with-failures", options->with_failures,
                    "Store a run with failing cases; the gate then reports them as known");
  command->footer(
      "Example:\n"
      "  lvsa-verify kernel --kernel ./libmine.so --suite default --out report\n"
      "  lvsa-verify baseline report --out baseline.jsonl\n"
      "Exit codes: 0 stored, 1 the run has failures, 2 bad input.");
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
