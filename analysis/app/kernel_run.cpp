#include "analysis/app/kernel_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "analysis/app/command.hpp"
#include "analysis/app/progress.hpp"
#include "analysis/app/shrink_failure.hpp"
#include "analysis/app/stop_signals.hpp"
#include "analysis/blocks/run_block_case.hpp"
#include "analysis/report/jsonl_reader.hpp"
#include "analysis/report/jsonl_report.hpp"
#include "analysis/verify/probes.hpp"
#include "analysis/verify/run_case.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using analysis::Case;
using analysis::CaseResult;

std::int64_t worker_threads(const KernelOptions& options) {
  const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  return std::max<std::int64_t>(1, cores / std::max<std::int64_t>(1, options.jobs));
}

std::vector<std::string> worker_words(const KernelOptions& options) {
  constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
  std::vector<std::string> words = command_words();
  words.front() = "/proc/self/exe";
  const auto limit_b = static_cast<std::int64_t>(std::llround(options.memory_limit_gib * kGiB));
  words.emplace_back("--as-worker");
  words.push_back(analysis::to_text({getpid(), limit_b}));
  return words;
}

// Several workers share the cores, and workers share them with what else runs: threads that spin
// while they wait make small cases a hundred times slower there. What a user has set stays.
std::vector<std::string> worker_environment(const KernelOptions& options) {
  std::vector<std::string> variables;
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) variables.emplace_back("OMP_WAIT_POLICY=passive");
  if (options.jobs > 1 && std::getenv("OMP_NUM_THREADS") == nullptr) {
    variables.push_back(fmt::format("OMP_NUM_THREADS={}", worker_threads(options)));
  }
  return variables;
}

}  // namespace

CaseResult judge_case(const Case& c, const KernelChoice& choice, const KernelOptions& options,
                      const analysis::CaseProgress& progress) {
  const lvsa_kernel& kernel = *choice.kernel;
  analysis::RunOptions run;
  run.threads = static_cast<std::int32_t>(options.threads);
  if (options.threads == 0 && options.jobs > 1) {
    run.threads = static_cast<std::int32_t>(worker_threads(options));
  }
  run.relations = analysis::parse_relation_choice(options.relations);
  run.kernel_option = options.kernel;
  run.progress = progress.share;
  run.part = progress.part;
  const bool captured =
      is_captured_kernel(kernel) ||
      (!options.capture.path.empty() && !options.kernel_given && analysis::has_captured_output(c));
  if (captured) return analysis::judge_captured(c, run);
  const bool maps = !c.pattern.empty() || kernel.run == nullptr;
  if (choice.blocks != nullptr && maps) return analysis::run_block_case(c, *choice.blocks, run);
  CaseResult result = analysis::run_case(c, kernel, run);
  // --relations none: the kernel is called once and no more.
  const bool may_call = run.relations != analysis::RelationChoice::kNone;
  if (options.probes && may_call) analysis::add_probes(result, kernel, run);
  return result;
}

// Who adds an option that judge_case() uses adds it here, too.
std::vector<std::pair<std::string, std::string>> deciding_options(const KernelOptions& options) {
  std::vector<std::pair<std::string, std::string>> deciding = {{"--relations", options.relations}};
  if (!options.capture.path.empty()) {
    deciding.emplace_back("--kernel given", options.kernel_given ? "yes" : "no");
  }
  return deciding;
}

int run_as_worker(const KernelOptions& options) {
  KernelChoice choice;
  analysis::WorkerTask task;
  task.load = [&]() -> const lvsa_kernel& {
    choice = choose_kernel(options.kernel);
    return *choice.kernel;
  };
  task.run = [&](const Case& c, const analysis::CaseProgress& progress) {
    return judge_case(c, choice, options, progress);
  };
  return analysis::serve_cases(analysis::parse_worker_set_up(options.as_worker), task);
}

CaseSource one_case(const Case& c) {
  return {1, [c, given = false]() mutable -> std::optional<analysis::NumberedCase> {
            if (std::exchange(given, true)) return std::nullopt;
            return analysis::NumberedCase{1, c};
          }};
}

