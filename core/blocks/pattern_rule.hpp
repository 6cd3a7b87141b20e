#pragma once
// The one interface of all sparse patterns: (grid, text, q, k, head, layer, step, parameters) to
// the pattern of a head.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/blocks/head_pattern.hpp"
#include "core/geometry/frame_grid.hpp"
#include "core/tensor/tensor.hpp"

namespace lvsa {

class RuleWords;

/// A video's tokens: frame, then row, then column; text behind. height * width =
/// grid.patches_per_frame where they are known (0: not known; rules that need them refuse).
struct VideoGrid {
  FrameGrid grid;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Tokens of a query block and of a key block.
struct BlockSize {
  std::int64_t rows = 128;
  std::int64_t columns = 64;
  bool operator==(const BlockSize&) const = default;
};

/// What a pattern may depend on.
struct PatternInput {
  VideoGrid video;
  /// Of the query head and the key head that it reads: [1, S, 1, D], S = video.grid.seq_len(); data
  /// null where there are none, which is enough for static rules.
  TensorView q{};
  TensorView k{};
  double scale = 1.0;  ///< of the scores, usually 1 / sqrt(D)
  std::int64_t head = 0;
  std::int64_t heads = 1;
  std::int64_t layer = 0;
  std::int64_t step = 0;  ///< denoising step
  /// Of the key head, like k, for rules that judge by results (Sparse-VideoGen); fill it where
  /// there is one. Rules that know a substitute take that where data is null.
  TensorView v{};
};

/// A rule with its parameters. Immutable; make() may be called from several threads at a time and
/// gives the same bits everywhere.
class PatternRule {
 public:
  virtual ~PatternRule() = default;
  /// Whether it looks at q and k.
  virtual bool needs_tensors() const { return false; }
  /// Whether patterns differ between heads, layers or steps though the tensors are the same.
  virtual bool depends_on_head() const { return false; }
  virtual bool depends_on_step() const { return false; }
  /// Throws Error(kValue) that names what does not fit: a grid that the rule does not serve,
  /// missing tensors, more heads than per-head parameters.
  virtual HeadPattern make(const PatternInput& input) const = 0;
  /// Multiplications and additions that finding the pattern of one head takes beside attention (0
  /// for static rules), for predicted times. 2 * m * n * k for a matrix product.
  virtual double prediction_flops(const PatternInput&) const { return 0.0; }
};

struct RuleParameter {
  std::string_view name;
  std::string_view value;  ///< the default as it is typed
  std::string_view help;   ///< unit, range, meaning
};

/// The parameter that decides how much is kept; density never falls from `sparsest` to `densest`
/// (up to what a rule does with ties). parameter empty: there is none.
struct DensityKnob {
  std::string_view parameter;
  double sparsest = 0.0;
  double densest = 0.0;
  bool integer = false;
};

/// A kind of rule, as it is listed and made from words.
struct RuleInfo {
  std::string_view name;     ///< "sparge", "radial", ...
  std::string_view title;    ///< "SpargeAttn"
  std::string_view source;   ///< publication and version that it restates
  std::string_view summary;  ///< one line
  std::span<const RuleParameter> parameters;
  /// Throws Error(kValue) for values out of range and for parameters that exclude each other.
  std::unique_ptr<PatternRule> (*make)(const RuleWords& words);
  DensityKnob knob{};
};

/// All kinds of rules, in the order in which they are listed.
std::span<const RuleInfo> all_rules();
/// Throws Error(kValue) that names the nearest known name.
const RuleInfo& rule_info(std::string_view name);

/// A rule from words: "sparge topk=0.3 simthreshd1=-0.1". The first is the name, the others are
/// parameters of rule_info(). Throws Error(kValue) for unknown names and what RuleInfo::make
/// throws.
std::unique_ptr<PatternRule> make_rule(const std::string& words);
/// The same words with every parameter that differs from its default, in the order of the list: the
/// key that joins tables.
std::string canonical_rule_words(const std::string& words);

}  // namespace lvsa
