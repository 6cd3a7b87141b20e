#pragma once
// Captured attention calls: real q, k, v, and perhaps what a kernel made of them, from a file in
// any of the formats of core/io/tensor_file.hpp. The form is described in docs/capture.md.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/result.hpp"
#include "analysis/verify/run_case.hpp"

namespace lvsa::analysis {

/// What is said of a capture by hand; it counts more than what its attributes say.
struct CaptureOptions {
  std::string path;
  std::optional<std::int64_t> frames;   ///< T
  std::optional<std::int64_t> patches;  ///< P
  std::optional<std::int64_t> text;     ///< text tokens behind the video
  std::string layout;                   ///< as Axes::parse() takes it; empty: not said
  std::string settings;                 ///< words of a case line, such as "W=3 ref=21 step=4"
};

/// The calls of a file as cases (word file=), in the order of their groups. The tensors are read
/// once, so that what cannot be judged shows before anything runs. Throws Error that names file,
/// group, and what is missing or does not fit: no call in the file, a geometry that is not that of
/// the tensors (with the readings that would be), another type, NaN or infinity.
std::vector<Case> capture_cases(const CaptureOptions& options);

/// Whether the file that a case names holds the output of its call.
bool has_captured_output(const Case& c);

/// Judges the captured output (and log-sum-exp) of a case as that of a kernel named "captured".
/// Throws Error for a file that lacks it or holds one of another shape or type.
CaseResult judge_captured(const Case& c, const RunOptions& options);

}  // namespace lvsa::analysis
