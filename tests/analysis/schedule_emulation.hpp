#pragma once
// An attention row in fp32 by any declared schedule, with everything that the declaration leaves
// open done in some legal way. Shares no code with the shadow.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/kernel/lvsa_kernel.h"
#include "reference/attention/oracle.hpp"

namespace schedule_test {

/// What a kernel may do as it likes.
struct Liberty {
  bool truncates = false;    ///< accumulators cut off; u_a = 2^-23 must be declared
  bool reversed = false;     ///< sums within a tile from its last key on
  bool carried = false;      ///< sums run on from tile to tile; sum_step = 1 must be declared
  bool fused_shift = false;  ///< exp2(fma(q.k, factor, -shift)); needs rescale_exact = 0
  int exp_push = 0;          ///< exponentials off by exp_ulps: up (1), down (-1), at random (2)
};

struct EmulatedRow {
  std::vector<float> out;
  float lse = 0.0F;
};

/// The row as a kernel of this schedule computes it.
EmulatedRow emulate(const lvsa::reference::AttentionProblem& problem,
                    const lvsa::reference::RowId& row, const lvsa_numerics& numerics,
                    const Liberty& liberty, std::uint32_t seed);

/// A complete schedule and liberties that go with it.
struct Drawn {
  lvsa_numerics numerics{};
  Liberty liberty;
  std::string text() const;
};
Drawn draw_schedule(std::mt19937& random);

/// Tiles of 16 keys that end with their frame, running maximum, P in bf16, fp32 sums.
lvsa_numerics plain_schedule();

/// `value` rounded to the type from the list of all its numbers.
double round_by_table(lvsa_dtype dtype, double value, bool toward_zero);

}  // namespace schedule_test
