#pragma once
// Samples from a file of captured attention calls (docs/capture.md): every head of every call that
// was asked for.

#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/sweep/sample.hpp"
#include "analysis/verify/capture.hpp"

namespace lvsa::analysis {

struct CaptureSourceOptions {
  CaptureOptions capture;            ///< path, sizes and layout; `settings` are of no account
  std::vector<std::int64_t> layers;  ///< empty: all
  std::vector<std::int64_t> steps;   ///< empty: all
  std::vector<std::int64_t> heads;   ///< query heads; empty: all
  /// Leave out what cannot be used and list it in excluded(); otherwise the first of it is an
  /// Error. Of a call that cannot be read, or whose sizes differ from those that most calls have,
  /// the whole is left out (batch and head -1); with a NaN or an infinity the heads that see it.
  bool exclude_bad = false;
};

/// Looks the chosen calls through once, one in memory at a time, so that what is wrong shows before
/// anything is computed. Samples stand in the order of the groups, then batch, then head. Layer and
/// step come from attributes of these names, else from a group's name ("layer3/step10"). Guidance
/// passes (attribute or name `pass`) count as further batch elements. Heads have their numbers in
/// the model where an attribute `heads` says them ("0,5,7"). Query head h sees key head
/// h / (heads / key heads). Tensors in float8_e4m3 with factors become float32; all others keep
/// their type. The identity is the file's name and a hash of everything that was chosen.
///
/// Throws Error(kIo, kValue) that names file, group and place: no call, sizes that do not fit,
/// layers, steps or heads that are not there (with those that are), nothing left.
std::unique_ptr<SampleSource> open_capture_source(const CaptureSourceOptions& options);

}  // namespace lvsa::analysis
