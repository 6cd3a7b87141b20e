#pragma once
// One process that answers requests, from its start to its end, as who asks sees it.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/run/child_process.hpp"
#include "analysis/run/printed_lines.hpp"
#include "analysis/run/wire.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {

/// The process has ended, hangs, or says what nobody understands.
class ProcessLost : public Error {
 public:
  using Error::Error;
};

struct RequestLinkSettings {
  std::string name;                     ///< whose process it is, for messages
  std::vector<std::string> argv;        ///< that start it
  std::vector<std::string> bare_words;  ///< messages that are a line and no more
  std::vector<std::string> words;       ///< messages "WORD BYTES", so many bytes behind the line
  std::function<void(std::string_view)> printed;  ///< gets the lines that it prints
};

/// Messages `part TEXT` (what comes now: a sign of life) and `refused KIND TEXT` every process may
/// send.
class RequestLink {
 public:
  explicit RequestLink(RequestLinkSettings settings);

  /// "WORD BYTES" and the bytes. False when the process is gone, which shows when it is listened
  /// to.
  bool send(std::string_view word, std::string_view payload);

  /// The next message and what comes behind its line. `part`: what it is at; `timeout_s`: longest
  /// silence. Throws what the process refuses, and ProcessLost "NAME: CRASH: ..." or
  /// "NAME: TIMEOUT: ..." with what it was at; afterwards the link is of no use.
  Message hear(const std::string& part, double timeout_s, std::string& payload);

 private:
  using Clock = std::chrono::steady_clock;

  void restart_clock();
  std::optional<Message> take(std::string& payload);
  bool takes_part();
  [[noreturn]] void foreign();
  void look_for_the_end(bool over, bool more);
  [[noreturn]] void lose(const char* status, const std::string& what);
  void wait();

  RequestLinkSettings settings_;
  ChildProcess process_;
  PrintedLines printed_;
  std::string heard_;
  std::optional<Message> waiting_for_;  // a line whose bytes have not all come
  std::string request_;
  std::string part_;
  double timeout_s_ = 0.0;
  Clock::time_point deadline_;
  std::optional<Clock::time_point> channel_lost_;
};

}  // namespace lvsa::analysis
