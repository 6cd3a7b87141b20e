#include "analysis/app/sweep_run.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "analysis/app/progress.hpp"
#include "analysis/sweep/pattern_metrics.hpp"
#include "analysis/sweep/sweep_finish.hpp"
#include "analysis/sweep/sweep_ranks.hpp"
#include "core/error.hpp"
#include "core/version.hpp"

namespace lvsa::app {
namespace {

using analysis::RankLink;
using analysis::SweepFolder;
using analysis::SweepPlan;
using analysis::UnitResult;

SweepPlan plan_of(const SweepOptions& options, const analysis::SampleSource& source) {
  std::vector<analysis::SweepSetting> settings;
  if (!source.ids().empty()) {  // else plan_of_source() says so
    settings = chosen_settings(options.settings, source.grid(0).frames);
  }
  SweepPlan plan = plan_of_source(source, settings, options.rows_per_frame, options.row_seed);
  plan.tool = fmt::format("{} ({})", kVersion, kCommit);
  plan.shard = analysis::parse_shard(options.shard);
  if (options.patterns_per_unit > 0) plan.patterns_per_unit = options.patterns_per_unit;
  return plan;
}

std::string this_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

class SweepRun {
 public:
  SweepRun(const SweepOptions& options, RankLink* link)
      : options_(options),
        link_(link),
        source_(open_samples(options.samples)),
        plan_(plan_of(options, *source_)),
        patterns_(plan_.settings, plan_.grid.frames),
        units_(plan_, patterns_),
        worker_(*source_, patterns_, units_,
                [this](const analysis::Sample& sample, std::span<const FramePattern> some) {
                  return evaluate_patterns(sample, some, {plan_.rows_per_frame, plan_.row_seed},
                                           options_.threads);
                }) {}

  // Of the process that writes.
  int run(const std::string& command_line) {
    SweepFolder folder(options_.out, plan_, options_.folder);
    if (folder.finished()) {
      fmt::print(stderr, "{}: the sweep is there already\n", options_.out);
      return finish_sweep_outcome(folder.results(), options_.outcome, options_.out);
    }
    if (folder.units_before() > 0) {
      fmt::print(stderr, "resuming {}: {} of {} units are done\n", options_.out,
                 folder.units_before(), analysis::shard_size(plan_.shard, units_.count()));
    }
    analysis::Provenance provenance = analysis::joined(analysis::read_provenance(options_.out),
                                                       analysis::collect_provenance(command_line));
    if (link_ != nullptr) {
      provenance = analysis::joined(
          provenance, {{"ranks", fmt::format("{} over {}", link_->size(), link_->description())}});
    }
    analysis::write_provenance(provenance, options_.out);
    if (!compute(folder.journal())) return kBadInput;
    if (plan_.shard.of > 1) return tell_shard(folder.journal());
    analysis::SweepResults results = finish_sweep(
        plan_, patterns_, units_, [&](std::int64_t unit) { return folder.journal().read(unit); });
    results.provenance = std::move(provenance);
    const int code = finish_sweep_outcome(results, options_.outcome, options_.out);
    folder.close_journal();
    return code;
  }

  // Of the others.
  void run_for_root() {
    const StopSignals signals;  // rank 0 says when to end
    was_served_ = true;
    compute_for_root(*link_, sweep_plan_json(plan_),
                     [&](std::int64_t unit) { return worker_.compute(unit); });
  }

  // Whether the other ranks heard from this one.
  bool was_served() const { return was_served_; }

 private:
  std::vector<std::int64_t> units_to_do(const analysis::SweepJournal& journal) const {
    std::vector<std::int64_t> numbers;
    for (std::int64_t unit = plan_.shard.number; unit <= units_.count(); unit += plan_.shard.of) {
      if (!journal.has(unit)) numbers.push_back(unit);
    }
    return numbers;
  }

