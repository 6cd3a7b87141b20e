#pragma once
// Which kept blocks of a query block the online skip leaves out, in fp64, and which could go either
// way within the error of a kernel's scores.

#include <cstdint>
#include <span>
#include <vector>

#include "core/blocks/head_pattern.hpp"
#include "core/tensor/tensor.hpp"
#include "reference/attention/oracle.hpp"

namespace lvsa::reference {

/// q [B, Sq, H, D]; k, v [B, Sk, Hkv, D]. `patterns`: one for each head, or [batch][heads]; they
/// and the tensors must outlive what is made of this.
struct BlockAttention {
  TensorView q;
  TensorView k;
  TensorView v;
  double scale = 1.0;
  std::span<const HeadPattern> patterns;

  const HeadPattern& pattern(std::int64_t batch, std::int64_t head) const {
    const auto given = static_cast<std::int64_t>(patterns.size());
    return patterns[static_cast<std::size_t>((batch * q.shape[2] + head) % given)];
  }
};

/// What becomes of a kept block of a query block.
enum class SkipState : std::uint8_t { kKept, kInDoubt, kSkipped };

/// One of the kept blocks of a query block, in the order of the map.
struct SkipDecision {
  SkipState state = SkipState::kKept;
  /// Bounds of the largest (row maximum of the block - maximum of the row before), log2 units, over
  /// all scores within eta; infinity where a row begins, -infinity where no row gains.
  double delta_low = 0.0;
  double delta_high = 0.0;
};

/// For the query block `block` of a head: [kept blocks of its row], all kKept without a skip rule.
/// Of `errors`, those of the score count: dot and score, and two more roundings.
std::vector<SkipDecision> skip_decisions(const BlockAttention& attention, std::int64_t batch,
                                         std::int64_t head, std::int64_t block,
                                         const ScoreErrorModel& errors);

}  // namespace lvsa::reference
