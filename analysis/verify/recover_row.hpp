#pragma once
// Mask recovery for one query row: which keys count how often, from the columns of the probes.
//
// A finding is a hypothesis (so many times these tokens) that predicts every column, the random
// fingerprints among them, to within the rounding of the output. What no hypothesis predicts is
// undecided; then only the support is claimed: a column of zeros and ones that is exactly 0 holds
// no attended key, and one that is not holds some. Derivation: docs/recover.md.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/verify/recover_probe.hpp"

namespace lvsa::analysis {

/// Tokens first .. first + count - 1 count `times` times.
struct KeyPiece {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t times = 1;
  bool operator==(const KeyPiece&) const = default;
};

/// Keys that count in one frame (or in the text), each as often as it counts.
inline constexpr std::int64_t kUnknownCount = -1;  ///< some, nobody knows how many

/// What one query row attends.
struct RowMask {
  bool proven = false;               ///< every column is predicted; else only the support is sure
  bool finite = true;                ///< false: a column is NaN or infinite, nothing is known
  std::vector<std::int64_t> frames;  ///< [T] keys of each frame
  std::int64_t text = 0;             ///< keys of the text
  /// When proven: the attended tokens by frame and text, ascending, parts of a frame included.
  std::vector<KeyPiece> pieces;
  /// Keys that add to the denominator and have no value (rows of zeros); least and most.
  std::pair<double, double> zero_keys{0.0, 0.0};
  /// All keys counted this often, by the log-sum-exp; the output alone cannot tell.
  std::int64_t multiplicity = 1;
  /// Share of the weight on keys of other batch elements and kv heads: index, share.
  std::vector<std::pair<std::int64_t, double>> other_batch;
  std::vector<std::pair<std::int64_t, double>> other_kv_head;
};

/// How precisely a column says N / L before its last rounding.
struct ProbePrecision {
  DType dtype = LVSA_F32;  ///< of the output
  double relative = 0.0;   ///< arithmetic in front of the last rounding
};
ProbePrecision probe_precision(const std::optional<lvsa_numerics>& numerics, DType inputs,
                               DType output);

/// One row as it came out of the probes.
struct ProbeRow {
  std::span<const float> columns;
  std::optional<float> lse;
  std::int64_t batch = 0;
  std::int64_t kv_head = 0;
};

/// `due`: the pieces that the pattern asks for; tried first. `deep`: also hypotheses on parts of
/// frames, which take time where none of them holds.
RowMask recover_row(const ProbeCodes& codes, const ProbePrecision& precision, const ProbeRow& row,
                    const std::vector<KeyPiece>& due, bool deep = true);

/// Whole frames and, if `text`, the text, as pieces.
std::vector<KeyPiece> whole_pieces(const FrameGrid& grid, std::span<const std::int32_t> frames,
                                   bool text);

}  // namespace lvsa::analysis
