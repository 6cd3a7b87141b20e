#include "analysis/app/outcome.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/report/provenance.hpp"
#include "analysis/report/table.hpp"
#include "analysis/report/write_reports.hpp"
#include "analysis/verify/byte_hash.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace lvsa::app {

using analysis::CaseResult;
using analysis::ResultStore;
using analysis::RunPlan;
using analysis::RunSummary;
using analysis::Status;

void add_outcome_options(CLI::App* command, OutcomeOptions& options) {
  CLI::Option* out = command
                         ->add_option("--out", options.out,
                                      "Folder for report.html, report.md, report.jsonl, report.xml")
                         ->capture_default_str()
                         ->type_name("DIR");
  command->add_flag("--no-report", options.no_report, "Write no report files")->excludes(out);
  command->add_flag("--strict", options.strict, "Exit with 1 for weak cases too");
  command->add_flag("--no-times", options.no_times,
                    "Leave out times, dates and the command line: the same run then gives the "
                    "same reports, byte by byte");
  command->add_flag("--json", options.json, "One JSON object instead of the table");
}

RunPlan new_plan(const std::string& kernel, const std::string& suite, std::int64_t cases,
                 std::uint64_t suite_hash) {
  RunPlan plan;
  plan.tool = fmt::format("{} ({})", kVersion, kCommit);
  plan.kernel = kernel;
  plan.suite = suite;
  plan.cases = cases;
  plan.suite_hash = suite_hash;
  return plan;
}

RunOutcome::RunOutcome(const OutcomeOptions& options, const OutcomeWords& words,
                       const RunPlan& plan, const std::string& command_line)
    : options_(options), words_(words), turn_(plan.shard.number) {
  open_store(plan, command_line);
  if (!options_.json) fmt::print("{}\n", analysis::result_table_header());
  print_in_turn();
}

void RunOutcome::open_store(const RunPlan& plan, const std::string& command_line) {
  analysis::Provenance provenance = analysis::collect_provenance(command_line);
  if (options_.no_times) provenance = analysis::timeless(std::move(provenance));
  if (options_.no_report) {
    store_ = ResultStore::create("", plan, provenance);
    return;
  }
  try {
    analysis::make_report_folder(options_.out);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("--out {}", error.what()));
  }
  lock_ = std::make_unique<analysis::FolderLock>(options_.out.empty() ? "." : options_.out);
  const std::string path = (std::filesystem::path(options_.out) / "report.jsonl").string();
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored);
  if (!options_.resume || !exists) {
    if (options_.resume) fmt::print(stderr, "{}: is not there, starting anew\n", path);
    if (exists) set_aside(path);
    store_ = ResultStore::create(path, plan, provenance);
    analysis::remove_derived_reports(options_.out);
    return;
  }
  store_ = ResultStore::open(path, true);
  const std::string other = analysis::difference(store_->plan(), plan, false);
  if (!other.empty()) {
    throw Error(ErrorKind::kValue, fmt::format("--resume: {} is of another run: {}", path, other));
  }
  store_->set_provenance(analysis::joined(store_->provenance(), provenance));
  fmt::print(stderr, "resuming {}: {} of {} cases are done\n", path, done(),
             analysis::shard_size(plan.shard, plan.cases));
}

// What an interrupted run has found is not thrown away by a run that was not asked to go on with
// it.
void RunOutcome::set_aside(const std::string& path) const {
  const std::string kept =
      (std::filesystem::path(options_.out) / "report.interrupted.jsonl").string();
  std::int64_t cases = 0;
  try {
    const auto old = ResultStore::open(path, false);
    if (old->was_complete()) return;
    cases = old->totals().cases();
  } catch (const Error&) {  // of an older version, or no report at all: replaced as ever
    return;
  }
  if (cases == 0) return;
  std::error_code error;
  std::filesystem::rename(path, kept, error);
  if (error) {
    throw Error(ErrorKind::kIo,
                fmt::format("{}: cannot be renamed to {}: {}", path, kept, error.message()));
  }
  fmt::print(stderr,
             "{}: {} results of an interrupted run are now in {}; --resume would have gone on with "
             "them\n",
             path, cases, kept);
}

void RunOutcome::set_provenance(const analysis::Provenance& provenance) {
  store_->set_provenance(options_.no_times ? analysis::timeless(provenance) : provenance);
}