class KernelRun::Way {
 public:
  Way() = default;
  virtual ~Way() = default;
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  virtual const std::string& kernel_name() const = 0;
  virtual void run(const CaseSource& cases, const std::function<void(CaseResult)>& result) = 0;
};

class KernelRun::InProcess : public KernelRun::Way {
 public:
  explicit InProcess(const KernelOptions& options)
      : options_(options), choice_(choose_kernel(options.kernel)), name_(choice_.kernel->name) {}

  const std::string& kernel_name() const override { return name_; }

  void run(const CaseSource& cases, const std::function<void(CaseResult)>& result) override {
    Progress bar(cases.count, options_.quiet);
    std::int64_t done = 0;
    while (const auto next = cases.next()) {
      const Case& c = next->c;
      analysis::CaseProgress progress;
      progress.share = [&](double share) { bar.show(done, share, c.model); };
      progress.share(0.0);
      CaseResult judged = judge_case(c, choice_, options_, progress);
      judged.number = next->number;
      ++done;
      bar.clear();
      // The way through the line, so that a result is the same whichever process it comes from.
      result(analysis::parse_json_line(analysis::to_json_line(judged)));
    }
  }

 private:
  const KernelOptions& options_;
  KernelChoice choice_;
  std::string name_;
};

class KernelRun::InWorkers : public KernelRun::Way {
 public:
  explicit InWorkers(const KernelOptions& options)
      : quiet_(options.quiet), pool_(settings(options), callbacks()) {
    name_ = pool_.start().name;
  }

  const std::string& kernel_name() const override { return name_; }

  void run(const CaseSource& cases, const std::function<void(CaseResult)>& result) override {
    Progress bar(cases.count, quiet_);
    bar_ = &bar;
    cases_ = &cases;
    result_ = &result;
    pool_.run();
    bar_ = nullptr;
  }

 private:
  analysis::PoolSettings settings(const KernelOptions& options) {
    analysis::PoolSettings settings;
    settings.argv = worker_words(options);
    settings.environment = worker_environment(options);
    settings.jobs = options.jobs;
    settings.cases_per_process = options.cases_per_process;
    settings.timeout_s = options.timeout_s;
    settings.kernel_option = options.kernel;
    settings.stop_descriptor = signals_.descriptor();
    return settings;
  }

  analysis::CasePool::Callbacks callbacks() {
    analysis::CasePool::Callbacks callbacks;
    callbacks.next = [this] { return cases_->next(); };
    callbacks.result = [this](CaseResult result) {
      ++done_;
      bar_->clear();
      (*result_)(std::move(result));
    };
    callbacks.printed = [this](std::string_view line) {
      if (bar_ != nullptr) bar_->clear();
      fmt::print(stderr, "{}\n", line);
    };
    callbacks.progress = [this](double shares, const Case& c) {
      bar_->show(done_, shares, c.model);
    };
    return callbacks;
  }

  StopSignals signals_;
  bool quiet_;
  const CaseSource* cases_ = nullptr;
  const std::function<void(CaseResult)>* result_ = nullptr;
  Progress* bar_ = nullptr;
  std::int64_t done_ = 0;
  std::string name_;
  analysis::CasePool pool_;
};

KernelRun::KernelRun(const KernelOptions& options) : options_(options) {
  if (options.isolate == "none") {
    way_ = std::make_unique<InProcess>(options);
  } else {
    way_ = std::make_unique<InWorkers>(options);
  }
}

KernelRun::~KernelRun() = default;

const std::string& KernelRun::kernel_name() const { return way_->kernel_name(); }

void KernelRun::run(const CaseSource& cases, const std::function<void(CaseResult)>& result) {
  way_->run(cases, [&](CaseResult judged) {
    shrink(judged);
    result(std::move(judged));
  });
}

// The first few failing cases get a replay file beside the report.
void KernelRun::shrink(CaseResult& result) {
  const bool due = analysis::is_failure(result.status) && shrunk_ < options_.shrink &&
                   !options_.outcome.no_report && options_.capture.path.empty();
  if (!due) return;
  ++shrunk_;
  result.replay = shrink_in_child(
      result, options_, fmt::format("{}/replay-{}.json", options_.outcome.out, result.number));
}

}  // namespace lvsa::app
