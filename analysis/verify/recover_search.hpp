#pragma once
// The search behind mask recovery: hypotheses on what a row attends, and their test against every
// column of the probes.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analysis/verify/recover_probe.hpp"
#include "analysis/verify/recover_row.hpp"

namespace lvsa::analysis {

struct ValueRange {
  double low = 0.0;
  double high = 0.0;
};

/// The columns of one row, N / L each, as ranges.
class ProbeSystem {
 public:
  ProbeSystem(const ProbeCodes& codes, std::optional<float> lse) : codes_(codes), lse_(lse) {}
  void add_observed(ValueRange range) { observed_.push_back(range); }
  const ProbeColumns& columns() const { return codes_.columns(); }
  const ProbeCodes& codes() const { return codes_; }
  ValueRange observed(std::int64_t column) const {
    return observed_[static_cast<std::size_t>(column)];
  }
  /// Exactly zero; for a column of zeros and ones: no key of it is attended.
  bool is_zero(std::int64_t column) const {
    return observed(column).low == 0.0 && observed(column).high == 0.0;
  }
  /// Whether these keys predict every column but those of batch elements and kv heads, for some
  /// denominator in the range.
  bool predicts(const std::vector<KeyPiece>& pieces, ValueRange denominator) const;
  /// Whether the fingerprints allow whole frames and text, `keys` in all, with this part besides.
  bool may_be_off_by(const KeyPiece& part, std::int64_t keys) const;
  /// Whether there is a log-sum-exp and it is the logarithm of this number.
  bool lse_counts(std::int64_t keys) const;

 private:
  bool fits(std::int64_t column, std::int64_t numerator, ValueRange denominator) const;
  const ProbeCodes& codes_;
  std::optional<float> lse_;
  std::vector<ValueRange> observed_;
};

struct KeyFinding {
  std::vector<KeyPiece> pieces;
  std::pair<double, double> zero_keys{0.0, 0.0};
};

/// The first hypothesis that predicts everything; nothing when none does. Tried in turn: what is
/// due; whole frames and text, each any number of times; a part of every frame left out; frames cut
/// at one end or read on into the next; one part of one frame missing or counted twice. Without
/// `deep` only the first two, which are quick.
std::optional<KeyFinding> find_keys(const ProbeSystem& system, const std::vector<KeyPiece>& due,
                                    bool deep);

std::int64_t total_keys(const std::vector<KeyPiece>& pieces);

}  // namespace lvsa::analysis
