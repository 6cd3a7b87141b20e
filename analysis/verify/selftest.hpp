#pragma once
// Is the judge any good? Named general checks, run on kernels whose defects are known. No check
// knows which kernel it looks at.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/kernel/lvsa_kernel.h"

namespace lvsa::analysis {

/// One general check. What it takes of the kernel is in its description.
struct SelftestCheck {
  std::string name;
  std::string description;
};

/// In front of the name of a check that a long case made.
inline constexpr std::string_view kLongPrefix = "long-";

/// How far a kernel is examined.
enum class SelftestDepth {
  kComplete,   ///< all checks on all cases
  kFirstKill,  ///< until a small and a long case have found something
};

/// A compact set of cases with their exact results, made once and used for many kernels.
class SelftestCases {
 public:
  /// `like` declares the numerics that the bounds count on: kernels judged here must share them.
  /// `long_keys`: keys that a row of the long cases attends, at least 512. Throws Error(kValue).
  SelftestCases(const lvsa_kernel& like, std::int64_t long_keys);
  ~SelftestCases();
  SelftestCases(const SelftestCases&) = delete;
  SelftestCases& operator=(const SelftestCases&) = delete;

  /// All checks, in the order of the matrix. Each is made by small cases under its name and by long
  /// ones under "long-" and its name.
  static const std::vector<SelftestCheck>& checks();

  /// Names of the checks that the kernel fails, in the order of checks(), those of small cases
  /// first; empty: none accuses it. `before_check` is called before each case.
  std::vector<std::string> failed_checks(const lvsa_kernel& kernel,
                                         const std::function<void()>& before_check = {},
                                         SelftestDepth depth = SelftestDepth::kComplete) const;

 private:
  struct Prepared;
  std::vector<std::unique_ptr<Prepared>> cases_;
};

/// One kernel's line of the matrix.
struct SelftestLine {
  std::string name;
  std::string family;  ///< "mask", "numerics", "memory"; empty for the healthy kernel
  std::string description;
  std::vector<std::string> by;  ///< checks that it fails

  bool killed() const { return !by.empty(); }
  /// By a check on a small case, and on a long one.
  bool killed_small() const;
  bool killed_long() const;
};

struct SelftestReport {
  SelftestLine healthy;
  std::vector<SelftestLine> defects;
  std::int64_t killed() const;
  /// Defects that small cases alone find, and that long ones alone do.
  std::int64_t killed_small() const;
  std::int64_t killed_long() const;
  /// Every defect fails some check on a long case, and the healthy kernel none at all.
  bool good() const;
};

/// Runs the healthy emulated kernel and every defect of reference/attention/mutants. `done`, if
/// given, is called after each kernel with the number done and the number of all.
SelftestReport run_selftest(std::int64_t long_keys, SelftestDepth depth = SelftestDepth::kComplete,
                            const std::function<void(std::size_t, std::size_t)>& done = {});

}  // namespace lvsa::analysis
