// lvsa-verify evidence: what common criteria see of known defects, beside what the bounds see.

#include "analysis/verify/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/app/progress.hpp"

namespace lvsa::app {
namespace {

struct EvidenceOptions {
  std::vector<std::int64_t> keys = {8192, 32768};
  bool json = false;
};

// "41" or "41, accuses cpu".
std::string cell(const analysis::EvidenceColumn& column, std::size_t criterion) {
  std::string text = fmt::format("{}", column.caught[criterion].size());
  for (const std::string& name : column.alarms[criterion]) text += ", accuses " + name;
  return text;
}

void print_markdown(const analysis::EvidenceTable& table) {
  fmt::print("Defects rejected, of {}:\n\n| criterion |", table.defects);
  for (const auto& column : table.columns) fmt::print(" {} |", column.name);
  fmt::print("\n|---|");
  for (std::size_t i = 0; i < table.columns.size(); ++i) fmt::print("---|");
  fmt::print("\n");
  for (std::size_t i = 0; i < table.criteria.size(); ++i) {
    fmt::print("| {} |", table.criteria[i].name);
    for (const auto& column : table.columns) fmt::print(" {} |", cell(column, i));
    fmt::print("\n");
  }
  fmt::print("\n");
  for (const auto& criterion : table.criteria) {
    fmt::print("- {}: {}\n", criterion.name, criterion.description);
  }
  fmt::print("\n");
  for (const auto& column : table.columns) fmt::print("- {}: `{}`\n", column.name, column.line);
}

void print_json(const analysis::EvidenceTable& table) {
  auto columns = nlohmann::ordered_json::array();
  for (const auto& column : table.columns) {
    auto verdicts = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < table.criteria.size(); ++i) {
      verdicts.push_back({{"criterion", table.criteria[i].name},
                          {"caught", column.caught[i]},
                          {"accused", column.alarms[i]}});
    }
    columns.push_back({{"name", column.name}, {"case", column.line}, {"verdicts", verdicts}});
  }
  const nlohmann::ordered_json all = {{"defects", table.defects}, {"columns", columns}};
  fmt::print("{}\n", all.dump());
}

// The bounds accuse no healthy kernel.
bool good(const analysis::EvidenceTable& table) {
  for (const auto& column : table.columns) {
    for (std::size_t i = 0; i < table.criteria.size(); ++i) {
      if (table.criteria[i].name.starts_with("tier") && !column.alarms[i].empty()) return false;
    }
  }
  return true;
}

int run_evidence(const EvidenceOptions& options) {
  Progress progress(100);
  const analysis::EvidenceTable table =
      analysis::collect_evidence(options.keys, [&](std::size_t done, std::size_t all) {
        progress.show(static_cast<std::int64_t>(100 * done / all), 0.0, "evidence");
      });
  progress.clear();
  if (options.json) {
    print_json(table);
  } else {
    print_markdown(table);
  }
  return good(table) ? kAllGood : kCheckFailed;
}

}  // namespace

void add_evidence_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<EvidenceOptions>();
  CLI::App* command = app.add_subcommand(
      "evidence",
      "Count the known defects that criteria in common use reject, and those that the "
      "bounds reject");
  command
      ->add_option("--keys", options->keys, "Keys that a row attends; several lengths may follow")
      ->capture_default_str()
      ->check(CLI::Range(512, 1048576));
  command->add_flag("--json", options->json, "One JSON object, with names, instead of the table");
  command->footer(
      "Example:\n  lvsa-verify evidence --keys 8192 32768      (minutes)\n"
      "Prints Markdown. Exit code 0 when the bounds accuse no healthy kernel, else 1.");
  command->callback([options, &body] { body = [options] { return run_evidence(*options); }; });
}

}  // namespace lvsa::app
