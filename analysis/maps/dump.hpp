#pragma once
// Attention maps of many heads: what `lvsa-verify dump` computes. docs/dump.md has the definitions
// and the form of the files.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/maps/frame_mass.hpp"
#include "analysis/maps/head_class.hpp"
#include "analysis/maps/token_map.hpp"
#include "analysis/sweep/row_choice.hpp"
#include "analysis/sweep/setting.hpp"

namespace lvsa::analysis {

class GpuFrameMass;

/// More masses, or weights of token maps, than this are refused (8 and 4 bytes each).
inline constexpr std::int64_t kMaxDumpedMasses = std::int64_t{1} << 27;
inline constexpr std::int64_t kMaxDumpedWeights = std::int64_t{1} << 28;

struct DumpOptions {
  SweepSetting setting;  ///< of the pattern over the maps
  RowChoice rows;
  LatentSize size;
  std::vector<RowPlace> places;  ///< of token maps
  GpuFrameMass* gpu = nullptr;   ///< frame masses come from there, of all rows
};

struct DumpedMap {             // a TokenMap in single precision
  std::vector<float> weights;  ///< [T, height, width]
  double text = 0.0;
};

struct DumpedHead {
  SampleId id;
  FrameMass mass;
  HeadStatistics statistics;
  HeadClass head_class = HeadClass::kMixed;
  std::string class_said;   ///< by the source; empty: not said
  std::size_t pattern = 0;  ///< of Dump::patterns
  PatternMass kept;
  std::vector<DumpedMap> maps;  ///< one for each of DumpOptions::places
};

struct Dump {
  FrameGrid grid;
  DumpOptions options;
  std::vector<std::int64_t> offsets;   ///< of the patterns: rotation moves them with the step
  std::vector<FramePattern> patterns;  ///< ascending in their offsets, those that are in use
  std::vector<DumpedHead> heads;
  std::vector<ExcludedSample> excluded;
  std::string identity;   ///< of the source
  std::string masses_of;  ///< "8 rows a frame", "all rows", "all rows, on a GPU (...)"

  const FramePattern& pattern(const DumpedHead& head) const { return patterns[head.pattern]; }
};

/// The grid that all samples of a source have. Throws Error(kValue) for none, and for samples of
/// different grids.
FrameGrid common_grid(const SampleSource& source);

/// Heads of which the source and the rule of head_class.hpp say different things.
std::vector<std::size_t> differing_classes(const Dump& dump);

/// One sample at a time; `done` is called after each with the number of those that are done. A step
/// that is not known counts as 0 where the pattern rotates. Throws Error(kValue) beyond the limits
/// above, and as the parts do.
Dump make_dump(const SampleSource& source, const DumpOptions& options,
               const std::function<void(std::size_t)>& done = {});

}  // namespace lvsa::analysis
