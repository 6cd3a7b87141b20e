// lvsa-verify selftest: kernels with known defects through the checks, and which check finds which.

#include "analysis/verify/selftest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"

namespace lvsa::app {
namespace {

struct Options {
  std::int64_t keys = 4096;
  bool json = false;
};

nlohmann::ordered_json to_json(const analysis::SelftestLine& line) {
  nlohmann::ordered_json made = {{"name", line.name}};
  if (!line.family.empty()) made["family"] = line.family;
  made["killed"] = !line.by.empty();
  made["by"] = line.by;
  made["description"] = line.description;
  return made;
}

void print_json(const analysis::SelftestReport& report, std::int64_t keys) {
  auto defects = nlohmann::ordered_json::array();
  for (const auto& line : report.defects) defects.push_back(to_json(line));
  auto checks = nlohmann::ordered_json::array();
  for (const auto& check : analysis::SelftestCases::checks()) {
    checks.push_back({{"name", check.name}, {"description", check.description}});
  }
  const nlohmann::ordered_json all = {
      {"keys", keys},
      {"killed", report.killed()},
      {"healthy", {{"name", report.healthy.name}, {"accused_by", report.healthy.by}}},
      {"checks", checks},
      {"defects", defects}};
  fmt::print("{}\n", all.dump());
}

void print_line(const analysis::SelftestLine& line) {
  fmt::print("{:<24} {:<9}", line.name, line.family);
  for (const auto& check : analysis::SelftestCases::checks()) {
    const bool by = std::find(line.by.begin(), line.by.end(), check.name) != line.by.end();
    fmt::print(" {:>2}", by ? "x" : ".");
  }
  fmt::print("{}\n", line.by.empty() && !line.family.empty() ? "  SURVIVED" : "");
}

void print_text(const analysis::SelftestReport& report) {
  const auto& checks = analysis::SelftestCases::checks();
  for (std::size_t i = 0; i < checks.size(); ++i) {
    fmt::print("{:>2} {:<15} {}\n", i + 1, checks[i].name, checks[i].description);
  }
  fmt::print("\n{:<24} {:<9}", "kernel", "family");
  for (std::size_t i = 0; i < checks.size(); ++i) fmt::print(" {:>2}", i + 1);
  fmt::print("\n");
  print_line(report.healthy);
  for (const auto& line : report.defects) print_line(line);
  fmt::print("\nhealthy kernel: {}\n", report.healthy.by.empty() ? "passes all checks" : "ACCUSED");
  fmt::print("{} of {} defects killed\n", report.killed(), report.defects.size());
}

int run(const Options& options) {
  const analysis::SelftestReport report = analysis::run_selftest(options.keys);
  if (options.json) {
    print_json(report, options.keys);
  } else {
    print_text(report);
  }
  return report.good() ? kAllGood : kCheckFailed;
}

}  // namespace

void add_selftest_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "selftest", "Run kernels with known defects through the checks: which check finds which");
  command
      ->add_option("--keys", options->keys,
                   "Keys that a row of the long cases attends, for example 8192 or 32768")
      ->capture_default_str()
      ->check(CLI::Range(512, 1048576));
  command->add_flag("--json", options->json, "One JSON object instead of the matrix");
  command->footer(
      "Example:\n  lvsa-verify selftest --keys 8192\n"
      "Exit code 0 when every defect is found and the healthy kernel passes all checks, else 1.");
  command->callback([options, &body] { body = [options] { return run(*options); }; });
}

}  // namespace lvsa::app
