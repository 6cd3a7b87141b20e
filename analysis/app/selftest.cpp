// lvsa-verify selftest: kernels with known defects through the checks, and which check finds which.

#include "analysis/verify/selftest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "analysis/app/command.hpp"
#include "analysis/blocks/block_selftest.hpp"

namespace lvsa::app {
namespace {

struct SelftestOptions {
  std::string corpus = "frames";
  std::int64_t keys = 4096;
  bool score = false;
  bool json = false;
};

nlohmann::ordered_json to_json(const analysis::SelftestLine& line) {
  nlohmann::ordered_json made = {{"name", line.name}};
  if (!line.family.empty()) made["family"] = line.family;
  made["killed"] = line.killed();
  made["killed_small"] = line.killed_small();
  made["killed_long"] = line.killed_long();
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
      {"killed_small", report.killed_small()},
      {"killed_long", report.killed_long()},
      {"healthy", {{"name", report.healthy.name}, {"accused_by", report.healthy.by}}},
      {"checks", checks},
      {"defects", defects}};
  fmt::print("{}\n", all.dump());
}

char mark(const analysis::SelftestLine& line, const std::string& check) {
  const auto has = [&](const std::string& name) {
    return std::find(line.by.begin(), line.by.end(), name) != line.by.end();
  };
  const bool small = has(check);
  const bool many = has(std::string(analysis::kLongPrefix) + check);
  return small ? (many ? 'x' : 's') : (many ? 'l' : '.');
}

void print_line(const analysis::SelftestLine& line) {
  fmt::print("{:<24} {:<9}", line.name, line.family);
  for (const auto& check : analysis::SelftestCases::checks()) {
    fmt::print(" {:>2}", mark(line, check.name));
  }
  const char* note = "";
  if (!line.killed_long()) note = line.killed() ? "  SURVIVES LONG CASES" : "  SURVIVED";
  fmt::print("{}\n", line.family.empty() ? "" : note);
}

void print_text(const analysis::SelftestReport& report, std::int64_t keys) {
  const auto& checks = analysis::SelftestCases::checks();
  for (std::size_t i = 0; i < checks.size(); ++i) {
    fmt::print("{:>2} {:<15} {}\n", i + 1, checks[i].name, checks[i].description);
  }
  fmt::print("\ns: found by small cases, l: by cases with {} keys a row, x: by both\n\n", keys);
  fmt::print("{:<24} {:<9}", "kernel", "family");
  for (std::size_t i = 0; i < checks.size(); ++i) fmt::print(" {:>2}", i + 1);
  fmt::print("\n");
  print_line(report.healthy);
  for (const auto& line : report.defects) print_line(line);
  const std::size_t all = report.defects.size();
  fmt::print("\nsmall cases alone: {} of {}; cases with {} keys a row alone: {} of {}\n",
             report.killed_small(), all, keys, report.killed_long(), all);
  fmt::print("healthy kernel: {}\n", report.healthy.by.empty() ? "passes all checks" : "ACCUSED");
  fmt::print("{} of {} defects killed\n", report.killed(), all);
}

nlohmann::ordered_json block_line(const analysis::SelftestLine& line) {
  return {{"name", line.name},
          {"family", line.family},
          {"killed", line.killed()},
          {"by", line.by},
          {"description", line.description}};
}

void print_blocks_json(const analysis::BlockSelftestReport& report) {
  auto defects = nlohmann::ordered_json::array();
  for (const auto& line : report.defects) defects.push_back(block_line(line));
  const nlohmann::ordered_json all = {
      {"corpus", "blocks"},
      {"killed", report.killed()},
      {"healthy", {{"name", report.healthy.name}, {"accused_by", report.healthy.by}}},
      {"defects", defects}};
  fmt::print("{}\n", all.dump());
}

void print_blocks(const analysis::BlockSelftestReport& report) {
  for (const auto& line : report.defects) {
    constexpr std::size_t kMost = 4;
    const std::vector<std::string> first(
        line.by.begin(),
        line.by.begin() + static_cast<std::ptrdiff_t>(std::min(kMost, line.by.size())));
    fmt::print("{:<24} {:<9} {}{}\n", line.name, line.family,
               line.killed() ? fmt::format("{}", fmt::join(first, " ")) : "SURVIVED",
               line.by.size() > kMost ? fmt::format(" and {} more", line.by.size() - kMost) : "");
  }
  fmt::print("\nhealthy kernel: {}\n",
             report.healthy.by.empty()
                 ? "passes all checks"
                 : fmt::format("ACCUSED by {}", fmt::join(report.healthy.by, " ")));
  fmt::print("{} of {} defects killed\n", report.killed(), report.defects.size());
}

int run_blocks(const SelftestOptions& options) {
  const analysis::BlockSelftestReport report = analysis::run_block_selftest(
      options.score ? analysis::SelftestDepth::kFirstKill : analysis::SelftestDepth::kComplete);
  if (options.json) {
    print_blocks_json(report);
  } else {
    print_blocks(report);
  }
  return report.good() ? kAllGood : kCheckFailed;
}

int run_selftest(const SelftestOptions& options) {
  if (options.corpus == "blocks") return run_blocks(options);
  const analysis::SelftestReport report =
      analysis::run_selftest(options.keys, options.score ? analysis::SelftestDepth::kFirstKill
                                                         : analysis::SelftestDepth::kComplete);
  if (options.json) {
    print_json(report, options.keys);
  } else {
    print_text(report, options.keys);
  }
  return report.good() ? kAllGood : kCheckFailed;
}

}  // namespace

void add_selftest_command(CLI::App& app, Body& body) {
  const auto options = std::make_shared<SelftestOptions>();
  CLI::App* command = app.add_subcommand(
      "selftest", "Run kernels with known defects through the checks: which check finds which");
  command
      ->add_option("--corpus", options->corpus,
                   "Kernels that take frame lists, or block-sparse kernels")
      ->capture_default_str()
      ->check(CLI::IsMember({"frames", "blocks"}));
  command
      ->add_option("--keys", options->keys,
                   "Keys that a row of the long cases attends, for example 8192 or 32768")
      ->capture_default_str()
      ->check(CLI::Range(512, 1048576));
  command->add_flag("--score", options->score,
                    "Leave a kernel as soon as a small and a long case have found something: the "
                    "score alone, in a fraction of the time");
  command->add_flag("--json", options->json, "One JSON object instead of the matrix");
  command->footer(
      "Example:\n  lvsa-verify selftest --keys 8192\n"
      "Exit code 0 when the long cases alone (of block-sparse kernels: all cases) find every "
      "defect "
      "and the healthy kernel passes all checks, else 1.");
  command->callback([options, &body] { body = [options] { return run_selftest(*options); }; });
}

}  // namespace lvsa::app
