#include "analysis/run/worker_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "analysis/report/jsonl_reader.hpp"
#include "analysis/run/wire.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 28;  // of the channel
constexpr std::chrono::seconds kTimeToEnd{2};  // between losing the channel and the end

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

void WorkerLink::step() {
  if (state_ == State::kLost) return;
  const bool over = process_.ended();  // asked first: what it said before stands in the buffers
  process_.read_channel(heard_);
  printed_.read(process_, false);
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
  printed_.read(process_, true);
  lose(Status::kCrash, lost_text(process_.end(), printed_.tail()));
}

void WorkerLink::lose(Status status, const std::string& what) {
  process_.kill();
  printed_.read(process_, true);
  how_lost_ = status;
  what_happened_ = fmt::format("{} during: {}{}", what, part_, printed_.last_words());
  state_ = State::kLost;
}

}  // namespace lvsa::analysis