  // False when a signal ended it after the units in hand.
  bool compute(analysis::SweepJournal& journal) {
    const std::vector<std::int64_t> numbers = units_to_do(journal);
    const StopSignals signals;
    Progress bar(static_cast<std::int64_t>(numbers.size()), options_.quiet);
    std::int64_t done = 0;
    const auto take = [&](const UnitResult& result) {
      journal.add(result);
      bar.show(++done, 0.0, describe(plan_.samples[units_.sample(result.unit)]));
    };
    bar.show(0, 0.0, describe(plan_.samples.front()));
    bool whole = true;
    if (link_ != nullptr) {
      was_served_ = true;
      whole = serve_ranks(*link_, sweep_plan_json(plan_),
                          {numbers, [&](std::int64_t unit) { return worker_.compute(unit); }, take,
                           [&] { return was_stopped(signals); }});
    } else {
      for (std::size_t i = 0; i < numbers.size() && whole; ++i) {
        take(worker_.compute(numbers[i]));
        whole = i + 1 == numbers.size() || !was_stopped(signals);
      }
    }
    bar.clear();
    if (!whole) tell_stopped(journal);
    return whole;
  }

  // The signal does the rest when its guard is gone.
  void tell_stopped(const analysis::SweepJournal& journal) const {
    std::fflush(stdout);
    fmt::print(
        stderr,
        "lvsa-verify sweep: stopped: {} of {} units are kept in {}, and --resume goes on from "
        "there\n",
        journal.done(), analysis::shard_size(plan_.shard, units_.count()), options_.out);
  }

  int tell_shard(const analysis::SweepJournal& journal) const {
    fmt::print(
        "shard {} in {}: its {} units (of {} in all) are done; lvsa-verify merge makes one sweep "
        "of all shards\n",
        options_.shard, options_.out, journal.done(), units_.count());
    return kAllGood;
  }

  const SweepOptions& options_;
  RankLink* link_;
  bool was_served_ = false;
  std::unique_ptr<analysis::SampleSource> source_;
  SweepPlan plan_;
  analysis::SweepPatterns patterns_;
  analysis::SweepUnits units_;
  analysis::UnitWorker worker_;
};

// Rank 0 tells what went wrong, whichever rank it was.
int run_other_rank(const SweepOptions& options, RankLink& link) {
  std::unique_ptr<SweepRun> run;
  try {
    run = std::make_unique<SweepRun>(options, &link);
  } catch (const std::exception& error) {
    analysis::report_failure(link, error.what());
    return kAllGood;
  }
  run->run_for_root();
  return kAllGood;
}

int run_ranks(const SweepOptions& options, const std::string& command_line) {
  const auto link = analysis::open_mpi_link(this_program());
  if (link->rank() != 0) return run_other_rank(options, *link);
  std::unique_ptr<SweepRun> run;
  try {
    run = std::make_unique<SweepRun>(options, link.get());
    const int code = run->run(command_line);
    if (!run->was_served()) dismiss_ranks(*link);
    return code;
  } catch (...) {
    if (!run || !run->was_served()) dismiss_ranks(*link);
    throw;
  }
}

}  // namespace

bool was_stopped(const StopSignals& signals) {
  pollfd waiting{signals.descriptor(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

// A signal goes to any thread that does not block it. The threads of OpenMP are started while all
// is blocked, and stay so.
void start_threads() {
  const StopSignals blocked;
  int started = 0;
#pragma omp parallel reduction(+ : started)
  ++started;
  if (started < 1) throw Error(ErrorKind::kValue, "OMP_NUM_THREADS: no thread can be started");
}

int run_sweep(const SweepOptions& options, const std::string& command_line) {
  start_threads();
  front_request(options.outcome);  // what is wrong with it shows before anything is computed
  if (options.mpi) return run_ranks(options, command_line);
  return SweepRun(options, nullptr).run(command_line);
}

}  // namespace lvsa::app
