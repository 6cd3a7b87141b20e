#pragma once
// What `lvsa-verify kernel` does: judges cases in worker processes, or in its own.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/app/kernel_choice.hpp"
#include "analysis/app/outcome.hpp"
#include "analysis/run/case_pool.hpp"
#include "analysis/run/worker.hpp"
#include "analysis/verify/capture.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::app {

/// The options of the subcommand. A worker process is started with the same command line and one
/// hidden option more, so that it sees the same.
struct KernelOptions {
  std::string kernel = "cpu";
  std::string suite = "default";
  std::vector<std::string> cases;
  analysis::CaptureOptions capture;  ///< no path: none
  bool kernel_given = false;         ///< --kernel was on the command line
  std::string filter;
  std::string fixtures;
  std::int64_t threads = 0;
  std::string relations = "auto";  ///< "auto", "all" or "none"
  bool list = false;
  std::string isolate = "process";  ///< or "none"
  std::int64_t jobs = 1;
  double timeout_s = 0.0;              ///< 0: by the size of the case
  std::int64_t cases_per_process = 0;  ///< 0: one, more on a device
  double memory_limit_gib = 0.0;       ///< of a worker; 0: none
  std::string shard = "1/1";
  std::string as_worker;    ///< hidden: this process is a worker
  bool quiet = false;       ///< no progress bar: a run within another one
  bool probes = true;       ///< small cases: recover the mask, blame capabilities
  std::int64_t shrink = 3;  ///< failing cases that are made small, if there is a report
  OutcomeOptions outcome;
};

/// Judges one case with a loaded kernel, as the options say. Every option that decides how a case
/// is judged is used here and nowhere else.
analysis::CaseResult judge_case(const analysis::Case& c, const KernelChoice& choice,
                                const KernelOptions& options,
                                const analysis::CaseProgress& progress);

/// The options that decide how a case is judged, by name: two runs that differ in one of them are
/// not parts of one run. Not among them: threads, jobs, time-outs, isolation.
std::vector<std::pair<std::string, std::string>> deciding_options(const KernelOptions& options);

/// Serves the run that started this process. Returns its exit code.
int run_as_worker(const KernelOptions& options);

/// The cases of a run, one by one.
struct CaseSource {
  std::int64_t count = 0;
  std::function<std::optional<analysis::NumberedCase>()> next;  ///< none: there are no more
};
/// One case, number 1.
CaseSource one_case(const analysis::Case& c);

/// Loads the kernel, in a worker or in this process, before anything else is done; run() then
/// judges the cases and calls `result` for each as it comes.
class KernelRun {
 public:
  explicit KernelRun(const KernelOptions& options);
  ~KernelRun();
  KernelRun(const KernelRun&) = delete;
  KernelRun& operator=(const KernelRun&) = delete;

  const std::string& kernel_name() const;
  void run(const CaseSource& cases, const std::function<void(analysis::CaseResult)>& result);

 private:
  void shrink(analysis::CaseResult& result);

  class Way;
  class InProcess;
  class InWorkers;
  const KernelOptions& options_;
  std::int64_t shrunk_ = 0;
  std::unique_ptr<Way> way_;
};

}  // namespace lvsa::app
