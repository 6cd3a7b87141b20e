#pragma once
// Subcommands that run somebody's kernel a few times: in a process of their own, so that a kernel
// which crashes or hangs ends in one line and a documented exit code. What judges whole suites has
// workers instead (analysis/run).

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace lvsa::app {

struct ApartOptions {
  std::string isolate = "process";  ///< or "none"
  double timeout_s = 0.0;           ///< longest silence; 0: by the size of the case
};
/// Adds --isolate and --timeout.
void add_apart_options(CLI::App* command, ApartOptions& options);

/// What the process that runs the kernel says to the one that waits. Until done() its standard
/// output goes to stderr, so that what a kernel prints is not taken for a result.
class Apart {
 public:
  /// In one process with everything else: says nothing to anybody.
  Apart() = default;
  /// `channel`: a pipe's end; -1: none.
  explicit Apart(int channel);

  /// A sign of life, with what comes now.
  void part(std::string_view what) const;
  /// The kernel is loaded: flags that its library has set are set back.
  void loaded() const;
  /// It will not be called any more, and standard output is what it was.
  void done();

 private:
  int channel_ = -1;
  int output_ = -1;  // the standard output proper
};

/// Runs `body` in a child process and returns its exit code: kBadInput with one line on stderr when
/// it is lost while the kernel loads, kCheckFailed when it is lost later. `kernel` is what --kernel
/// said; built-in kernels run in this process. `default_timeout_s`: silence that is too long, where
/// the options do not say.
int run_apart(const ApartOptions& options, const std::string& kernel, double default_timeout_s,
              const std::function<int(Apart&)>& body);

}  // namespace lvsa::app
