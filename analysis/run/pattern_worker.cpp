// The side of pattern_process.hpp that calls the rule.

#include <fmt/format.h>

#include <charconv>
#include <new>

#include "analysis/run/pattern_process.hpp"
#include "analysis/run/pattern_wire.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/run/worker_channel.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kEndedWell = 0;

void send_refusal(const WorkerChannel& channel, ErrorKind kind, const std::string& text) {
  channel.send("refused", fmt::format("{} {}", static_cast<int>(kind), text));
}

// Runs `body` and tells what it throws; false where it threw.
template <typename Body>
bool tells_errors(const WorkerChannel& channel, const Body& body) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    send_refusal(channel, error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    send_refusal(channel, ErrorKind::kKernel, "out of memory");
  } catch (const std::exception& error) {
    send_refusal(channel, ErrorKind::kKernel,
                 fmt::format("an exception left the rule: {}", error.what()));
  }
  return false;
}

}  // namespace

int serve_patterns(const WorkerSetUp& set_up, const std::string& words) {
  set_up_worker_process(set_up);
  WorkerChannel channel;
  std::unique_ptr<PatternRule> rule;
  const bool loaded = tells_errors(channel, [&] {
    rule = make_rule(words);
    channel.send("ready", fmt::format("{} {} {}", int{rule->needs_tensors()},
                                      int{rule->depends_on_head()}, int{rule->depends_on_step()}));
  });
  std::string line;
  std::string bytes;
  while (loaded && channel.next(line)) {
    const Message message = parse_message(line);
    std::size_t count = 0;
    std::from_chars(message.first.data(), message.first.data() + message.first.size(), count);
    if (!channel.next_bytes(count, bytes)) break;
    tells_errors(channel, [&] {
      const ReceivedRequest request = parse_request(bytes);
      const std::string answer = pattern_bytes(rule->make(request.input));
      channel.send("pattern", std::to_string(answer.size()));
      channel.send_bytes(answer);
    });
  }
  return kEndedWell;
}

}  // namespace lvsa::analysis
