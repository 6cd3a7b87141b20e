#pragma once
// A process of its own for code that may crash, hang or spoil its memory.

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace lvsa::analysis {

/// How a process ended.
struct ProcessEnd {
  bool by_signal = false;
  int number = 0;  ///< the signal, or the exit code
};
/// "signal 11 (SIGSEGV, Segmentation fault)", "exit code 0".
std::string end_text(const ProcessEnd& end);

/// A running program with one two-way channel (a socket) and one pipe that takes what it prints,
/// standard output and error together. It leads a process group of its own, so that a Ctrl-C of the
/// terminal reaches its parent alone, and reads nothing from standard input. Destroying it kills
/// the group and leaves no zombie.
class ChildProcess {
 public:
  /// File descriptor of the channel in the new process.
  static constexpr int kChannel = 3;

  /// Starts argv[0] (a path) with these arguments, and with the environment of this process where
  /// `environment` ("NAME=value") does not say otherwise. Throws Error(kIo) naming the program and
  /// the reason.
  ChildProcess(const std::vector<std::string>& argv, const std::vector<std::string>& environment);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// To wait for with poll(); -1 after an end of file.
  int channel() const { return channel_; }
  int output() const { return output_; }

  /// Sends all of `bytes`; false when the other side is gone.
  bool send(std::string_view bytes);
  /// Appends what has arrived, without waiting. After an end of file the descriptor is closed.
  void read_channel(std::string& to) { read_some(channel_, to); }
  void read_output(std::string& to) { read_some(output_, to); }

  /// Whether it has ended, without waiting.
  bool ended();
  /// Valid once ended() is true.
  const ProcessEnd& end() const { return end_; }
  /// Kills the process and whatever it started in its group, and waits for it.
  void kill();

 private:
  void read_some(int& descriptor, std::string& to);
  void take_status(int status);

  pid_t pid_ = -1;
  int channel_ = -1;
  int output_ = -1;
  bool ended_ = false;
  ProcessEnd end_;
};

}  // namespace lvsa::analysis
