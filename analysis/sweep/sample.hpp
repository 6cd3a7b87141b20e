#pragma once
// What a sweep looks at: one head of one attention call, wherever its tensors come from.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/geometry/frame_grid.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

/// Names a sample. -1: not known.
struct SampleId {
  std::string source;  ///< file (and group) of a capture, or the words of a synthetic video
  std::int64_t layer = -1;
  std::int64_t step = -1;  ///< denoising step
  std::int64_t batch = 0;
  std::int64_t head = 0;  ///< query head
  bool operator==(const SampleId&) const = default;
};

/// "layer 3, step 10, batch 0, head 5"; what is not known (negative) is left out.
std::string describe(const SampleId& id);

/// One head of one call. The views have the shape [1, S, 1, D] with S = grid.seq_len(); text tokens
/// stand behind the video's.
struct Sample {
  SampleId id;
  FrameGrid grid;
  double scale = 1.0;  ///< of the scores, usually 1 / sqrt(D)
  TensorView q;
  TensorView k;
  TensorView v;
  std::shared_ptr<const void> storage;  ///< keeps what the views look at
};

/// A sample that cannot be used, and why; it is counted and named, never silently left out.
struct ExcludedSample {
  SampleId id;
  std::string reason;
};

/// A number of samples that are read one after the other.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// In a fixed order: the same file or words give the same list everywhere.
  virtual const std::vector<SampleId>& ids() const = 0;
  virtual const std::vector<ExcludedSample>& excluded() const = 0;
  /// The grid of a sample without reading its tensors.
  virtual FrameGrid grid(std::size_t index) const = 0;
  /// Reads or makes a sample's tensors. Throws Error that names the sample. One thread at a time.
  virtual Sample load(std::size_t index) const = 0;
  /// What decides the values (path, size and hash of a file, or the words of a synthetic video):
  /// results of sources that differ in it do not belong together.
  virtual std::string identity() const = 0;
  /// Class of the sample's head where the source says one ("spatial", "temporal", "global",
  /// "diffuse"); empty: not said.
  virtual std::string head_class(std::size_t) const { return {}; }
};

/// head_class() of all samples; empty where the source says none at all.
std::vector<std::string> sample_classes(const SampleSource& source);

}  // namespace lvsa::analysis
