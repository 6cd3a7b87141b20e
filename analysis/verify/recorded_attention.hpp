#pragma once
// Attention calls recorded from the published implementation: an HDF5 file with one group a call,
// holding q, k, v, the outputs out_step<N>_<dtype>, and the geometry and settings as attributes.

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/verify/case.hpp"
#include "analysis/verify/inputs.hpp"
#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"
#include "core/geometry/frame_grid.hpp"
#include "core/io/hdf5.hpp"

namespace lvsa::analysis {

/// One recorded call. Tensors are [B, S, H, D] in `layout` order of the file.
struct RecordedAttention {
  std::string group;
  FrameGrid grid;
  Environment environment;
  Version version = Version::k1_2;  ///< attribute "lvsa"; 1.2 where it is absent
  Layout layout = Layout::kBSHD;
  RealDataset q, k, v;

  /// The inputs in an element type (rounded to it), shape [B, S, H, D].
  AttentionTensors tensors(DType dtype) const;
  /// The recorded call as a conformance case: its sizes and its pattern settings at a step. Throws
  /// Error when the settings are none. `file` is left empty.
  Case as_case(std::int64_t step, DType dtype) const;
};

/// Takes the pattern settings of LVSA_* variables into a case. Throws Error when they are none.
void apply_environment(Case& c, const Environment& environment);

/// The variables in the JSON object of a text. Throws Error(kIo) that begins with `where`.
Environment environment_from_json(const std::string& text, const std::string& where);

/// Reads one group; throws Error(kIo or kValue) that names the file, the group and what is missing
/// or does not fit.
RecordedAttention read_recorded(const Hdf5File& file, const std::string& group);

/// An output dataset of a group, by its name "out_step<N>_<dtype>".
struct RecordedOutput {
  std::string dataset;
  std::int64_t step = 0;
  DType dtype = LVSA_F64;
};
std::vector<RecordedOutput> recorded_outputs(const Hdf5File& file, const std::string& group);

/// Index of element [b, s, h, c] of a dataset with four dimensions in `layout` order.
std::size_t element_index(const RealDataset& data, Layout layout, std::int64_t b, std::int64_t s,
                          std::int64_t h, std::int64_t c);

}  // namespace lvsa::analysis
