#pragma once
// A failing case as data: tensors, lists or block maps, and the intervals that were due, so that it
// runs again without the generator, the oracle or the rules of the pattern.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/verify/alternative_patterns.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "analysis/verify/judge.hpp"
#include "analysis/verify/result.hpp"
#include "core/blocks/head_pattern.hpp"
#include "core/blocks/pattern_rule.hpp"
#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/oracle.hpp"

namespace lvsa::analysis {

/// What is due in one row.
struct ReplayRow {
  reference::RowId id;
  std::vector<double> exact;  ///< [D]
  std::vector<double> low;    ///< [D] least accepted output
  std::vector<double> high;   ///< [D]
  double lse = 0.0;
  double lse_low = 0.0;
  double lse_high = 0.0;
};

struct ReplayCase {
  Case c;  ///< sizes, types and layout count; its pattern and inputs tell where it is from
  std::string found;              ///< line of the case that failed first
  std::string kernel;             ///< the kernel that failed, as --kernel named it
  std::string check;              ///< what fails: see failure_kind()
  std::string message;            ///< one line on the failure
  AttendedFrames lists;           ///< empty where there are maps
  std::vector<HeadPattern> maps;  ///< [batch][heads], of a case with pattern=; else empty
  BlockSize nominal{0, 0};        ///< tokens of a whole block, with maps
  AttentionTensors tensors;
  std::vector<ReplayRow> rows;
};

/// What of a failing result fails: "output", "written", "log-sum-exp", "schedule", "error",
/// "crash", "timeout", or the name of a check; empty when it did not fail.
std::string failure_kind(const CaseResult& result);

/// The replay of a case: its tensors and lists, no rows yet.
ReplayCase make_replay(const Case& c, const std::string& kernel, const std::string& check);

/// Computes what is due in these rows, by the numerics that the kernel declares (null: nothing is
/// known of it); for the check "schedule" by the replay of its schedule.
void set_rows(ReplayCase& replay, const lvsa_kernel* kernel,
              const std::vector<reference::RowId>& rows);

struct ReplayVerdict {
  std::string check;    ///< what fails first, as in ReplayCase::check; empty: nothing
  std::string message;  ///< one line when something fails
  std::vector<std::size_t> failed_rows;  ///< indices into ReplayCase::rows
};

/// Runs the kernel on (a copy of) the replay and holds what it leaves behind against the rows; for
/// the check "mask" recovers its mask, for a relation runs that. Throws Error(kKernel) when the
/// kernel does not serve the sizes or types.
ReplayVerdict judge_replay(const ReplayCase& replay, const lvsa_kernel& kernel,
                           std::int32_t threads = 0);

/// What a call left behind, besides its results.
struct ReplayTraces {
  std::int64_t changed_outside = 0;  ///< bytes outside out, lse and workspace
  std::string changed_input;         ///< "q", "the maps", ...; empty: none
};
/// Holds what a call left behind against the rows: outputs, then what was not written, then the
/// log-sum-exp, then what was changed.
ReplayVerdict judge_rows(const ReplayCase& replay, const KernelOutputs& outputs,
                         const ReplayTraces& traces);

/// The rows from exact results, with their intervals by tier A.
void set_rows(ReplayCase& replay, const BoundModel& model, const ExactRows& exact);
/// The same from what a schedule computes, by tier B; rows of which that says nothing are left out.
void set_schedule_rows(ReplayCase& replay, const ExactRows& exact, const ScheduleRows& schedule);

/// Files hold at most this much.
inline constexpr std::size_t kMostReplayBytes = 100'000;

/// JSON text. Throws Error(kOverflow) when it would be longer than kMostReplayBytes.
std::string replay_to_json(const ReplayCase& replay);

/// Reads a replay file. Throws Error(kIo) with one line that names the file and what is wrong in
/// it.
ReplayCase read_replay(const std::string& path);
/// The same from memory; `name` stands in messages.
ReplayCase replay_from_json(const std::string& text, const std::string& name);

}  // namespace lvsa::analysis
