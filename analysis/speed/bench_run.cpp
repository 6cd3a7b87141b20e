#include "analysis/speed/bench_run.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>

#include "analysis/run/case_time.hpp"
#include "analysis/run/child_process.hpp"
#include "analysis/run/wire.hpp"
#include "analysis/speed/analyse.hpp"
#include "analysis/speed/block_order.hpp"
#include "analysis/speed/measure.hpp"
#include "analysis/speed/median_statistics.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kTimeToLoad_s = 120.0;

// One measuring process and the talk with it.
class Meter {
 public:
  Meter(const BenchPlan& plan, double timeout_s)
      : process_(plan.argv, plan.environment), timeout_s_(timeout_s), printed_(plan.printed) {}

  // From now on silence may last so long.
  void allow(double timeout_s) { timeout_s_ = timeout_s; }

  // Sends a line and hears the messages up to "done".
  template <typename Hear>
  void ask(const std::string& line, Hear hear) {
    process_.send(line + "\n");
    last_sign_ = Clock::now();
    while (true) {
      const bool over = process_.ended();  // asked first: what it said before is in the buffers
      read();
      while (const auto told = take_line(heard_)) {
        last_sign_ = Clock::now();
        const Message message = parse_message(*told);
        if (message.word == "done") return;
        if (!ordinary(message, *told)) hear(message, *told);
      }
      if (over) lose(fmt::format("its process ended with {}", end_text(process_.end())));
      const double silent = std::chrono::duration<double>(Clock::now() - last_sign_).count();
      if (silent > timeout_s_) lose(fmt::format("no sign of life for {:.3g} s", timeout_s_));
      std::array<pollfd, 2> waited{
          {{process_.channel(), POLLIN, 0}, {process_.output(), POLLIN, 0}}};
      constexpr int kPatience_ms = 100;
      ::poll(waited.data(), waited.size(), kPatience_ms);
    }
  }

 private:
  // What is the same in every answer; false for the rest.
  bool ordinary(const Message& message, const std::string& line) {
    const auto behind = [&] { return line.substr(std::min(line.size(), message.word.size() + 1)); };
    if (message.word == "part") {
      part_ = behind();
    } else if (message.word == "failed") {
      throw KernelLost(behind());
    } else if (message.word == "refused") {
      int kind = 0;
      std::from_chars(message.first.data(), message.first.data() + message.first.size(), kind);
      throw Error(static_cast<ErrorKind>(std::clamp(kind, 0, static_cast<int>(ErrorKind::kKernel))),
                  message.rest);
    } else if (message.word == "broken") {
      throw std::runtime_error(behind());
    } else {
      return false;
    }
    return true;
  }

  void read() {
    process_.read_channel(heard_);
    process_.read_output(half_line_);
    while (const auto line = take_line(half_line_)) {
      last_words_ = *line;
      if (printed_) printed_(*line);
    }
    constexpr std::size_t kLongest = 8192;
    if (half_line_.size() > kLongest) half_line_.clear();
  }

  [[noreturn]] void lose(const std::string& what) {
    process_.kill();
    read();
    const std::string words =
        last_words_.empty() ? "" : fmt::format("; last words: {}", one_line(last_words_));
    throw KernelLost(fmt::format("{} during: {}{}", what, part_, words));
  }

  ChildProcess process_;
  double timeout_s_;
  std::function<void(std::string_view)> printed_;
  std::string heard_;
  std::string half_line_;
  std::string last_words_;
  std::string part_ = "loading the kernels";
  Clock::time_point last_sign_ = Clock::now();
};

struct Gathered {
  SpeedCase result;
  std::vector<double> pilot_ratios;
  double block_s = 0.0;
  double set_up_s = 0.0;   // of each process: tensors, first calls, warming up
  std::int64_t calls = 0;  // 0: left out
  std::vector<double> a_s;
  std::vector<double> b_s;
  std::vector<double> clock_ratios;
  std::vector<double> clocks;
};

class Bench {
 public:
  explicit Bench(const BenchPlan& plan) : plan_(plan) {
    outcome_.comparison.rules = plan.rules;
    if (plan.timeout_s > 0) timeout_s_ = plan.timeout_s;
  }

