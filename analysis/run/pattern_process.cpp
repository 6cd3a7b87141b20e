#include "analysis/run/pattern_process.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <sstream>
#include <utility>

#include "analysis/run/child_process.hpp"
#include "analysis/run/pattern_wire.hpp"
#include "analysis/run/printed_lines.hpp"
#include "analysis/run/wire.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestMessage = std::size_t{1} << 34;
constexpr std::chrono::seconds kTimeToEnd{2};  // between losing the channel and the end

// One process, from its start to its end.
class RuleLink {
 public:
  RuleLink(const std::string& words, const PatternProcessSettings& settings)
      : words_(words), process_(settings.argv(words), {}), printed_(settings.printed) {}

  bool send(std::string_view bytes) { return process_.send(bytes); }

  // The next message and what comes behind its line. Throws where the process is lost during
  // `part`, and what it refuses.
  Message hear(const std::string& part, double timeout_s, std::string& payload) {
    part_ = part;
    timeout_s_ = timeout_s;
    restart_clock();
    while (true) {
      const bool over = process_.ended();  // asked first: what it said before is in the buffers
      const std::size_t before = heard_.size();
      process_.read_channel(heard_);
      printed_.read(process_, false);
      if (heard_.size() != before) restart_clock();
      if (auto message = take(payload)) return *message;
      look_for_the_end(over, heard_.size() != before);
      wait();
    }
  }

 private:
  void restart_clock() {
    constexpr double kMost_s = 1e9;  // so that the sum stays within the clock
    const std::chrono::duration<double> most(std::min(timeout_s_, kMost_s));
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(most);
  }

  std::optional<Message> take(std::string& payload) {
    if (!waiting_for_) {
      const auto line = take_line(heard_);
      if (!line) return std::nullopt;
      waiting_for_ = parse_message(*line);
      if (waiting_for_->word == "refused") throw_refusal(*waiting_for_);
    }
    std::size_t bytes = 0;
    if (waiting_for_->word == "pattern") {
      const std::string& count = waiting_for_->first;
      std::from_chars(count.data(), count.data() + count.size(), bytes);
      if (bytes == 0 || bytes > kLongestMessage) foreign();
    } else if (waiting_for_->word != "ready") {
      foreign();
    }
    if (heard_.size() < bytes) return std::nullopt;
    payload = heard_.substr(0, bytes);
    heard_.erase(0, bytes);
    return std::exchange(waiting_for_, std::nullopt);
  }

  [[noreturn]] void foreign() {
    lose("CRASH", "it wrote into the channel of its process, which is not its own");
  }

  void look_for_the_end(bool over, bool more) {
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

  [[noreturn]] void lose(const char* status, const std::string& what) {
    process_.kill();
    printed_.read(process_, true);
    throw Error(ErrorKind::kKernel, fmt::format("{}: {}: {} during: {}{}", words_, status, what,
                                                part_, printed_.last_words()));
  }

  void wait() {
    constexpr int kPatience_ms = 50;  // a rule's own children may hold the pipe open
    std::array<pollfd, 2> sides = {pollfd{process_.channel(), POLLIN, 0},
                                   pollfd{process_.output(), POLLIN, 0}};
    ::poll(sides.data(), sides.size(), kPatience_ms);  // negative descriptors are left out
  }

  std::string words_;
  ChildProcess process_;
  PrintedLines printed_;
  std::string heard_;
  std::optional<Message> waiting_for_;  // a line whose bytes have not all come
  std::string part_;
  double timeout_s_ = 0.0;
  Clock::time_point deadline_;
  std::optional<Clock::time_point> channel_lost_;
};

std::string call_text(const PatternInput& input) {
  const FrameGrid& grid = input.video.grid;
  return fmt::format("layer {} step {} head {} of T={} P={} text={}", input.layer, input.step,
                     input.head, grid.frames, grid.patches_per_frame, grid.text_tokens);
}

class RuleApart : public PatternRule {
 public:
  RuleApart(std::string words, PatternProcessSettings settings)
      : words_(std::move(words)), settings_(std::move(settings)) {
    start();
  }

  bool needs_tensors() const override { return needs_tensors_; }
  bool depends_on_head() const override { return depends_on_head_; }
  bool depends_on_step() const override { return depends_on_step_; }

  HeadPattern make(const PatternInput& input) const override {
    const std::lock_guard<std::mutex> one_at_a_time(mutex_);
    if (!link_) start();
    std::string payload;
    try {
      const std::string request = request_bytes(input);
      // A process that is gone already shows when it is listened to.
      if (link_->send(fmt::format("request {}\n", request.size()))) link_->send(request);
      const double timeout_s =
          settings_.timeout_s > 0 ? settings_.timeout_s : pattern_timeout_s(input);
      link_->hear(call_text(input), timeout_s, payload);
    } catch (...) {
      link_.reset();  // its state is not known any more
      throw;
    }
    HeadPattern pattern = parse_pattern(payload);
    check_head_pattern(pattern, words_);  // the rule might have spoilt what its process sent
    return pattern;
  }

 private:
  void start() const {
    constexpr double kTimeToLoad_s = 120.0;
    link_ = std::make_unique<RuleLink>(words_, settings_);
    try {
      std::string none;
      const double timeout_s = settings_.timeout_s > 0 ? settings_.timeout_s : kTimeToLoad_s;
      const Message ready = link_->hear("loading the library", timeout_s, none);
      needs_tensors_ = ready.first == "1";
      depends_on_head_ = ready.rest.substr(0, 1) == "1";
      depends_on_step_ = ready.rest.size() == 3 && ready.rest[2] == '1';
    } catch (...) {
      link_.reset();
      throw;
    }
  }

  std::string words_;
  PatternProcessSettings settings_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<RuleLink> link_;
  // Facts of the library, the same after every start.
  mutable bool needs_tensors_ = false;
  mutable bool depends_on_head_ = false;
  mutable bool depends_on_step_ = false;
};

}  // namespace

double pattern_timeout_s(const PatternInput& input) {
  constexpr double kLeast_s = 60.0;
  constexpr double kFlops = 0.5e9;
  const auto tokens = static_cast<double>(input.video.grid.seq_len());
  const double width = input.q.data == nullptr ? 0.0 : static_cast<double>(input.q.shape[3]);
  return kLeast_s + 2.0 * tokens * tokens * width / kFlops;
}

bool is_foreign_rule(const std::string& words) {
  std::istringstream in(words);
  std::string name;
  in >> name;
  return rule_info(name).name == "plugin";
}

std::unique_ptr<PatternRule> make_rule_apart(const std::string& words,
                                             const PatternProcessSettings& settings) {
  return std::make_unique<RuleApart>(words, settings);
}

}  // namespace lvsa::analysis
