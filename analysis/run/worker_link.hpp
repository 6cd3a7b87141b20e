#pragma once
// The run's side of one worker process: what it says, and how it ended.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run/child_process.hpp"
#include "analysis/run/printed_lines.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/verify/result.hpp"

namespace lvsa::analysis {

/// What a worker says of the kernel that it loaded.
struct KernelFacts {
  std::string name;
  bool wants_device_memory = false;
};

/// A worker, idle or with one case in hand.
class WorkerLink {
 public:
  enum class State {
    kIdle,  ///< waits for a case
    kBusy,  ///< has one
    kDone,  ///< has a result to take()
    kLost,  ///< crashed or hung; what_happened() says how
  };

  /// Starts the process; `printed` gets the whole lines that it prints.
  WorkerLink(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
             std::function<void(std::string_view)> printed);

  /// Sends a case. `timeout_s`: longest silence.
  void give(std::int64_t number, const std::string& line, double timeout_s);
  /// Waits for nothing: reads what has come and looks at the clock. Throws Error for what the
  /// worker refuses: a kernel that cannot be loaded, a case that cannot be made.
  void step();
  /// The result of the case in hand, its number included. Afterwards the worker is idle.
  CaseResult take();

  State state() const { return state_; }
  const std::optional<KernelFacts>& kernel() const { return kernel_; }
  /// kCrash or kTimeout, with one line that says what happened and the last words.
  Status how_lost() const { return how_lost_; }
  const std::string& what_happened() const { return what_happened_; }
  std::int64_t number() const { return number_; }
  double share() const { return share_; }
  std::int64_t cases_taken() const { return cases_taken_; }
  Keep keep() const { return keep_; }
  const ChildProcess& process() const { return process_; }
  void kill() { process_.kill(); }

 private:
  using Clock = std::chrono::steady_clock;

  void hear(const std::string& line);
  void conclude_end();
  void lose(Status status, const std::string& what);
  void restart_clock();

  ChildProcess process_;
  PrintedLines printed_;
  State state_ = State::kIdle;
  std::optional<KernelFacts> kernel_;
  std::string heard_;  // of the channel, up to the next line break
  std::string part_;   // what it was at
  std::int64_t number_ = 0;
  std::int64_t cases_taken_ = 0;
  double share_ = 0.0;
  double timeout_s_ = 0.0;
  Keep keep_ = Keep::kAsAny;
  Clock::time_point deadline_;
  std::optional<Clock::time_point> channel_lost_;
  CaseResult result_;
  Status how_lost_ = Status::kCrash;
  std::string what_happened_;
};

}  // namespace lvsa::analysis
