#include "analysis/speed/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "analysis/run/wire.hpp"
#include "core/error.hpp"
#include "core/kernel/device_memory.hpp"
#include "core/kernel/loader.hpp"

namespace lvsa::analysis {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] void not_understood(std::string_view text) {
  throw Error(ErrorKind::kValue, fmt::format("a measuring process does not understand '{}'", text));
}

template <typename Value>
double or_none(const std::optional<Value>& value) {
  return value ? static_cast<double>(*value) : kNone;
}

void take(std::optional<double>& to, double value) {
  if (!std::isnan(value)) to = value;
}

}  // namespace

std::vector<double> parse_numbers(std::string_view text) {
  std::vector<double> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (*at == ' ') {
      ++at;
      continue;
    }
    double value = 0.0;
    const auto read = std::from_chars(at, end, value);
    if (read.ec != std::errc() || (read.ptr != end && *read.ptr != ' ')) not_understood(text);
    numbers.push_back(value);
    at = read.ptr;
  }
  return numbers;
}

std::vector<Case> default_speed_cases(bool on_device) {
  constexpr std::array<const char*, 4> kHost = {
      "T=21 P=24 H=4 D=64 dtype=bf16 W=3 ref=21 step=1 seed=1",
      "T=33 P=16 text=40 H=2 D=128 dtype=bf16 W=3 ref=21 step=2 seed=2",
      "T=21 P=24 H=4 Hkv=2 D=64 dtype=f32 W=3 ref=21 step=1 seed=3",
      "T=49 P=12 H=2 D=128 dtype=f32 W=4 ref=21 step=3 seed=4",
  };
  constexpr std::array<const char*, 4> kDevice = {
      "model=wan-1.3b T=21 P=1560 H=12 D=128 dtype=bf16 W=3 ref=21 step=1 seed=1",
      "model=wan-1.3b T=41 P=1560 H=12 D=128 dtype=bf16 W=3 ref=21 step=2 seed=2",
      "model=wan-14b T=21 P=3600 H=10 D=128 dtype=f16 W=3 ref=21 step=1 seed=3",
      "T=33 P=1000 text=256 H=24 D=64 dtype=bf16 W=3 ref=21 step=1 seed=4",
  };
  std::vector<Case> cases;
  for (const char* line : on_device ? kDevice : kHost) cases.push_back(parse_case(line));
  return cases;
}

std::string encode_state(const MachineState& s) {
  return fmt::format("{} {} {} {} {} {} {} {} {}", or_none(s.load_1min), or_none(s.steal_share),
                     or_none(s.cpu_mhz), or_none(s.cpu_probe_ghz), or_none(s.gpu_sm_mhz),
                     or_none(s.gpu_power_w), or_none(s.gpu_temperature_c), or_none(s.gpu_throttle),
                     s.governor.empty() ? "-" : s.governor);
}

MachineState decode_state(std::string_view text) {
  const std::size_t last = text.rfind(' ');
  if (last == std::string_view::npos) not_understood(text);
  const std::vector<double> numbers = parse_numbers(text.substr(0, last));
  if (numbers.size() != 8) not_understood(text);
  MachineState s;
  take(s.load_1min, numbers[0]);
  take(s.steal_share, numbers[1]);
  take(s.cpu_mhz, numbers[2]);
  take(s.cpu_probe_ghz, numbers[3]);
  take(s.gpu_sm_mhz, numbers[4]);
  take(s.gpu_power_w, numbers[5]);
  take(s.gpu_temperature_c, numbers[6]);
  if (!std::isnan(numbers[7])) s.gpu_throttle = static_cast<std::uint64_t>(numbers[7]);
  const std::string_view governor = text.substr(last + 1);
  if (governor != "-") s.governor = governor;
  return s;
}

SpeedMeter::SpeedMeter(const lvsa_kernel& a, const lvsa_kernel& b, std::vector<Case> cases,
                       const MeasureSettings& settings, Tell tell)
    : a_(a), b_(b), cases_(std::move(cases)), settings_(settings), tell_(std::move(tell)) {
  on_device_ = declared_memory(a_.capabilities) == LVSA_CUDA ||
               declared_memory(b_.capabilities) == LVSA_CUDA;
  if (cases_.empty()) cases_ = default_speed_cases(on_device_);
  if (on_device_) gpu_.emplace();
}

void SpeedMeter::who() const {
  tell_("side",
        fmt::format("0 {} {}", declared_memory(a_.capabilities) == LVSA_CUDA ? 1 : 0, a_.name));
  tell_("side",
        fmt::format("1 {} {}", declared_memory(b_.capabilities) == LVSA_CUDA ? 1 : 0, b_.name));
  if (on_device_) {
    const auto none = DeviceMemory::why_none();
    tell_("device", none ? fmt::format("no GPU: {}", *none) : DeviceMemory::first().name());
  }
}