  BenchOutcome run() {
    const StealCounter start = StealCounter::now();
    pilot();
    drop_defaults();
    const std::int64_t blocks = planned_blocks();
    for (std::int64_t round = 0; round < plan_.processes; ++round) {
      measure(round, blocks);
      states().back().steal_share = StealCounter::now().share_since(start);
      if (plan_.progress) plan_.progress(round + 1, plan_.processes);
    }
    conclude();
    return std::move(outcome_);
  }

 private:
  std::vector<MachineState>& states() { return outcome_.comparison.states; }

  Meter new_meter(double timeout_s) const { return {plan_, timeout_s}; }

  void pilot() {
    states().push_back(machine_state(nullptr));
    const Clock::time_point begin = Clock::now();
    Meter meter = new_meter(kTimeToLoad_s);
    meter.ask("who", [this](const Message& message, const std::string& line) {
      if (message.word == "side") take_side(message);
      if (message.word == "device") {
        outcome_.comparison.device = std::string_view(line).substr(message.word.size() + 1);
      }
    });
    load_s_ = seconds_since(begin);
    check_memory();
    take_cases();
    meter.allow(timeout_s_);
    meter.ask("pilot", [this](const Message& message, const std::string& line) {
      if (message.word == "left-out") {
        const auto number = static_cast<std::size_t>(std::stoul(message.first));
        outcome_.left_out.push_back({gathered_.at(number).result.line, message.rest});
      } else if (message.word == "pilot") {
        take_pilot(parse_numbers(std::string_view(line).substr(message.word.size())));
      }
    });
    pilot_s_ = seconds_since(begin);
    if (outcome_.left_out.size() == gathered_.size()) {
      throw Error(ErrorKind::kValue,
                  fmt::format("no case can be timed: case '{}': {}", outcome_.left_out.front().line,
                              outcome_.left_out.front().reason));
    }
  }

  void check_memory() const {
    const SpeedComparison& c = outcome_.comparison;
    if (c.a.on_device == c.b.on_device || plan_.across_devices) return;
    throw Error(ErrorKind::kValue,
                fmt::format("{} runs on the {}, {} on the {}: --across-devices is due to compare "
                            "them all the same",
                            c.a.name, c.a.on_device ? "GPU" : "CPU", c.b.name,
                            c.b.on_device ? "GPU" : "CPU"));
  }

  void take_cases() {
    const SpeedComparison& c = outcome_.comparison;
    std::vector<Case> cases = plan_.cases;
    if (cases.empty()) cases = default_speed_cases(c.a.on_device || c.b.on_device);
    double longest = 0.0;
    for (const Case& of : cases) {
      gathered_.emplace_back().result.line = to_line(of);
      longest = std::max(longest, 2.0 * default_timeout_s(of));
    }
    if (plan_.timeout_s <= 0) timeout_s_ = std::max(timeout_s_, longest);
  }

  void take_side(const Message& message) {
    SpeedSide& side = message.first == "0" ? outcome_.comparison.a : outcome_.comparison.b;
    side.on_device = message.rest.substr(0, 1) == "1";
    side.name = message.rest.substr(std::min<std::size_t>(2, message.rest.size()));
  }

  void take_pilot(const std::vector<double>& numbers) {
    constexpr std::size_t kFirstRatio = 5;
    Gathered& of = gathered_.at(static_cast<std::size_t>(numbers.at(0)));
    of.calls = static_cast<std::int64_t>(numbers.at(1));
    of.result.calls = of.calls;
    // Of 8 times 6 are A's and 2 are B's; half a call more of each to warm up, clocks and so on.
    of.block_s = static_cast<double>(of.calls) * (6.0 * numbers.at(2) + 2.0 * numbers.at(3)) +
                 numbers.at(2) + numbers.at(3) + 1e-3;
    of.set_up_s =
        numbers.at(4) + 2.0 * static_cast<double>(of.calls) * (numbers.at(2) + numbers.at(3));
    of.pilot_ratios.assign(numbers.begin() + kFirstRatio, numbers.end());
  }

  static double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  // What all processes spend on a case if each measures so many blocks.
  double cost_s(const Gathered& of, std::int64_t blocks_of_process) const {
    if (of.calls == 0) return 0.0;
    const double each_s = of.set_up_s + static_cast<double>(blocks_of_process) * of.block_s;
    return static_cast<double>(plan_.processes) * each_s;
  }

