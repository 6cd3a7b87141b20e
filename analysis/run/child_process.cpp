#include "analysis/run/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

// posix_spawn's two helper objects, freed on every way out.
struct SpawnSetUp {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSetUp(int channel, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // All of ours close on exec; dup2 leaves these open, also where the number stays the same.
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, channel, ChildProcess::kChannel);
    // No signal blocked and none ignored, whatever the parent does with them.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSetUp(const SpawnSetUp&) = delete;
  SpawnSetUp& operator=(const SpawnSetUp&) = delete;
  ~SpawnSetUp() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

// The environment of this process with some variables set anew.
std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  std::vector<std::string> all = changes;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool changed = false;
    for (const std::string& change : changes) changed = changed || change.rfind(name, 0) == 0;
    if (!changed) all.emplace_back(text);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

void close_now(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

// An own number above the standard ones and the channel's: dup2 in the child must not overwrite one
// descriptor with another before it has been copied.
int moved_up(int descriptor) {
  const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, ChildProcess::kChannel + 1);
  ::close(descriptor);
  return moved;
}

[[noreturn]] void fail(const std::string& program, int error_number) {
  throw Error(ErrorKind::kIo, fmt::format("{}: a process of its own cannot be started: {}", program,
                                          std::generic_category().message(error_number)));
}

}  // namespace

std::string end_text(const ProcessEnd& end) {
  if (!end.by_signal) return fmt::format("exit code {}", end.number);
  const char* name = sigabbrev_np(end.number);
  const char* description = sigdescr_np(end.number);
  return fmt::format("signal {} (SIG{}, {})", end.number, name != nullptr ? name : "?",
                     description != nullptr ? description : "unknown");
}

ChildProcess::ChildProcess(const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment) {
  std::array<int, 2> channel{-1, -1};
  std::array<int, 2> output{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()) != 0) {
    fail(argv.front(), errno);
  }
  if (::pipe2(output.data(), O_CLOEXEC) != 0) {
    const int error_number = errno;
    for (int& descriptor : channel) close_now(descriptor);
    fail(argv.front(), error_number);
  }
  channel_ = channel[0];
  output_ = output[0];
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
  int child_channel = moved_up(channel[1]);
  int child_output = moved_up(output[1]);
  std::vector<std::string> words = argv;
  std::vector<std::string> variables = environment_with(environment);
  int error_number = EMFILE;
  if (child_channel >= 0 && child_output >= 0) {
    const SpawnSetUp set_up(child_channel, child_output);
    error_number = ::posix_spawn(&pid_, words.front().c_str(), &set_up.actions, &set_up.attributes,
                                 pointers(words).data(), pointers(variables).data());
  }
  close_now(child_channel);
  close_now(child_output);
  if (error_number != 0) {
    close_now(channel_);
    close_now(output_);
    fail(argv.front(), error_number);
  }
}

ChildProcess::~ChildProcess() {
  kill();
  close_now(channel_);
  close_now(output_);
}

bool ChildProcess::send(std::string_view bytes) {
  while (!bytes.empty() && channel_ >= 0) {
    const ssize_t sent = ::send(channel_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return channel_ >= 0;
}

void ChildProcess::read_some(int& descriptor, std::string& to) {
  std::array<char, 16384> buffer;
  while (descriptor >= 0) {
    const ssize_t got = descriptor == channel_
                            ? ::recv(descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT)
                            : ::read(descriptor, buffer.data(), buffer.size());
    if (got > 0) {
      to.append(buffer.data(), static_cast<std::size_t>(got));
      // A flood must not keep the caller from everything else.
      if (static_cast<std::size_t>(got) < buffer.size() || to.size() > (std::size_t{1} << 20))
        return;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    close_now(descriptor);  // end of file, or a connection that broke
  }
}

void ChildProcess::take_status(int status) {
  ended_ = true;
  end_.by_signal = WIFSIGNALED(status);
  end_.number = end_.by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
}

bool ChildProcess::ended() {
  if (ended_) return true;
  // Looked at first and reaped after its group is gone: until then the number cannot be given to
  // another process.
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
    ended_ = errno == ECHILD;  // somebody else has waited for it
    return ended_;
  }
  if (info.si_pid == 0) return false;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  take_status(status);
  return true;
}

void ChildProcess::kill() {
  if (ended_ || pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // in case it has left its group
  int status = 0;
  pid_t waited = -1;
  do {
    waited = ::waitpid(pid_, &status, 0);
  } while (waited < 0 && errno == EINTR);
  ended_ = true;
  if (waited == pid_) take_status(status);
}

}  // namespace lvsa::analysis