void RunOutcome::add(CaseResult result) {
  if (options_.no_times) {
    result.timings = {};
    result.useful_gflops = 0.0;
  }
  store_->add(result);
  const std::int64_t number = result.number;
  constexpr std::size_t kMostEarly = 256;  // one slow case holds up any number of others
  const bool keeps = number == turn_ || early_.size() < kMostEarly;
  if (!options_.json && keeps) early_.emplace(number, std::move(result));
  print_in_turn();
}

void RunOutcome::print_in_turn() {
  if (options_.json) return;
  bool printed = false;
  while (turn_ <= store_->plan().cases) {
    const auto early = early_.find(turn_);
    if (early != early_.end()) {
      print_row(early->second);
      early_.erase(early);
    } else if (store_->has(turn_)) {  // of the run that is resumed, or long finished
      print_row(store_->at(turn_));
    } else {
      break;
    }
    turn_ += store_->plan().shard.of;
    printed = true;
  }
  if (printed) std::fflush(stdout);
}

void RunOutcome::print_row(const CaseResult& result) const {
  fmt::print("{}\n", analysis::result_row(result));
  if (!analysis::is_failure(result.status)) return;
  fmt::print("  {}\n", result.message);
  std::string failing;
  for (const analysis::NamedCheck& check : result.checks) {
    if (check.state != analysis::CheckState::kFails) continue;
    failing += (failing.empty() ? "" : ", ") + check.name;
  }
  if (!failing.empty()) fmt::print("  failing checks: {}\n", failing);
  if (!result.where.empty()) fmt::print("  where: {}\n", result.where);
  if (!result.replay.empty()) fmt::print("  smallest: lvsa-verify replay {}\n", result.replay);
  fmt::print("  repeat: {}\n", result.command);
}

void RunOutcome::print_summary() const {
  const RunSummary& summary = store_->totals().summary;
  const auto listed = [&](Status status) {
    return status == Status::kWeak || (status == Status::kUnsupported && words_.lists_unsupported);
  };
  store_->for_each(listed, [](const CaseResult& result) {
    fmt::print("{} {}\n  {}\n", result.status == Status::kWeak ? "WEAK" : "SKIPPED", result.line,
               result.message);
  });
  if (!options_.no_report) {
    fmt::print("reports: {0}/report.html, {0}/report.md, {0}/report.jsonl, {0}/report.xml\n",
               options_.out);
  }
  if (summary.weak > 0) {
    fmt::print("{} of the passed are weak: their bounds are too wide to mean much\n", summary.weak);
  }
  if (summary.unsupported > 0) fmt::print("{} {}\n", summary.unsupported, words_.unsupported);
  fmt::print("{} passed, {} failed\n", summary.passed, summary.failed);
}

void RunOutcome::print_json() const {
  const RunSummary& summary = store_->totals().summary;
  fmt::print("{{\"passed\":{},\"weak\":{},\"failed\":{},\"unsupported\":{},\"cases\":[",
             summary.passed, summary.weak, summary.failed, summary.unsupported);
  const char* comma = "";
  store_->for_each_line([&](std::string_view line) {
    fmt::print("{}{}", comma, line);
    comma = ",";
  });
  fmt::print("]}}\n");
}

std::string RunOutcome::kept_text() const {
  const std::string done_text = fmt::format(
      "{} of {} cases", done(), analysis::shard_size(store_->plan().shard, store_->plan().cases));
  if (options_.no_report)
    return fmt::format("{} were done, and nothing of them is kept", done_text);
  return fmt::format("{} are kept in {}/report.jsonl, and --resume goes on from there", done_text,
                     options_.out);
}

// With the reason of the first case, which mostly is that of all.
void RunOutcome::tell_nothing_ran() const {
  std::string reason;
  store_->for_each([&](Status) { return reason.empty(); },
                   [&](const CaseResult& result) {
                     if (reason.empty()) reason = result.message;
                   });
  fmt::print(stderr, "{}{}{}\n", words_.nothing_ran, reason.empty() ? "" : ": ", reason);
}

int RunOutcome::finish() {
  if (!options_.no_report) {
    analysis::write_derived_reports(options_.out, *store_, store_->provenance());
    store_->finish();  // last: its summary says that all is there
  }
  if (options_.json) {
    print_json();
  } else {
    print_summary();
  }
  const RunSummary& summary = store_->totals().summary;
  const bool nothing_ran = summary.passed + summary.failed == 0;
  if (nothing_ran) tell_nothing_ran();
  const bool good = summary.failed == 0 && !nothing_ran && !(options_.strict && summary.weak > 0);
  return good ? kAllGood : kCheckFailed;
}

}  // namespace lvsa::app