  double total_cost_s(std::int64_t blocks_of_process) const {
    double total = pilot_s_ + static_cast<double>(plan_.processes) * load_s_;
    for (const Gathered& of : gathered_) total += cost_s(of, blocks_of_process);
    return total;
  }

  // Of the default cases, those that --seconds is too little for even with the fewest blocks, the
  // costliest first; before any ratio of B to A is seen.
  void drop_defaults() {
    if (!plan_.cases.empty() || plan_.blocks > 0) return;
    while (total_cost_s(kLeastBlocksOfProcess) > plan_.seconds &&
           outcome_.left_out.size() + 1 < gathered_.size()) {
      const auto costliest = std::max_element(
          gathered_.begin(), gathered_.end(), [&](const Gathered& x, const Gathered& y) {
            return cost_s(x, kLeastBlocksOfProcess) < cost_s(y, kLeastBlocksOfProcess);
          });
      outcome_.left_out.push_back(
          {costliest->result.line,
           fmt::format("this default case would take {:.0f} s, which --seconds {:.3g} has no room "
                       "for",
                       cost_s(*costliest, kLeastBlocksOfProcess), plan_.seconds)});
      costliest->calls = 0;
    }
  }

  // As many as the noisiest case needs and the time allows; an odd number for each process.
  std::int64_t planned_blocks() const {
    std::int64_t blocks = plan_.blocks;
    double all_cases_s = 0.0;
    for (const Gathered& of : gathered_) {
      if (of.calls == 0) continue;
      all_cases_s += of.block_s;
      if (plan_.blocks == 0) {
        blocks = std::max(blocks, blocks_for(of.pilot_ratios, plan_.rules, plan_.processes));
      }
    }
    if (plan_.blocks == 0) {
      const double left_s = std::max(0.0, plan_.seconds - total_cost_s(0));
      const double affordable = std::min(left_s / all_cases_s, 1e9);
      blocks = std::min(blocks, static_cast<std::int64_t>(affordable));
    }
    const std::int64_t each = std::max((blocks + plan_.processes - 1) / plan_.processes,
                                       plan_.blocks == 0 ? kLeastBlocksOfProcess : 1);
    return plan_.processes * (each | 1);
  }

  void measure(std::int64_t round, std::int64_t blocks) {
    const std::int64_t each = blocks / plan_.processes;
    std::string request = fmt::format("measure {} {}", round * each, (round + 1) * each);
    for (const Gathered& of : gathered_) request += fmt::format(" {}", of.calls);
    Meter meter = new_meter(timeout_s_);
    meter.ask(request, [&](const Message& message, const std::string& line) {
      const std::string_view behind = std::string_view(line).substr(message.word.size());
      if (message.word == "block") take_block(parse_numbers(behind), round);
      if (message.word == "state") states().push_back(decode_state(behind));
    });
  }

  void take_block(const std::vector<double>& n, std::int64_t round) {
    Gathered& of = gathered_.at(static_cast<std::size_t>(n.at(0)));
    of.result.ratios.push_back(n.at(2));
    of.result.noise_ratios.push_back(n.at(3));
    of.result.block_round.push_back(round);
    of.a_s.push_back(n.at(4));
    of.b_s.push_back(n.at(5));
    of.clock_ratios.push_back(n.at(7) / n.at(6));
    of.clocks.push_back(0.5 * (n.at(6) + n.at(7)));
  }

  void conclude() {
    for (Gathered& of : gathered_) {
      if (of.calls == 0) continue;
      of.result.a_s = median_of(of.a_s);
      of.result.b_s = median_of(of.b_s);
      of.result.clock_ratio = median_of(of.clock_ratios);
      std::sort(of.clocks.begin(), of.clocks.end());
      const std::size_t last = of.clocks.size() - 1;
      of.result.clock_spread =
          (of.clocks[last - last / 10] - of.clocks[last / 10]) / median_of(of.clocks);
      outcome_.comparison.cases.push_back(std::move(of.result));
    }
    analyse_speed(outcome_.comparison);
  }

  const BenchPlan& plan_;
  std::vector<Gathered> gathered_;
  double timeout_s_ = kTimeToLoad_s;
  double load_s_ = 0.0;   // from the start of a process to its first answer
  double pilot_s_ = 0.0;  // of the whole pilot
  BenchOutcome outcome_;
};

}  // namespace

BenchOutcome run_bench(const BenchPlan& plan) { return Bench(plan).run(); }

}  // namespace lvsa::analysis
