#include "analysis/run/worker_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <stdexcept>
#include <utility>

#include "analysis/report/jsonl_reader.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/run/worker.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 28;  // of the channel
constexpr std::size_t kLongestPrinted = 8192;               // a printed line is cut there
constexpr std::size_t kTail = 2000;
constexpr std::chrono::seconds kTimeToEnd{2};  // between losing the channel and the end

[[noreturn]] void throw_refusal(const Message& message) {
  int kind = 0;
  std::from_chars(message.first.data(), message.first.data() + message.first.size(), kind);
  const bool known = kind >= 0 && kind <= static_cast<int>(ErrorKind::kKernel);
  throw Error(known ? static_cast<ErrorKind>(kind) : ErrorKind::kKernel, message.rest);
}

// What a signal alone does not tell.
const char* hint(const ProcessEnd& end, const std::string& tail) {
  if (end.by_signal && end.number == SIGKILL) return "; killed from outside, or out of memory";
  if (!end.by_signal && end.number == kChannelLost) {
    return "; it has closed file descriptors that are not its own";
  }
  const bool heap =
      tail.find("free()") != std::string::npos || tail.find("malloc") != std::string::npos ||
      tail.find("corrupt") != std::string::npos || tail.find("double free") != std::string::npos;
  return end.by_signal && end.number == SIGABRT && heap ? "; the heap is corrupted" : "";
}

}  // namespace

WorkerLink::WorkerLink(const std::vector<std::string>& argv,
                       const std::vector<std::string>& environment,
                       std::function<void(std::string_view)> printed)
    : process_(argv, environment), printed_(std::move(printed)), part_("loading the kernel") {
  constexpr double kTimeToLoad_s = 120.0;
  timeout_s_ = kTimeToLoad_s;
  restart_clock();
}

void WorkerLink::restart_clock() {
  constexpr double kMost_s = 1e9;  // so that the sum stays within the clock
  const std::chrono::duration<double> most(std::min(timeout_s_, kMost_s));
  deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(most);
}

void WorkerLink::give(std::int64_t number, const std::string& line, double timeout_s) {
  number_ = number;
  timeout_s_ = timeout_s;
  share_ = 0.0;
  state_ = State::kBusy;
  restart_clock();
  // A worker that is gone already is found by step().
  process_.send(fmt::format("case {} {}\n", number, line));
}

CaseResult WorkerLink::take() {
  ++cases_taken_;
  state_ = State::kIdle;
  return std::move(result_);
}

void WorkerLink::hear(const std::string& line) {
  const Message message = parse_message(line);
  restart_clock();
  if (message.word == "part") {
    part_ = line.substr(std::min(line.size(), message.word.size() + 1));
  } else if (message.word == "share") {
    share_ = std::clamp(std::atof(message.first.c_str()), 0.0, 1.0);
  } else if (message.word == "kernel") {
    kernel_ = KernelFacts{message.rest, message.first == "1"};
  } else if (message.word == "refused") {
    throw_refusal(message);
  } else if (message.word == "broken") {
    throw std::runtime_error(line.substr(message.word.size() + 1));
  } else if (message.word == "result" && state_ == State::kBusy) {
    keep_ = message.first == "2"   ? Keep::kSpoilt
            : message.first == "1" ? Keep::kWorth
                                   : Keep::kAsAny;
    result_ = parse_json_line(message.rest);
    result_.number = number_;
    state_ = State::kDone;
  } else {
    lose(Status::kCrash, "wrote into the channel of its process, which is not its own");
  }
}

void WorkerLink::read_printed(bool all) {
  process_.read_output(half_line_);
  std::size_t taken = 0;
  while (taken < half_line_.size()) {
    const std::size_t end = half_line_.find('\n', taken);
    const bool whole = end != std::string::npos;
    if (!whole && !all && half_line_.size() - taken < kLongestPrinted) break;
    const std::size_t stop = std::min({end, half_line_.size(), taken + kLongestPrinted});
    const std::string_view line(half_line_.data() + taken, stop - taken);
    if (printed_) printed_(line);
    tail_.append(line).append(1, '\n');
    taken = stop + (stop == end ? 1 : 0);
  }
  half_line_.erase(0, taken);
  if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
}

void WorkerLink::step() {
  if (state_ == State::kLost) return;
  const bool over = process_.ended();  // asked first: what it said before stands in the buffers
  process_.read_channel(heard_);
  read_printed(false);
  try {
    while (state_ != State::kLost) {
      const auto line = take_line(heard_);
      if (!line) break;
      hear(*line);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kJson) throw;
    lose(Status::kCrash, fmt::format("what its process sent back is no result: {}", error.what()));
  }
  if (heard_.size() > kLongestLine) lose(Status::kCrash, "floods the channel of its process");
  if (state_ != State::kIdle && state_ != State::kBusy) return;
  if (over) {
    conclude_end();
  } else if (process_.channel() < 0) {
    if (!channel_lost_) channel_lost_ = Clock::now();
    if (Clock::now() - *channel_lost_ > kTimeToEnd) {
      lose(Status::kCrash, "closed the channel of its process, which is not its own");
    }
  } else if (Clock::now() >= deadline_) {
    lose(Status::kTimeout, fmt::format("no sign of life for {:.3g} s", timeout_s_));
  }
}

void WorkerLink::conclude_end() {
  read_printed(true);
  lose(Status::kCrash, fmt::format("its process ended with {}{}", end_text(process_.end()),
                                   hint(process_.end(), tail_)));
}

void WorkerLink::lose(Status status, const std::string& what) {
  process_.kill();
  read_printed(true);
  how_lost_ = status;
  what_happened_ = fmt::format("{} during: {}{}", what, part_, last_words());
  state_ = State::kLost;
}

std::string WorkerLink::last_words() const {
  constexpr std::size_t kMost = 300;
  std::string_view words = tail_;
  while (!words.empty() && words.back() == '\n') words.remove_suffix(1);
  if (words.empty()) return "";
  if (words.size() > kMost) words.remove_prefix(words.size() - kMost);
  std::string line;
  for (const char c : words) line += c == '\n' ? std::string(" | ") : std::string(1, c);
  return fmt::format("; last words: {}", one_line(valid_utf8(line)));
}

}  // namespace lvsa::analysis
