#pragma once
// The worker's side: a process that judges the cases it is sent, so that a kernel which ends or
// hangs it costs the case in hand and nothing else.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "analysis/verify/result.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// Exit code of a worker that can no longer be heard: its channel or its run is gone.
inline constexpr int kChannelLost = 113;

/// How a worker process was asked to set itself up; travels as one word of its command line.
struct WorkerSetUp {
  pid_t parent = 0;                 ///< ends with it
  std::int64_t memory_limit_b = 0;  ///< address space in bytes; 0: no limit
};
std::string to_text(const WorkerSetUp& set_up);
/// Throws Error(kValue).
WorkerSetUp parse_worker_set_up(std::string_view text);

/// What a case tells while it runs; both go to the run that waits for it.
struct CaseProgress {
  std::function<void(std::string_view)> part;
  std::function<void(double)> share;
};

/// Loads a kernel and judges cases with it.
struct WorkerTask {
  std::function<const lvsa_kernel&()> load;
  std::function<CaseResult(const Case&, const CaseProgress&)> run;
};

/// Serves cases on ChildProcess::kChannel until its other end closes, then returns the exit code.
/// An Error of load() or run() is told to the run, which ends with it. Whatever the process prints
/// goes where its standard output and error lead; the channel is another one.
int serve_cases(const WorkerSetUp& set_up, const WorkerTask& task);

}  // namespace lvsa::analysis
