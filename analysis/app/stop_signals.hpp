#pragma once
// Ctrl-C and its kin as something to wait for.

#include <csignal>

namespace lvsa::app {

/// While one lives, SIGINT, SIGTERM and SIGHUP (those that are not ignored) make a descriptor
/// readable instead of ending the process. The signal stays pending: once this is destroyed it does
/// what it was sent for, so that the shell sees how the process ended.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// To be waited for, not to be read from.
  int descriptor() const { return descriptor_; }
  /// Takes a signal that has come: it then does not end the process. For commands that a signal
  /// ends in good order, with an exit code of their own.
  void take() const;

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace lvsa::app
