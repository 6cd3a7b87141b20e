#pragma once
// What `lvsa-verify parallel --compute` and `--mutants` run: every world up to 8 x 8 on small
// shapes that bring the difficulties out, and the known defects against the checks.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/diagnose/parallel_check.hpp"

namespace lvsa::analysis {

/// One shape of the suite in one world.
struct ParallelCase {
  std::string name;
  ParallelShape shape;
  ParallelRun run;
  bool custom = false;  ///< mode custom in a world of run.world.size() ranks
  std::string line() const;
};

/// The shapes for U x R ranks: dense and LVSA, with text, grouped and padded heads, sizes that the
/// world does not divide, first blocks without keys, both merge forms, the merge in fp32.
std::vector<ParallelCase> parallel_cases(std::int64_t ulysses, std::int64_t ring);
/// Mode custom with `world` ranks, at frame boundaries and inside frames.
std::vector<ParallelCase> custom_cases(std::int64_t world);

struct ParallelCaseResult {
  ParallelCase subject;
  ParallelVerdict verdict;
};

/// All of them for U = 1 .. most_ulysses, R = 1 .. most_ring. `done`, if given, is called after
/// each world.
std::vector<ParallelCaseResult> run_parallel_suite(
    std::int64_t most_ulysses, std::int64_t most_ring,
    const std::function<void(std::int64_t, std::int64_t)>& done = {});

/// A defect and the checks that find it in the cases made for the purpose.
struct ParallelDefectLine {
  std::string name;
  std::string description;
  std::vector<std::string> by;  ///< empty: it survives
};

struct ParallelDefectReport {
  std::vector<std::string> healthy_accused_by;
  std::vector<ParallelDefectLine> defects;
  std::int64_t killed() const;
  bool good() const;
};

ParallelDefectReport run_parallel_defects();

}  // namespace lvsa::analysis
