#pragma once
// A candidate held against a baseline.

#include "analysis/gate/evidence.hpp"
#include "analysis/gate/findings.hpp"
#include "analysis/gate/rules.hpp"

namespace lvsa::analysis {

/// What may differ although it usually means that two runs have nothing to do with each other.
struct Tolerated {
  bool versions = false;  ///< of lvsa-verify
  bool suites = false;    ///< named differently; tensors of a sweep
  bool devices = false;   ///< of speed measurements
};

/// Throws Error(kValue) in one line for evidence that cannot be compared: other versions, suites,
/// deciding options, tensors, devices, shards, nothing in common. The order of cases plays no role.
GateResult compare(const Evidence& baseline, const Evidence& candidate, const GateRules& rules,
                   const Tolerated& tolerated = {});

/// Parts of it; each throws and adds findings as compare() says.
void compare_conformance(const ConformanceEvidence& baseline, const ConformanceEvidence& candidate,
                         const ConformanceRules& rules, GateResult& result);
void compare_patterns(const PatternEvidence& baseline, const PatternEvidence& candidate,
                      GateResult& result);
void compare_sweep(const SweepEvidence& baseline, const SweepEvidence& candidate,
                   const SweepRules& rules, const Tolerated& tolerated, GateResult& result);
/// `baseline` may be null: the ratios speak for themselves.
void compare_speed(const SpeedEvidence* baseline, const SpeedEvidence& candidate,
                   const PairRules& rules, GateResult& result);

/// Throws where the two may not be compared.
void require_comparable(const Evidence& baseline, const Evidence& candidate,
                        const Tolerated& tolerated);

}  // namespace lvsa::analysis
