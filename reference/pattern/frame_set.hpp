#pragma once
// The vocabulary of the restatement: sets of frames, half-open token ranges, and the one way to
// refuse an input. Sizes are accepted up to 2^31 - 1, so that no product of two of them can
// overflow 64 bits and the formulas can stand here as the published text has them.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace lvsa::reference {

/// Latent frame numbers, each once, in increasing order.
using FrameSet = std::set<std::int64_t>;

/// Tokens [begin, end).
struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const TokenRange&) const = default;
};

/// The two behaviours in the field.
enum class Published {
  k12,  ///< 1.2, June 2026
  k13,  ///< 1.3, June/July 2026
};

/// Throws lvsa::Error (ValueError) unless lowest <= value <= 2^31 - 1.
void require_size(const char* name, std::int64_t value, std::int64_t lowest);

/// Throws lvsa::Error (ValueError) with `message` unless `holds`.
void require(bool holds, const std::string& message);

/// Python's `a // b` for b > 0: rounds towards minus infinity.
std::int64_t floor_divide(std::int64_t a, std::int64_t b);

/// Python's `a % b` for b > 0: never negative.
std::int64_t floor_modulo(std::int64_t a, std::int64_t b);

/// Python's `-(-a // b)` for b > 0: the quotient of the reals, rounded up.
std::int64_t ceil_divide(std::int64_t a, std::int64_t b);

/// The set as a sorted list, as the recorded cases spell it.
std::vector<std::int64_t> sorted(const FrameSet& frames);

}  // namespace lvsa::reference
