#pragma once
// Runs cases in worker processes, several at a time.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/worker_link.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// A case and its place in the suite, from 1.
struct NumberedCase {
  std::int64_t number = 0;
  Case c;
};

struct PoolSettings {
  std::vector<std::string> argv;         ///< of a worker
  std::vector<std::string> environment;  ///< its variables, "NAME=value", beside the inherited ones
  std::int64_t jobs = 1;                 ///< workers at a time
  /// Cases that one process may judge; 0: one, but as many as come where the kernel has a device.
  std::int64_t cases_per_process = 0;
  double timeout_s = 0.0;     ///< longest silence of a worker; 0: by the size of its case
  std::string kernel_option;  ///< how --kernel named it, for the command that repeats a case
  int stop_descriptor = -1;   ///< readable when the run shall stop (a signalfd); -1: none
};

/// Thrown by CasePool when the stop descriptor becomes readable. The workers are gone by then.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

/// A case whose process crashes or hangs gets a result that says so, and the others go on. What a
/// process of several cases loses is tried once more in one of its own, so that the blame lies
/// where it belongs.
class CasePool {
 public:
  struct Callbacks {
    std::function<std::optional<NumberedCase>()> next;  ///< the next case; none when there is none
    std::function<void(CaseResult)> result;             ///< in the order of finishing
    std::function<void(std::string_view)> printed;      ///< a line that a worker printed
    /// Now and then: sum of the shares of the cases in hand, and one of them.
    std::function<void(double, const Case&)> progress;
  };

  CasePool(PoolSettings settings, Callbacks callbacks);

  /// Starts the first worker and waits until it has loaded the kernel. Throws Error that says why
  /// it cannot be loaded.
  const KernelFacts& start();
  /// Runs all cases that `next` gives. Throws Error for a case that cannot be made, and Stopped.
  void run();

 private:
  struct Worker;

  std::unique_ptr<WorkerLink> new_link() const;
  std::optional<NumberedCase> next_case(bool alone);
  void fill();
  void wait();
  void settle(Worker& worker);
  void deliver(Worker& worker, CaseResult result);
  CaseResult lost_result(const NumberedCase& in_hand, const WorkerLink& link) const;
  bool keeps(const WorkerLink& link) const;
  void show_progress() const;

  PoolSettings settings_;
  Callbacks callbacks_;
  KernelFacts kernel_;
  std::unique_ptr<WorkerLink> idle_first_;  // of start(), before run() takes it
  std::vector<std::unique_ptr<Worker>> workers_;
  struct Retry {
    NumberedCase numbered;
    std::string note;
  };
  std::deque<Retry> retries_;
  bool exhausted_ = false;

 public:
  ~CasePool();
};

}  // namespace lvsa::analysis
