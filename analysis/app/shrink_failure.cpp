#include "analysis/app/shrink_failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "analysis/app/command.hpp"
#include "analysis/run/child_process.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;
using analysis::CaseResult;

// One case, judged as the options say.
CaseResult judge_alone(const Case& c, const KernelOptions& options) {
  CaseResult judged;
  KernelRun(options).run(one_case(c), [&](CaseResult result) { judged = std::move(result); });
  return judged;
}

// What a program printed, and how it ended where it did not end well.
std::string run_child(const std::vector<std::string>& argv, double seconds) {
  analysis::ChildProcess child(argv, {});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::string said;
  while (!child.ended() && std::chrono::steady_clock::now() < deadline) {
    child.read_output(said);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const bool ended = child.ended();
  if (!ended) child.kill();
  child.read_output(said);
  std::replace(said.begin(), said.end(), '\n', ' ');
  if (!ended) return fmt::format("it took more than {:.0f} s", seconds);
  return fmt::format("{}{}{}", end_text(child.end()), said.empty() ? "" : ": ", said);
}

// Values are made simpler by another process, which the kernel may end: `shrink --values`.
std::string save_replay(const Case& c, const std::string& check, const KernelOptions& options,
                        const std::string& path, double seconds) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  const std::string said = run_child(
      {"/proc/self/exe", "shrink", "--values", "--check", check, "--kernel", options.kernel,
       "--case", to_line(c), "--output", path, "--threads", std::to_string(options.threads)},
      2.0 * seconds + 10.0);
  return std::filesystem::is_regular_file(path, ignored) ? "" : said;
}

}  // namespace

Shrunk shrink_failure(const CaseResult& result, const KernelOptions& options,
                      const std::string& path, const analysis::ShrinkBudget& budget) {
  Shrunk shrunk;
  const std::string check = failure_kind(result);
  KernelOptions trial = options;
  trial.outcome.no_report = true;
  trial.jobs = 1;
  trial.quiet = true;
  trial.shrink = 0;
  const auto fails = [&](const Case& c) {
    ++shrunk.runs;
    return failure_kind(judge_alone(c, trial)) == check;
  };
  const bool slow = check == "timeout";  // every trial would take as long
  shrunk.c =
      slow || !result.c.file.empty() ? result.c : analysis::shrink_case(result.c, fails, budget);
  shrunk.why_no_file = save_replay(shrunk.c, check, options, path, budget.seconds);
  if (shrunk.why_no_file.empty()) shrunk.file = path;
  return shrunk;
}

std::string shrink_in_child(const CaseResult& result, const KernelOptions& options,
                            const std::string& path) {
  const std::string check = failure_kind(result);
  const analysis::ShrinkBudget budget;
  const bool hopeless = check.empty() || check == "timeout" || !result.c.file.empty() ||
                        analysis::case_products(result.c) > budget.products;
  if (hopeless) return "";
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  run_child({"/proc/self/exe", "shrink", "--check", check, "--kernel", options.kernel, "--case",
             result.line, "--output", path, "--threads", std::to_string(options.threads)},
            3.0 * budget.seconds);
  return std::filesystem::is_regular_file(path, ignored) ? path : "";
}

}  // namespace lvsa::app
