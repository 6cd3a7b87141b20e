#pragma once
// What one case of a conformance run came to.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/verify/bounds.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/frame_heads.hpp"

namespace lvsa::analysis {

enum class Status {
  kPass,
  kWeak,         ///< within its bounds, but the bounds are too wide to mean much; counts as passed
  kFail,         ///< an element outside its bound, unwritten, or not finite where it must be
  kError,        ///< the kernel returned an error
  kUnsupported,  ///< outside the kernel's declared capabilities; neither passed nor failed
  kCrash,        ///< the kernel ended its process: a signal, an abort, an exit
  kTimeout,      ///< the kernel did not return in time
};
/// "pass", "weak", "fail", "error", "unsupported", "crash", "timeout".
std::string_view status_name(Status status);
/// The reverse; empty for any other text.
std::optional<Status> parse_status(std::string_view name);
/// Whether a run with such a case exits with 1.
inline bool is_failure(Status status) {
  return status == Status::kFail || status == Status::kError || status == Status::kCrash ||
         status == Status::kTimeout;
}

/// One named check besides the bounds: a relation that must hold exactly, a probe.
enum class CheckState {
  kHolds,
  kFails,
  kNotApplicable,  ///< says nothing about this case; the message says why
};
struct NamedCheck {
  std::string name;
  CheckState state = CheckState::kHolds;
  std::string message;  ///< one line when it fails or does not apply
};
/// "holds", "fails", "not applicable".
std::string_view check_state_name(CheckState state);
std::optional<CheckState> parse_check_state(std::string_view name);

/// One output element and what was due there.
struct ElementReport {
  std::int64_t batch = 0;
  std::int64_t token = 0;
  std::int64_t frame = 0;         ///< of the token; -1 for a text token
  std::int64_t row_in_frame = 0;  ///< token within its frame, or within the text
  std::int64_t head = 0;
  std::int64_t column = 0;
  double expected = 0.0;
  double got = 0.0;
  Tolerance tolerance;
  /// Share of the tolerance that the error takes up, the output's own rounding set aside: above 1
  /// the element is wrong. Infinity where the tolerance is 0 and they differ.
  double ratio = 0.0;
};

/// Check of one output (the attention output, or the log-sum-exp).
struct OutputCheck {
  std::int64_t checked = 0;
  std::int64_t failed = 0;
  std::int64_t unwritten = 0;  ///< elements of the whole tensor that still hold the pre-filled bits
  double worst_ratio = 0.0;
  ElementReport worst;  ///< the element that failed by most, else the one nearest to its bound
};

/// Hashes of the bytes of q, k and v as they were given to the kernel
/// (analysis/verify/byte_hash.hpp); 0: not made.
struct InputHashes {
  std::uint64_t q = 0;
  std::uint64_t k = 0;
  std::uint64_t v = 0;
};

/// What the kernel attends in one batch element and head, from its outputs alone (recover.hpp): a
/// row a query frame, a letter a key frame as cell_letter() has them.
struct RecoveredMask {
  std::int64_t batch = 0;
  std::int64_t head = 0;
  std::vector<std::string> rows;  ///< [T], each of T letters; empty: not recovered
};

struct Timings {
  double inputs_s = 0.0;
  double kernel_s = 0.0;
  double oracle_s = 0.0;
};

struct CaseResult {
  std::int64_t number = 0;  ///< place of the case in its suite, from 1; 0: it belongs to none
  Case c;
  std::string line;     ///< to_line(c)
  std::string kernel;   ///< name of the kernel
  std::string command;  ///< the command that repeats this case
  Status status = Status::kPass;
  std::string message;  ///< one line: why it failed, is weak or is unsupported; else empty

  std::int64_t interval = 0;  ///< keyframe interval, 0 for none
  std::int64_t offset = 0;    ///< of the keyframe grid at the case's step
  std::int64_t frames_attended_min = 0;
  std::int64_t frames_attended_max = 0;
  double density = 0.0;  ///< attended (query, key) token pairs over all, text included

  std::int64_t rows_checked = 0;
  OutputCheck output;
  OutputCheck lse;  ///< checked = 0 when the kernel has none
  /// Tier B, for a kernel that declares its schedule; checked = 0 otherwise.
  OutputCheck schedule;
  std::vector<NamedCheck> checks;  ///< relations and probes, in the order in which they ran
  std::string suspect;  ///< one line: what is within bounds but unlikely of a right kernel (tier C)
  std::string where;    ///< one line: what the failing elements have in common
  std::string replay;   ///< replay file of the smallest case that still fails; empty: none
  InputHashes inputs;
  double mean_signal = 0.0;  ///< mean |expected| over the checked elements
  double mean_tolerance = 0.0;
  std::int64_t weak_rows = 0;  ///< rows with a score error of 2^-8 or more
  /// Worst ratio of each query frame ([T], text rows behind as one more entry); -1: not sampled.
  std::vector<double> frame_worst_ratio;
  FrameHeadMap frame_heads;  ///< the same by query frame and head
  RecoveredMask recovered;   ///< of a failed case where that costs little

  /// 4 * B * D * H * attended pairs / kernel time, in 1e9 a second; 0 where only some rows were
  /// wanted.
  double useful_gflops = 0.0;
  Timings timings;
};

/// A whole run.
struct RunSummary {
  std::int64_t passed = 0;  ///< weak ones included
  std::int64_t weak = 0;
  std::int64_t failed = 0;  ///< errors, crashes and time-outs included
  std::int64_t unsupported = 0;
};
/// Counts one more case.
void count(RunSummary& summary, Status status);
RunSummary summarise(const std::vector<CaseResult>& results);

}  // namespace lvsa::analysis
