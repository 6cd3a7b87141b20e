#pragma once
// The kernel of --time in a process of its own, so that one which crashes or hangs costs a time and
// not the comparison. Who asks and the process say to each other
//     take BYTES         tensors, head, layer and step, as rules of plugins get them
//     time BYTES         the words of a pattern, a line break, and the pattern
//     ready DEVICE HEADS   the kernel is loaded; DEVICE 1: on a GPU; heads of a call
//     source BYTES       what is timed, for people
//     part TEXT          what is called next
//     timed BYTES        six doubles in the order of MeasuredTime, 1 where the device is lost (one
//                        byte), and why it was not timed
//     refused KIND TEXT  an error, with the number of its ErrorKind

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/worker.hpp"
#include "analysis/sweep/pattern_timing.hpp"

namespace lvsa::analysis {

struct TimerProcessSettings {
  std::string kernel;             ///< as it was named, for messages
  std::vector<std::string> argv;  ///< that start a process which calls serve_times()
  double timeout_s = 0.0;         ///< longest silence; 0: by the tensors, a minute at the least
  std::function<void(std::string_view)> printed;  ///< gets the lines that the kernel prints
};

/// Seconds that a slow but sane call may take: a minute, and the pairs' products at 0.5e9
/// operations a second and head on the host, 1e12 on a GPU.
double timer_patience_s(const PatternInput& input, bool on_device, std::int64_t heads);

/// A timer in that process. measure() gives `lost` and one line that names kernel, pattern, layer,
/// step, head and signal where the process is lost; the next one starts another process, but none
/// after three that were lost in a row. Throws Error when the kernel cannot be loaded at first, and
/// what the timer there throws.
std::unique_ptr<TimesPatterns> time_apart(TimerProcessSettings settings);

/// A timer of this process and what is told of it.
struct ServedTimer {
  std::unique_ptr<TimesPatterns> timer;
  bool on_device = false;
  std::int64_t heads = 1;
};
using Tell = std::function<void(std::string_view)>;

/// The process's side: loads the timer, which tells parts, and answers until the channel closes.
/// Returns the exit code.
int serve_times(const WorkerSetUp& set_up, const std::function<ServedTimer(const Tell&)>& load);

}  // namespace lvsa::analysis
