#include "analysis/sweep/pattern_timer_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "analysis/run/pattern_wire.hpp"
#include "analysis/run/request_link.hpp"
#include "analysis/sweep/pattern_timer_wire.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kTimeToLoad_s = 120.0;
constexpr int kMostLosses = 3;

class TimerApart : public TimesPatterns {
 public:
  explicit TimerApart(TimerProcessSettings settings) : settings_(std::move(settings)) { start(); }

  void take(const PatternInput& input) override {
    input_ = input;
    sent_ = false;
  }

  TimedPattern measure(const HeadPattern& pattern, const std::string& words) override {
    if (losses_ == kMostLosses) {
      return lost(fmt::format("kernel {}: not called any more: lost {} times in a row",
                              settings_.kernel, kMostLosses));
    }
    TimedPattern timed;
    try {
      timed = ask(pattern, words);
    } catch (const ProcessLost& error) {
      timed = lost(error.what());
    } catch (...) {
      link_.reset();
      throw;
    }
    if (timed.lost) {
      link_.reset();
      ++losses_;
    } else {
      losses_ = 0;
    }
    return timed;
  }

  std::string source() const override { return source_; }

 private:
  static TimedPattern lost(const std::string& why) {
    TimedPattern timed;
    timed.untimed = why;
    timed.lost = true;
    return timed;
  }

  void start() {
    link_ = std::make_unique<RequestLink>(
        RequestLinkSettings{fmt::format("kernel {}", settings_.kernel),
                            settings_.argv,
                            {"ready"},
                            {"source", "timed"},
                            settings_.printed});
    sent_ = false;
    // Starting a process has little to do with how long a call may take.
    const double timeout_s = std::max(settings_.timeout_s, kTimeToLoad_s);
    const std::string part = "loading the library";
    std::string payload;
    const Message ready = link_->hear(part, timeout_s, payload);
    on_device_ = ready.first == "1";
    std::from_chars(ready.rest.data(), ready.rest.data() + ready.rest.size(), heads_);
    link_->hear(part, timeout_s, source_);
  }

  TimedPattern ask(const HeadPattern& pattern, const std::string& words) {
    if (!link_) start();
    // A process that is gone already shows when it is listened to.
    if (!sent_) link_->send("take", request_bytes(input_));
    sent_ = true;
    link_->send("time", words + "\n" + pattern_bytes(pattern));
    const double timeout_s = settings_.timeout_s > 0 ? settings_.timeout_s
                                                     : timer_patience_s(input_, on_device_, heads_);
    std::string payload;
    link_->hear(fmt::format("pattern '{}', layer {} step {} head {}", words, input_.layer,
                            input_.step, input_.head),
                timeout_s, payload);
    return parse_timed(payload);
  }

  TimerProcessSettings settings_;
  std::unique_ptr<RequestLink> link_;
  PatternInput input_;
  bool sent_ = false;
  std::string source_;
  bool on_device_ = false;
  std::int64_t heads_ = 1;
  int losses_ = 0;  // in a row
};

}  // namespace

double timer_patience_s(const PatternInput& input, bool on_device, std::int64_t heads) {
  constexpr double kLeast_s = 60.0;
  constexpr double kHostFlops = 0.5e9;
  constexpr double kDeviceFlops = 1e12;
  const auto tokens = static_cast<double>(input.video.grid.seq_len());
  const double width = input.q.data == nullptr ? 0.0 : static_cast<double>(input.q.shape[3]);
  return kLeast_s + 2.0 * tokens * tokens * width * static_cast<double>(heads) /
                        (on_device ? kDeviceFlops : kHostFlops);
}

std::unique_ptr<TimesPatterns> time_apart(TimerProcessSettings settings) {
  return std::make_unique<TimerApart>(std::move(settings));
}

std::string timed_bytes(const TimedPattern& timed) {
  const MeasuredTime& t = timed.time;
  const double numbers[] = {t.dense_ms,      t.attention_ms, t.ratio,
                            t.prediction_ms, t.total_ms,     t.speedup};
  std::string bytes(reinterpret_cast<const char*>(numbers), sizeof numbers);
  bytes += timed.lost ? '\1' : '\0';
  return bytes + timed.untimed;
}

TimedPattern parse_timed(std::string_view bytes) {
  double numbers[6] = {};
  if (bytes.size() <= sizeof numbers) {
    throw ProcessLost(ErrorKind::kKernel, "bytes that are no time came from the timed kernel");
  }
  std::memcpy(numbers, bytes.data(), sizeof numbers);
  TimedPattern timed;
  timed.time = {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
  timed.lost = bytes[sizeof numbers] != '\0';
  timed.untimed = bytes.substr(sizeof numbers + 1);
  return timed;
}

}  // namespace lvsa::analysis
