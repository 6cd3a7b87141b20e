#pragma once
// Mask recovery: which keys a black-box kernel attends, from its outputs alone, compared exactly
// with the pattern. Method and proof: docs/recover.md.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/verify/alternative_patterns.hpp"
#include "analysis/verify/case.hpp"
#include "analysis/verify/recover_row.hpp"
#include "analysis/verify/result.hpp"
#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

struct RecoverOptions {
  std::int64_t max_runs = 20;  ///< kernel runs, the one with another pattern in front included
  std::int32_t threads = 0;    ///< for the kernel; 0: its own choice
  std::function<void()> before_each = {};  ///< called before each run
};

/// How a frame pair compares.
enum class CellState : std::uint8_t {
  kSkipped,    ///< neither due nor attended
  kAttended,   ///< due, each key once
  kMissing,    ///< due, no key attended
  kExtra,      ///< not due, every key attended once
  kPartial,    ///< some of the frame's keys, due or not
  kRepeated,   ///< keys attended more than once
  kUndecided,  ///< attended, how often is not known
};

/// A character a frame pair: '#' attended and due, '.' neither, '+' extra, '-' missing, '%' part of
/// the frame, '2' more than once, '?' undecided.
char cell_letter(CellState state);

/// One statement about query rows, as a line of the report and for programs.
struct MaskDifference {
  std::string line;  ///< "query frame 17, head 5 attends frame 22, not in the pattern (step 3)"
  std::int64_t rows = 0;  ///< query rows of which it is true
};

struct MaskRecovery {
  Case c;
  std::string kernel;
  std::int64_t runs = 0;
  AttendedFrames due;                  ///< [T], from the literal restatement of the rules
  std::vector<RowMask> masks;          ///< each different one once
  std::vector<std::int32_t> row_mask;  ///< [B, H, S] index into masks
  std::vector<MaskDifference> differences;
  std::int64_t undecided_rows = 0;  ///< rows that no hypothesis explains
  /// What all rows together attend if it is a known mistake: "every frame attends every frame
  /// (dense)"; else empty.
  std::string mistake;

  bool exact() const { return differences.empty(); }
  const RowMask& mask(std::int64_t b, std::int64_t h, std::int64_t token) const {
    return masks[static_cast<std::size_t>(
        row_mask[static_cast<std::size_t>((b * c.heads + h) * c.grid.seq_len() + token)])];
  }
};

/// Recovers the mask of a kernel on the geometry and pattern of a case; its inputs, rows and file
/// do not matter. Throws Error(kKernel) when the kernel fails or does not serve the case,
/// Error(kValue) when the runs do not suffice.
MaskRecovery recover_mask(const Case& c, const lvsa_kernel& kernel, const RecoverOptions& options);

/// Frame pair of one batch element and head; over all rows of the query frame, the worst state.
CellState cell_state(const MaskRecovery& recovery, std::int64_t batch, std::int64_t head,
                     std::int64_t query_frame, std::int64_t key_frame);

/// The first batch element and head with a difference; 0, 0 when there is none.
std::pair<std::int64_t, std::int64_t> first_difference(const MaskRecovery& recovery);

/// Whether recovery on the case costs little: at most about a tenth of a second of a slow kernel.
bool recovery_is_cheap(const Case& c);

/// The comparison as the check "mask" of a case's result.
NamedCheck mask_check(const MaskRecovery& recovery);

/// The masks of one batch element and head, the first that differs from the pattern, for a report;
/// none beyond kMaxReportedFrames.
RecoveredMask recovered_mask(const MaskRecovery& recovery);
inline constexpr std::int64_t kMaxReportedFrames = 256;

/// Fills in differences and mistake. (recover_compare.cpp)
void compare_with_pattern(MaskRecovery& recovery);

}  // namespace lvsa::analysis
