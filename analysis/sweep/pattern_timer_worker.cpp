// The side of pattern_timer_process.hpp that calls the kernel.

#include <fmt/format.h>

#include <charconv>
#include <new>

#include "analysis/run/pattern_wire.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/run/worker_channel.hpp"
#include "analysis/sweep/pattern_timer_process.hpp"
#include "analysis/sweep/pattern_timer_wire.hpp"
#include "core/error.hpp"
#include "core/kernel/device_memory.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kEndedWell = 0;

void send_all(const WorkerChannel& channel, std::string_view word, const std::string& bytes) {
  channel.send(word, std::to_string(bytes.size()));
  channel.send_bytes(bytes);
}

void send_timed(const WorkerChannel& channel, const TimedPattern& timed) {
  send_all(channel, "timed", timed_bytes(timed));
}

void send_untimed(const WorkerChannel& channel, const std::string& why, bool lost) {
  TimedPattern timed;
  timed.untimed = one_line(why);
  timed.lost = lost;
  send_timed(channel, timed);
}

// Runs `body` and tells what it throws; false where it threw and the process is of no more use.
template <typename Body>
bool goes_on(const WorkerChannel& channel, const Body& body) {
  try {
    body();
    return true;
  } catch (const DeviceLost& lost) {
    send_untimed(channel, lost.what(), true);
    return false;
  } catch (const std::bad_alloc&) {
    send_untimed(channel, "out of memory: the tensors and maps need more than this machine has",
                 false);
    return true;
  } catch (const Error& error) {
    channel.send("refused", fmt::format("{} {}", static_cast<int>(error.kind()), error.what()));
  } catch (const std::exception& error) {
    channel.send("refused",
                 fmt::format("{} {}", static_cast<int>(ErrorKind::kKernel), error.what()));
  }
  return false;
}

class Server {
 public:
  Server(const WorkerChannel& channel, ServedTimer timer)
      : channel_(channel), timer_(std::move(timer)) {}

  // False: nothing more is to be had from this process.
  bool answer(const Message& message, std::string bytes) {
    if (message.word == "take") {
      taken_ = std::move(bytes);
      return true;
    }
    return goes_on(channel_, [&] {
      if (!taken_.empty()) {
        request_ = parse_request(taken_);
        taken_.clear();
        timer_.timer->take(request_.input);
      }
      const std::size_t words = std::min(bytes.find('\n'), bytes.size() - 1);
      const HeadPattern pattern = parse_pattern(std::string_view(bytes).substr(words + 1));
      send_timed(channel_, timer_.timer->measure(pattern, bytes.substr(0, words)));
    });
  }

 private:
  const WorkerChannel& channel_;
  ServedTimer timer_;
  std::string taken_;  // a request that nothing was timed for yet
  ReceivedRequest request_;
};

}  // namespace

int serve_times(const WorkerSetUp& set_up, const std::function<ServedTimer(const Tell&)>& load) {
  set_up_worker_process(set_up);
  WorkerChannel channel;
  std::unique_ptr<Server> server;
  bool on = goes_on(channel, [&] {
    ServedTimer timer = load([&](std::string_view part) { channel.send("part", part); });
    channel.send("ready", fmt::format("{} {}", int{timer.on_device}, timer.heads));
    send_all(channel, "source", timer.timer->source());
    server = std::make_unique<Server>(channel, std::move(timer));
  });
  std::string line;
  std::string bytes;
  while (on && server && channel.next(line)) {
    const Message message = parse_message(line);
    std::size_t count = 0;
    std::from_chars(message.first.data(), message.first.data() + message.first.size(), count);
    if (!channel.next_bytes(count, bytes)) break;
    on = server->answer(message, std::move(bytes));
    bytes.clear();
  }
  return kEndedWell;
}

}  // namespace lvsa::analysis
