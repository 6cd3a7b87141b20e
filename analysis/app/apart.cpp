#include "analysis/app/apart.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfenv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>

#include "analysis/app/command.hpp"
#include "analysis/app/kernel_choice.hpp"
#include "analysis/run/child_process.hpp"
#include "analysis/run/wire.hpp"
#include "core/error.hpp"

namespace lvsa::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kLoading = "loading the kernel";
constexpr std::string_view kOver = "over";  // of the kernel's part, whether by result or by error
constexpr int kLeastNumber = 100;  // descriptors that a kernel's mistaken close() does not hit

// The side that waits.
class Waiting {
 public:
  Waiting(pid_t child, int channel, double timeout_s)
      : child_(child), channel_(channel), timeout_s_(timeout_s) {
    restart_clock();
  }

  // Until the child has ended, or has been silent for too long.
  void run() {
    while (!take_end(WNOHANG)) {
      constexpr int kPatience_ms = 50;  // a kernel's own children may hold the pipe open
      pollfd waited{channel_, POLLIN, 0};
      ::poll(&waited, channel_ >= 0 ? 1 : 0, kPatience_ms);
      hear();
      if (part_ != kOver && Clock::now() >= deadline_) {
        ::kill(-child_, SIGKILL);
        ::kill(child_, SIGKILL);
        take_end(0);
        timed_out_ = true;
      }
    }
    hear();
  }

  int exit_code(const std::string& kernel) const {
    const bool over = part_ == kOver;
    if (over && !end_->by_signal) return end_->number;
    const std::string what = timed_out_ ? fmt::format("no sign of life for {:.3g} s", timeout_s_)
                                        : fmt::format("its process ended with {}", end_text(*end_));
    std::fflush(stdout);
    fmt::print(stderr, "lvsa-verify: --kernel {}: {} during: {}\n", kernel, what,
               over ? "its end" : part_);
    return part_ == kLoading ? kBadInput : kCheckFailed;
  }

 private:
  void restart_clock() {
    constexpr double kMost_s = 1e9;  // so that the sum stays within the clock
    const std::chrono::duration<double> most(std::min(timeout_s_, kMost_s));
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(most);
  }

  void hear() {
    std::array<char, 4096> bytes;
    while (channel_ >= 0) {
      const ssize_t got = ::read(channel_, bytes.data(), bytes.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) break;  // nothing more for now
      if (got == 0) {
        ::close(channel_);
        channel_ = -1;
        break;
      }
      heard_.append(bytes.data(), static_cast<std::size_t>(got));
      restart_clock();
    }
    while (const auto line = analysis::take_line(heard_)) part_ = *line;
  }

  bool take_end(int flags) {
    if (end_) return true;
    int status = 0;
    const pid_t waited = ::waitpid(child_, &status, flags);
    if (waited == 0 || (waited < 0 && errno == EINTR)) return false;
    const bool by_signal = waited == child_ && WIFSIGNALED(status);
    end_ = analysis::ProcessEnd{by_signal, by_signal ? WTERMSIG(status) : WEXITSTATUS(status)};
    return true;
  }

  pid_t child_;
  int channel_;
  double timeout_s_;
  Clock::time_point deadline_;
  std::string heard_;
  std::string part_{kLoading};
  bool timed_out_ = false;
  std::optional<analysis::ProcessEnd> end_;
};

// The child's side; what it throws goes on to main(), as from any subcommand.
int run_in_child(pid_t parent, int channel, const std::function<int(Apart&)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kInternalError);
  ::setpgid(0, 0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  Apart apart(channel);
  try {
    const int code = body(apart);
    apart.done();
    return code;
  } catch (...) {
    apart.done();
    throw;
  }
}

}  // namespace

Apart::Apart(int channel) : channel_(channel) {
  if (channel_ < 0) return;
  output_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kLeastNumber);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Apart::part(std::string_view what) const {
  if (channel_ < 0) return;
  const std::string line = analysis::one_line(what) + '\n';
  // Nobody there to read it: the run is over anyway.
  [[maybe_unused]] const ssize_t ignored = ::write(channel_, line.data(), line.size());
}

void Apart::loaded() const {
  std::fesetenv(FE_DFL_ENV);
  part("its calls");
}

void Apart::done() {
  if (output_ < 0) return;
  std::fflush(stdout);
  ::dup2(output_, STDOUT_FILENO);
  ::close(output_);
  output_ = -1;
  part(kOver);
}

int run_apart(const ApartOptions& options, const std::string& kernel, double default_timeout_s,
              const std::function<int(Apart&)>& body) {
  if (options.isolate == "none" || parse_kernel_name(kernel).path.empty()) {
    Apart together;
    return body(together);
  }
  std::array<int, 2> ends{-1, -1};
  std::fflush(stdout);
  std::fflush(stderr);
  const pid_t parent = ::getpid();
  const bool has_pipe = ::pipe2(ends.data(), O_CLOEXEC) == 0;
  const pid_t child = has_pipe ? ::fork() : -1;
  if (child < 0) {
    throw Error(ErrorKind::kIo, "a process of its own cannot be started for the kernel");
  }
  if (child == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    const int channel = ::fcntl(ends[1], F_DUPFD_CLOEXEC, kLeastNumber);
    ::close(ends[0]);
    ::close(ends[1]);
    return run_in_child(parent, channel, body);
  }
  ::close(ends[1]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Waiting waiting(child, ends[0], options.timeout_s > 0 ? options.timeout_s : default_timeout_s);
  waiting.run();
  return waiting.exit_code(kernel);
}

void add_apart_options(CLI::App* command, ApartOptions& options) {
  command
      ->add_option("--isolate", options.isolate,
                   "process: the kernel runs in a process of its own, so that a crash or a hang "
                   "ends in one line; none: in this process (for debuggers)")
      ->capture_default_str()
      ->check(CLI::IsMember({"process", "none"}));
  command
      ->add_option("--timeout", options.timeout_s,
                   "Seconds without a sign of life after which the kernel counts as hung; 0: by "
                   "the size of the case, a minute at the least")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("SECONDS");
}

}  // namespace lvsa::app
