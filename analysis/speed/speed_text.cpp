#include "analysis/speed/speed_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "analysis/speed/machine_state.hpp"

namespace lvsa::analysis {
namespace {

std::string side_text(const char* letter, const SpeedSide& side) {
  return fmt::format("{}: {} ({}){}\n", letter, side.name, side.option,
                     side.library.empty() ? "" : fmt::format(", library {}", side.library));
}

std::string interval_text(const RatioEstimate& e) {
  if (e.low <= 0.0) return "too few blocks";
  return fmt::format("{:.3f} .. {:.3f}", e.low, e.high);
}

std::string case_text(std::size_t number, const SpeedCase& c) {
  std::string text =
      fmt::format("{:>4}  {:>10.4g}  {:>10.4g}  {:>6.3f}  {:<18}  {:>6.2f}%  {:>6.2f}%  {}\n",
                  number, c.a_s * 1e3, c.b_s * 1e3, c.ratio.median, interval_text(c.ratio),
                  c.noise * 100.0, c.delta * 100.0, speed_verdict_name(c.verdict));
  text += fmt::format("      {}\n", c.line);
  if (!c.reason.empty()) text += fmt::format("      undecided: {}\n", c.reason);
  for (const std::string& remark : c.remarks) text += fmt::format("      note: {}\n", remark);
  return text;
}

// "1980 .. 1980 MHz" of one field over all states; empty where none has it.
template <typename Field>
std::string range_text(const SpeedComparison& comparison, const char* name, const char* unit,
                       Field field) {
  std::optional<double> low;
  double high = 0.0;
  for (const MachineState& state : comparison.states) {
    const std::optional<double> value = state.*field;
    if (!value) continue;
    low = std::min(low.value_or(*value), *value);
    high = std::max(high, *value);
  }
  if (!low) return "";
  return fmt::format("{}{} {:.4g} .. {:.4g}{}", ", ", name, *low, high, unit);
}

std::string states_text(const SpeedComparison& c) {
  std::string text;
  if (!c.a.on_device || !c.b.on_device) {
    text += range_text(c, "CPU probe", " GHz", &MachineState::cpu_probe_ghz);
    text += range_text(c, "as told", " MHz", &MachineState::cpu_mhz);
  }
  text += range_text(c, "load", "", &MachineState::load_1min);
  text += range_text(c, "stolen share", "", &MachineState::steal_share);
  text += range_text(c, "GPU", " MHz", &MachineState::gpu_sm_mhz);
  text += range_text(c, "power", " W", &MachineState::gpu_power_w);
  text += range_text(c, "temperature", " C", &MachineState::gpu_temperature_c);
  std::uint64_t bits = 0;
  for (const MachineState& state : c.states) bits |= state.gpu_throttle.value_or(0);
  const std::string throttled = throttle_text(bits);
  if (!throttled.empty()) text += fmt::format(", clocks lowered by: {}", throttled);
  if (text.empty()) return "";
  return fmt::format("Clocks: {}\n", text.substr(2));
}

}  // namespace

std::string speed_summary(const SpeedComparison& comparison) {
  std::array<std::size_t, 4> count{};
  for (const SpeedCase& c : comparison.cases) ++count[static_cast<std::size_t>(c.verdict)];
  const SpeedVerdict overall = overall_verdict(comparison);
  return fmt::format("{}: {} of {} {}", speed_verdict_name(overall),
                     count[static_cast<std::size_t>(overall)], comparison.cases.size(),
                     comparison.cases.size() == 1 ? "case" : "cases");
}

std::string speed_as_text(const SpeedComparison& comparison) {
  std::string text = side_text("A", comparison.a) + side_text("B", comparison.b);
  text += fmt::format("on {}; times by {}\n", comparison.device,
                      comparison.clock == "cpu" ? "processor time" : "the clock on the wall");
  if (!comparison.cases.empty()) {
    text += fmt::format("{} blocks a case; false alarms in at most {:.3g} % of runs\n\n",
                        comparison.cases.front().ratios.size(), comparison.rules.alpha * 100.0);
  }
  text += fmt::format("{:>4}  {:>10}  {:>10}  {:>6}  {:<18}  {:>7}  {:>7}  {}\n", "case", "A ms",
                      "B ms", "B/A", "interval", "noise", "delta", "verdict");
  for (std::size_t i = 0; i < comparison.cases.size(); ++i) {
    text += case_text(i + 1, comparison.cases[i]);
  }
  return text + "\n" + states_text(comparison) + speed_summary(comparison) + "\n";
}

}  // namespace lvsa::analysis
