#include "analysis/app/stop_signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

namespace lvsa::app {

StopSignals::StopSignals() {
  sigset_t stops;
  sigemptyset(&stops);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&stops, signal);  // nohup, a shell's background
  }
  pthread_sigmask(SIG_BLOCK, &stops, &before_);
  descriptor_ = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
}

void StopSignals::take() const {
  signalfd_siginfo taken{};
  while (::read(descriptor_, &taken, sizeof taken) == sizeof taken) {
  }
}

StopSignals::~StopSignals() {
  if (descriptor_ >= 0) ::close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace lvsa::app
