// lvsa-verify vectors: replays recorded cases.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/report/provenance.hpp"
#include "analysis/vectors/manifest.hpp"
#include "analysis/vectors/replay.hpp"

namespace lvsa::app {
namespace {

struct VectorsOptions {
  std::vector<std::string> files;
  bool json = false;
  std::int64_t show = 20;
};

void print_mismatch(const analysis::Mismatch& m) {
  fmt::print("FAIL {} {}: {}\n  arguments {}\n  expected  {}\n  got       {}\n", m.file, m.where,
             m.function, m.arguments, m.expected, m.got);
}

nlohmann::ordered_json to_json(const analysis::Mismatch& m) {
  return {{"file", m.file},           {"where", m.where},       {"function", m.function},
          {"arguments", m.arguments}, {"expected", m.expected}, {"got", m.got}};
}

nlohmann::ordered_json provenance() {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : analysis::collect_provenance(command_line())) json[name] = value;
  return json;
}

int run_vectors(const VectorsOptions& options) {
  analysis::ReplaySummary total;
  auto files = nlohmann::ordered_json::array();
  auto mismatches = nlohmann::ordered_json::array();
  for (const std::string& path : options.files) {
    if (analysis::is_named_folder(path)) {
      fmt::print(stderr, "{}: holds no recorded vectors, left out\n", path);
      continue;
    }
    std::int64_t shown = 0;
    const auto summary = analysis::replay_file(path, [&](const analysis::Mismatch& mismatch) {
      if (options.json) {
        mismatches.push_back(to_json(mismatch));
      } else if (shown++ < options.show) {
        print_mismatch(mismatch);
      }
    });
    if (!options.json) {
      if (shown > options.show) fmt::print("... and {} more in {}\n", shown - options.show, path);
      fmt::print("{}: {} passed, {} failed\n", path, summary.passed, summary.failed);
    }
    files.push_back({{"file", path}, {"passed", summary.passed}, {"failed", summary.failed}});
    total.passed += summary.passed;
    total.failed += summary.failed;
  }
  if (options.json) {
    const nlohmann::ordered_json report = {{"passed", total.passed},
                                           {"failed", total.failed},
                                           {"files", files},
                                           {"mismatches", mismatches},
                                           {"provenance", provenance()}};
    fmt::print("{}\n", report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{} passed, {} failed\n", total.passed, total.failed);
  }
  return total.failed == 0 ? kAllGood : kCheckFailed;
}

}  // namespace

void add_vectors_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<VectorsOptions>();
  CLI::App* command =
      app.add_subcommand("vectors",
                         "Replay recorded cases of the published implementation: pattern functions "
                         "(.ndjson, .ndjson.gz) and attention outputs (.h5)");
  command->add_option("files", options->files, "Files of recorded cases")
      ->required()
      ->type_name("FILE");
  command->add_option("--show", options->show, "Mismatches printed in full for each file")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options->json, "One JSON object with all mismatches instead of text");
  command->footer(
      "Example:\n  lvsa-verify vectors fixtures/*.ndjson.gz fixtures/*.h5\n"
      "Exit code 0 when every case agrees, 1 when one differs, 2 for a file that is none.");
  command->callback([options, &body] { body = [options] { return run_vectors(*options); }; });
}

}  // namespace lvsa::app
