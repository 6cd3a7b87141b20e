#pragma once
// What `lvsa-verify bench A B` found: is kernel B as fast as kernel A? docs/speed.md has the method
// and the form of the file.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/report/provenance.hpp"

namespace lvsa::analysis {

/// Grows when a field changes its meaning or goes away; new fields leave it as it is.
inline constexpr int kSpeedSchema = 1;

enum class SpeedVerdict {
  kFaster,     ///< the whole interval of the ratio lies below 1 / (1 + delta)
  kSame,       ///< it lies within 1 / (1 + delta) .. 1 + delta
  kSlower,     ///< it lies above 1 + delta
  kUndecided,  ///< neither, or the measurement is suspicious; SpeedCase::reason says why
};
/// "FASTER", "SAME", "SLOWER", "UNDECIDED".
std::string_view speed_verdict_name(SpeedVerdict verdict);
/// The reverse; empty for any other text.
std::optional<SpeedVerdict> parse_speed_verdict(std::string_view name);

/// A median of ratios of times and the interval for it. Above 1: the second is slower.
struct RatioEstimate {
  double median = 1.0;
  double low = 1.0;
  double high = 1.0;   ///< infinity where there are too few blocks for the level; low is then 0
  double level = 0.0;  ///< confidence of the interval, 0.99 for 99 %
};

/// How the verdicts are made; decided before anything is measured.
struct SpeedRules {
  double alpha = 0.01;        ///< chance of one false FASTER or SLOWER in a run; likewise of a SAME
  double least_delta = 0.03;  ///< differences up to this count as none
  double noise_factor = 3.0;  ///< delta = max(least_delta, noise_factor * noise)
  double most_delta = 0.08;   ///< a larger delta is no basis for SAME: UNDECIDED
  double noise_level = 0.95;  ///< confidence of the interval of A against A that gives the noise
  double clock_change = 0.02;  ///< clocks in A's and B's calls further apart: UNDECIDED
};

/// One of the two kernels.
struct SpeedSide {
  std::string option;      ///< as it was given: "cpu", "path/to/lib.so:name"
  std::string name;        ///< its own
  std::string library;     ///< hash of the library, 16 hexadecimal digits; empty: built in
  bool on_device = false;  ///< its tensors are in the memory of a GPU
};

/// Clocks and load at one moment. What the machine does not tell is not there.
struct MachineState {
  std::optional<double> load_1min;      ///< load average
  std::optional<double> steal_share;    ///< of the processors' time since the start of the run
  std::optional<double> cpu_mhz;        ///< mean over the processors, as the system tells it
  std::optional<double> cpu_probe_ghz;  ///< from a chain of dependent operations, one processor
  std::string governor;                 ///< of frequency scaling; empty: not told
  std::optional<double> gpu_sm_mhz;
  std::optional<double> gpu_power_w;
  std::optional<double> gpu_temperature_c;
  std::optional<std::uint64_t> gpu_throttle;  ///< NVML's bits: reasons why clocks are lowered
};

/// One case. Ratios and times are of single calls.
struct SpeedCase {
  std::string line;                  ///< case line
  std::int64_t calls = 1;            ///< calls of a kernel that one time spans
  double a_s = 0.0;                  ///< median time of a call of A
  double b_s = 0.0;                  ///< of B
  std::vector<double> ratios;        ///< B / A of each ABBA block, in the order measured
  std::vector<double> noise_ratios;  ///< A / A of each block of A alone; empty: noise was given
  std::vector<std::int64_t> block_round;  ///< number of the process of each block, from 0
  double clock_ratio = 1.0;               ///< clock in B's calls over that in A's, median
  double clock_spread = 0.0;              ///< (90th - 10th percentile) / median of the clock

  // From here on what analyse_speed() makes of it.
  RatioEstimate ratio;        ///< at the level of the case in Holm's order
  RatioEstimate noise_ratio;  ///< A against A, at SpeedRules::noise_level
  double noise = 0.0;         ///< how far the interval of A against A reaches from 1, as a share
  double delta = 0.03;
  double p_change = 1.0;  ///< of the verdicts FASTER and SLOWER, before Holm's correction
  double p_same = 1.0;    ///< of the verdict SAME, likewise
  SpeedVerdict verdict = SpeedVerdict::kUndecided;
  std::string reason;                ///< one line: why it is undecided; else empty
  std::vector<std::string> remarks;  ///< what is odd and does not change the verdict
};

/// A comparison of two kernels on one machine.
struct SpeedComparison {
  SpeedSide a;
  SpeedSide b;
  std::string device;  ///< where the calls ran: "CPU <model>, 16 threads", "NVIDIA H100 ..."
  std::string clock = "wall";  ///< what was measured: "wall", or "cpu" for processor time
  SpeedRules rules;
  std::vector<SpeedCase> cases;
  std::vector<MachineState> states;  ///< before the first block, between processes, after the last
  Provenance provenance;
};

/// Of all cases: SLOWER when one is slower, else UNDECIDED when one is undecided, else FASTER when
/// one is faster, else SAME (also for no cases).
SpeedVerdict overall_verdict(const SpeedComparison& comparison);

/// JSON text of several lines, one a case; ends with a newline.
std::string to_speed_json(const SpeedComparison& comparison);
/// The reverse. `where` begins the message of what is thrown: Error(kJson) for text that is no such
/// JSON (truncated, not UTF-8, a key twice), Error(kValue) for another schema, unknown or missing
/// fields, and numbers out of range.
SpeedComparison parse_speed_json(std::string_view text, const std::string& where);
/// Of a file. Throws Error(kIo) too.
SpeedComparison read_speed_file(const std::string& path);

}  // namespace lvsa::analysis
