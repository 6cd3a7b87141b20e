#include "analysis/run/request_link.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lvsa::analysis {
namespace {

constexpr std::size_t kLongestMessage = std::size_t{1} << 34;
constexpr std::chrono::seconds kTimeToEnd{2};  // between losing the channel and the end

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

RequestLink::RequestLink(RequestLinkSettings settings)
    : settings_(std::move(settings)), process_(settings_.argv, {}), printed_(settings_.printed) {}

bool RequestLink::send(std::string_view word, std::string_view payload) {
  return process_.send(fmt::format("{} {}\n", word, payload.size())) && process_.send(payload);
}

Message RequestLink::hear(const std::string& part, double timeout_s, std::string& payload) {
  request_ = part_ = part;
  timeout_s_ = timeout_s;
  restart_clock();
  while (true) {
    const bool over = process_.ended();  // asked first: what it said before is in the buffers
    const std::size_t before = heard_.size();
    process_.read_channel(heard_);
    printed_.read(process_, false);
    const bool more = heard_.size() != before;
    if (more) restart_clock();
    while (takes_part()) {
    }
    if (auto message = take(payload)) return *message;
    look_for_the_end(over, more);
    wait();
  }
}

void RequestLink::restart_clock() {
  constexpr double kMost_s = 1e9;  // so that the sum stays within the clock
  const std::chrono::duration<double> most(std::min(timeout_s_, kMost_s));
  deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(most);
}

// Whether the next message was a part.
bool RequestLink::takes_part() {
  if (waiting_for_) return false;
  const auto line = take_line(heard_);
  if (!line) return false;
  waiting_for_ = parse_message(*line);
  if (waiting_for_->word != "part") return false;
  part_ = fmt::format("{}: {}", request_,
                      line->substr(std::min(line->size(), waiting_for_->word.size() + 1)));
  waiting_for_.reset();
  return true;
}

std::optional<Message> RequestLink::take(std::string& payload) {
  if (!waiting_for_) return std::nullopt;
  if (waiting_for_->word == "refused") throw_refusal(*waiting_for_);
  std::size_t bytes = 0;
  if (holds(settings_.words, waiting_for_->word)) {
    const std::string& count = waiting_for_->first;
    std::from_chars(count.data(), count.data() + count.size(), bytes);
    if (bytes == 0 || bytes > kLongestMessage) foreign();
  } else if (!holds(settings_.bare_words, waiting_for_->word)) {
    foreign();
  }
  if (heard_.size() < bytes) return std::nullopt;
  payload = heard_.substr(0, bytes);
  heard_.erase(0, bytes);
  return std::exchange(waiting_for_, std::nullopt);
}

void RequestLink::foreign() {
  lose("CRASH", "it wrote into the channel of its process, which is not its own");
}

void RequestLink::look_for_the_end(bool over, bool more) {
  if (over && !more) {
    printed_.read(process_, true);
    lose("CRASH", lost_text(process_.end(), printed_.tail()));
  }
  if (process_.channel() < 0) {
    if (!channel_lost_) channel_lost_ = Clock::now();
    if (Clock::now() - *channel_lost_ > kTimeToEnd) {
      lose("CRASH", "it closed the channel of its process, which is not its own");
    }
  } else if (Clock::now() >= deadline_) {
    lose("TIMEOUT", fmt::format("no sign of life for {:.3g} s", timeout_s_));
  }
}

void RequestLink::lose(const char* status, const std::string& what) {
  process_.kill();
  printed_.read(process_, true);
  throw ProcessLost(ErrorKind::kKernel, fmt::format("{}: {}: {} during: {}{}", settings_.name,
                                                    status, what, part_, printed_.last_words()));
}

void RequestLink::wait() {
  constexpr int kPatience_ms = 50;  // children of its own may hold the pipe open
  std::array<pollfd, 2> sides = {pollfd{process_.channel(), POLLIN, 0},
                                 pollfd{process_.output(), POLLIN, 0}};
  ::poll(sides.data(), sides.size(), kPatience_ms);  // negative descriptors are left out
}

}  // namespace lvsa::analysis
