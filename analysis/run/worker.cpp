#include "analysis/run/worker.hpp"

#include <fmt/format.h>

#include <cfenv>
#include <charconv>
#include <filesystem>
#include <new>

#include "analysis/report/jsonl_report.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/run/worker_channel.hpp"
#include "core/error.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

constexpr int kEndedWell = 0;

// A process with a GPU open took long to start: the next case is better off in it than in a new
// one.
bool has_device_open() {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const auto target = std::filesystem::read_symlink(entry.path(), ignored);
    if (target.string().rfind("/dev/nvidia", 0) == 0) return true;
  }
  return false;
}

Keep what_to_keep() {
  if (DeviceMemory::is_lost()) return Keep::kSpoilt;
  return has_device_open() ? Keep::kWorth : Keep::kAsAny;
}

void serve_one(const WorkerChannel& channel, const Message& message, const WorkerTask& task) {
  std::int64_t number = 0;
  std::from_chars(message.first.data(), message.first.data() + message.first.size(), number);
  int last_permille = -1;
  CaseProgress progress;
  progress.part = [&](std::string_view part) { channel.send("part", part); };
  progress.share = [&](double share) {
    const int permille = static_cast<int>(share * 1000.0);
    if (permille == last_permille) return;
    last_permille = permille;
    channel.send("share", fmt::format("{:.3f}", share));
  };
  CaseResult result = task.run(parse_case(message.rest), progress);
  result.number = number;
  channel.send("result",
               fmt::format("{} {}", static_cast<int>(what_to_keep()), to_json_line(result)));
}

}  // namespace

std::string to_text(const WorkerSetUp& set_up) {
  return fmt::format("{}:{}", set_up.parent, set_up.memory_limit_b);
}

WorkerSetUp parse_worker_set_up(std::string_view text) {
  WorkerSetUp set_up;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, set_up.parent);
  const bool has_parent = read.ec == std::errc() && read.ptr != end && *read.ptr == ':';
  if (has_parent) read = std::from_chars(read.ptr + 1, end, set_up.memory_limit_b);
  if (!has_parent || read.ec != std::errc() || read.ptr != end) {
    throw Error(ErrorKind::kValue, fmt::format("worker: '{}': two numbers are due", text));
  }
  return set_up;
}

int serve_cases(const WorkerSetUp& set_up, const WorkerTask& task) {
  set_up_worker_process(set_up);
  WorkerChannel channel;
  try {
    const lvsa_kernel& kernel = task.load();
    std::fesetenv(FE_DFL_ENV);  // libraries built for speed switch on flush-to-zero as they load
    channel.send("kernel",
                 fmt::format("{} {}", declared_memory(kernel.capabilities) == LVSA_HOST ? 0 : 1,
                             kernel.name));
    std::string line;
    while (channel.next(line)) serve_one(channel, parse_message(line), task);
  } catch (const Error& error) {
    channel.send("refused", fmt::format("{} {}", static_cast<int>(error.kind()), error.what()));
  } catch (const std::bad_alloc&) {
    channel.send("refused",
                 fmt::format("{} out of memory: the sizes asked for need more than this machine "
                             "has, or than the limit set",
                             static_cast<int>(ErrorKind::kValue)));
  } catch (const std::exception& error) {
    channel.send("broken", error.what());
  }
  return kEndedWell;
}

}  // namespace lvsa::analysis
