#pragma once
// What criteria in common use see, and what the bounds see: the same defective kernels, the same
// rows, one verdict a criterion. Behind docs/evidence.md.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lvsa::analysis {

/// One way to judge an output against the exact one.
struct Criterion {
  std::string name;
  std::string description;
};

/// One kind of input, with the verdicts of all criteria on all kernels.
struct EvidenceColumn {
  std::string name;  ///< "gauss 8192"
  std::string line;  ///< the case
  /// caught[criterion]: names of the defects that it rejects.
  std::vector<std::vector<std::string>> caught;
  /// alarms[criterion]: names of the healthy kernels that it rejects.
  std::vector<std::vector<std::string>> alarms;
};

struct EvidenceTable {
  std::vector<Criterion> criteria;
  std::vector<EvidenceColumn> columns;
  std::int64_t defects = 0;
};

/// Runs every defect of reference/attention/mutants, the healthy emulated kernel and the tiled
/// kernel with P in bf16 on normal and indicator inputs of each length, and on ties of the first.
/// `done`, if given, is called after each kernel with the number done and the number of all.
/// Throws Error(kValue) for lengths outside 512 .. 1048576.
EvidenceTable collect_evidence(const std::vector<std::int64_t>& lengths,
                               const std::function<void(std::size_t, std::size_t)>& done = {});

}  // namespace lvsa::analysis
