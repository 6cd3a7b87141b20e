#pragma once
// A conformance case: everything that one run of a kernel depends on, as one line of text.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/behaviour.hpp"
#include "core/geometry/frame_grid.hpp"
#include "core/pattern/frame_pattern.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa::analysis {

/// How q, k and v of a case are made. See inputs.hpp.
enum class InputKind {
  kGauss,      ///< q, k, v normal; sigma scales q and k together: 0 is uniform, 4 nearly one-hot
  kUniform,    ///< k = 0: all scores equal, the output is the mean of the attended values
  kIndicator,  ///< v_jc = 1 when c = (frame of key j) mod D: the output is the mass on the frames
  kIndicatorTile,  ///< the same by tiles of 64 keys of the sequence
  kIndicatorKey,   ///< the same by keys: c = j mod D
  kPhantom,   ///< all scores near -110, v near 1: a zero row that is no key takes the whole output
  kLarge,     ///< scores rise from about -120 to 120 along the sequence, v normal
  kTies,      ///< keys are copies of four vectors: every score is shared by many keys, v normal
  kSink,      ///< the first token of the video has nearly all the mass, v normal
  kBeacon,    ///< one dominant key for each 64 of a frame, at their first, last or a random slot;
              ///< v marks the tile
  kIntegers,  ///< weights exactly 0 or 1, v small integers: the output is a gather or a mean,
              ///< exactly
  // For cases with a block pattern; without one a block is a tile and a place the token.
  kIndicatorBlock,  ///< kIndicator by key blocks of the head's map: c = block mod D
  kIndicatorPlace,  ///< kIndicator by places of the head's order: c = place mod D
  kBeaconBlock,     ///< one dominant key for each 64 of the sequence; v marks the key block
};
/// Every kind that needs no block pattern, in the order of the enumeration.
std::span<const InputKind> all_inputs();
/// The kinds that speak of blocks and places.
std::span<const InputKind> block_inputs();
std::string_view input_name(InputKind kind);
InputKind parse_input(std::string_view text);

/// Sizes, types, pattern settings (latent frames) and inputs. The defaults stand for what the line
/// does not say; sizes have none.
struct Case {
  std::string model = "custom";  ///< a label; the numbers below are what counts
  std::string file;              ///< recorded tensors "path#group" instead of generated ones
  /// Words of a sparse rule (core/blocks/pattern_rule.hpp), "sparge topk=0.3": the case is one for
  /// block-sparse kernels, and the settings of LVSA below do not count but for `step`. In a line
  /// ':' stands for the blanks. Empty: the frame lists of LVSA.
  std::string pattern;
  FrameGrid grid;
  std::int64_t height = 0;  ///< of a frame in tokens; height * width = P, or both 0: not known
  std::int64_t width = 0;
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;
  std::int64_t head_dim = 0;
  DType dtype = LVSA_BF16;
  DType p_dtype = LVSA_DTYPE_NONE;
  Layout layout = Layout::kBSHD;

  Version version = Version::k1_3;
  std::int64_t window_frames = 3;
  std::int64_t n_first_frames = 1;
  std::int64_t reference_frames = 21;
  double sparsity_scale = 1.0;
  std::optional<std::int64_t> interval;  ///< unset: automatic; 0: no keyframe grid
  bool rotate = true;
  bool expand = true;
  std::int64_t step = 0;
  std::vector<std::int64_t> condition_frames;

  InputKind input = InputKind::kGauss;
  double sigma = 1.0;
  std::uint64_t seed = 1;
  std::int64_t rows = 64;  ///< query rows that are checked; 0: all
  /// Tells the kernel which query tokens are wanted, so that it may leave out the rest: full-size
  /// geometry then costs seconds where it would cost minutes.
  bool only_wanted = false;

  bool operator==(const Case&) const;
};

/// The line: "key=value" words in a fixed order, fields at their default left out (the sizes are
/// always there). Blanks and '%' inside a value are written as %XX.
std::string to_line(const Case& c);

/// The reverse, words in any order. Throws Error(kValue) that names the word: an unknown key, one
/// that stands twice, a value out of range, a missing size, sizes whose product T*P*H*D overflows.
Case parse_case(std::string_view line);

/// Sets the fields that a part of a line names; sizes are not checked. Throws as parse_case() does.
void read_case_words(Case& c, std::string_view line);

/// Interval and offset that the case's settings give.
struct CaseSchedule {
  std::optional<std::int64_t> interval;
  std::int64_t offset = 0;
};
CaseSchedule case_schedule(const Case& c);

/// The pattern of the case, by core.
PatternSpec case_pattern_spec(const Case& c);

}  // namespace lvsa::analysis