void SpeedMeter::answer(const std::string& line) {
  const Message message = parse_message(line);
  if (message.word == "who") {
    who();
  } else if (message.word == "pilot") {
    pilot();
  } else if (message.word == "measure") {
    measure(parse_numbers(std::string_view(line).substr(message.word.size())));
  } else {
    not_understood(line);
  }
  tell_("done", "");
}

double SpeedMeter::time(TimedCase& timed, Side side, std::size_t number, std::int64_t calls) {
  const lvsa_kernel& kernel = side == Side::kB ? b_ : a_;
  tell_("part", fmt::format("kernel {} ({}) in case '{}'", side == Side::kB ? "B" : "A",
                            kernel.name, to_line(cases_[number])));
  return timed.seconds(side, calls, settings_.source);
}

double SpeedMeter::clock() const {
  if (on_device_) return gpu_->sm_mhz().value_or(1.0);
  return probe_cpu_ghz();
}

void SpeedMeter::pilot() {
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    if (const auto reason = untimed_reason(a_, b_, cases_[i])) {
      tell_("left-out", fmt::format("{} {}", i, *reason));
    } else {
      pilot_case(i);
    }
  }
}

void SpeedMeter::pilot_case(std::size_t number) {
  constexpr double kWarm_s = 0.2;
  constexpr double kMostPilot_s = 20.0;
  const auto start = std::chrono::steady_clock::now();
  TimedCase timed(a_, b_, cases_[number], settings_.threads);
  const std::chrono::duration<double> set_up = std::chrono::steady_clock::now() - start;
  std::array<double, 2> best{};
  double first_calls_s = 0.0;
  for (const Side side : {Side::kA, Side::kB}) {
    // The first call has everything to prepare; the best of the others counts.
    double total = time(timed, side, number, 1);
    first_calls_s += total;
    double& least = best[static_cast<std::size_t>(side)];
    least = time(timed, side, number, 1);
    total += least;
    for (int i = 0; i < 1000 && total < kWarm_s; ++i) {
      const double seconds = time(timed, side, number, 1);
      least = std::min(least, seconds);
      total += std::max(seconds, 1e-5);
    }
    least = std::max(least, 1e-9);
  }
  constexpr double kMostCalls = 100'000.0;
  const double calls_due = std::min(std::ceil(settings_.slot_s / best[0]), kMostCalls);
  const auto calls = static_cast<std::int64_t>(std::max(1.0, calls_due));
  const double block_s = 0.5 * kSlots * best[0] * static_cast<double>(calls);
  const auto blocks = std::clamp(static_cast<std::int64_t>(std::min(kMostPilot_s / block_s, 1e6)),
                                 std::int64_t{3}, kPilotBlocks);
  std::string text = fmt::format("{} {} {} {} {}", number, calls, best[0], best[1],
                                 set_up.count() + first_calls_s);
  for (std::int64_t block = 0; block < blocks; ++block) {
    BlockTimes times;
    for (const BlockSlot slot : block_order(block)) {
      if (slot.noise) add_time(times, slot, time(timed, slot.side, number, calls));
    }
    text += fmt::format(" {}", noise_ratio(times));
  }
  tell_("pilot", text);
}

void SpeedMeter::measure(const std::vector<double>& numbers) {
  if (numbers.size() != cases_.size() + 2) not_understood("measure");
  const auto first = static_cast<std::int64_t>(numbers[0]);
  const auto last = static_cast<std::int64_t>(numbers[1]);
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    const auto calls = static_cast<std::int64_t>(numbers[i + 2]);
    if (calls < 1) continue;
    TimedCase timed(a_, b_, cases_[i], settings_.threads);
    for (int turn = 0; turn < 2; ++turn) {
      for (const Side side : {Side::kA, Side::kB}) time(timed, side, i, calls);
    }
    for (std::int64_t block = first; block < last; ++block) {
      measure_block(timed, i, block, calls);
    }
    tell_("state", encode_state(machine_state(gpu_ ? &*gpu_ : nullptr)));
  }
}

void SpeedMeter::measure_block(TimedCase& timed, std::size_t number, std::int64_t block,
                               std::int64_t calls) {
  BlockTimes times;
  BlockTimes clocks;
  for (const Side side : {Side::kA, Side::kB}) time(timed, side, number, 1);
  double before = on_device_ ? 0.0 : clock();
  for (const BlockSlot slot : block_order(block)) {
    add_time(times, slot, time(timed, slot.side, number, calls));
    const double after = clock();
    // A GPU tells the clock that it has just had; a processor is asked on both sides.
    add_time(clocks, slot, on_device_ ? after : 0.5 * (before + after));
    before = after;
  }
  const double per_call = 0.5 / static_cast<double>(calls);  // two times of each in a half
  tell_("block",
        fmt::format("{} {} {} {} {} {} {} {}", number, block, block_ratio(times),
                    noise_ratio(times), times.compared[0] * per_call, times.compared[1] * per_call,
                    0.5 * clocks.compared[0], 0.5 * clocks.compared[1]));
}

}  // namespace lvsa::analysis
