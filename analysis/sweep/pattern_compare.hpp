#pragma once
// Sparse patterns side by side on the same tensors, at matched density (docs/compare.md).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/report/provenance.hpp"
#include "analysis/sweep/metrics.hpp"
#include "analysis/sweep/pattern_rates.hpp"
#include "analysis/sweep/pattern_timing.hpp"
#include "analysis/sweep/row_choice.hpp"
#include "analysis/sweep/sample.hpp"
#include "core/blocks/pattern_rule.hpp"

namespace lvsa::analysis {

/// A rule that is compared. `make` gives it from words; make_rule() of the core, or one of a test.
struct CompareRule {
  std::string words;  ///< canonical
  std::string name;   ///< the first of them
  DensityKnob knob;   ///< parameter empty: none
  std::function<std::unique_ptr<PatternRule>(const std::string&)> make;
};

/// "lvsa window=3; sparge; dense", made by `make`. Lines of a file are the same, '#' begins a
/// comment. Throws Error(kValue) for unknown rules and parameters, no rule, and one that comes
/// twice.
std::vector<CompareRule> parse_compare_rules(
    const std::string& text,
    const std::function<std::unique_ptr<PatternRule>(const std::string&)>& make = make_rule);
/// "0.5,0.3": each in (0, 1], each once. Throws Error(kValue) that names the value.
std::vector<double> parse_densities(const std::string& text);

/// A rule at a density: a line of the tables.
struct CompareEntry {
  std::size_t rule = 0;
  double target = 0.0;  ///< token density; NaN: the rule stands as it is
};

/// What an entry makes of one sample. Where it could not be made, all is NaN and 0.
struct CompareFigures {
  MetricValues metrics{};
  double token_density = 0.0;     ///< attended pairs over all, element masks counted, no skip
  double density_distance = 0.0;  ///< |token_density - target|; NaN without a target
  double block_density = 0.0;     ///< kept blocks over all
  double computed_density = 0.0;  ///< pairs within kept blocks over all
  double skip_density = 0.0;      ///< token density that the online skip leaves; NaN: no skip
  double skip_mass = 0.0;  ///< share of the attended softmax mass that it drops; NaN: no skip
  double knob = 0.0;       ///< value of the knob; NaN: not searched
  double patterns = 0.0;   ///< different ones, of a rotation; 1 without
  PredictedTime time;      ///< of this head
  MeasuredTime measured;   ///< of this head; NaN: nothing was timed
};

struct FigureInfo {
  std::string_view name;
  std::string_view title;
  std::string_view unit;
  double (*value)(const CompareFigures&);
  double& (*place)(CompareFigures&);
};
/// The figures beside the metrics, in the order of the tables.
std::span<const FigureInfo> compare_figures();

/// All NaN.
CompareFigures no_figures();

/// A rule that could not be made for a sample, or not be timed on it.
struct CompareFailure {
  std::size_t entry = 0;
  std::size_t sample = 0;
  std::string reason;
  bool lost = false;  ///< the timed kernel crashed or hung
};

struct CompareResults {
  FrameGrid grid;
  std::int64_t height = 0;  ///< of a latent frame, tokens; 0: not known
  std::int64_t width = 0;
  std::int64_t head_dim = 0;
  std::vector<CompareRule> rules;
  std::vector<CompareEntry> entries;
  std::vector<SampleId> samples;
  std::vector<std::string> sample_classes;  ///< [samples]; empty: none
  std::vector<ExcludedSample> excluded;     ///< samples
  std::vector<CompareFailure> failures;
  std::vector<CompareFailure> untimed;  ///< made, but the kernel was not timed on it
  std::vector<CompareFigures> values;   ///< [entries * samples], samples fastest
  std::vector<std::string> words;       ///< [entries * samples], in force; empty: could not be made
  std::vector<std::string> choices;     ///< [entries * samples] what the rule decided, or empty
  std::int64_t rows_per_frame = 0;
  std::uint64_t row_seed = 0;
  std::string rates_source;  ///< where predicted times come from, for people
  std::string time_source;   ///< what was timed, for people; empty: nothing was
  std::string identity;
  std::string tool;
  Provenance provenance;

  std::size_t place(std::size_t entry, std::size_t sample) const {
    return entry * samples.size() + sample;
  }
  bool failed(std::size_t entry, std::size_t sample) const {
    return words[place(entry, sample)].empty();
  }
  /// "sparge topk=0.3 @0.5"
  std::string entry_text(std::size_t entry) const;
};

/// What decides values beside the rest, for people: "--time-blocks", "5".
struct DecidingOption {
  std::string name;
  std::string value;
};

struct CompareOptions {
  std::vector<CompareRule> rules;
  std::vector<double> densities;  ///< empty: the rules as they stand
  RowChoice rows;
  std::int64_t height = 0;  ///< tokens; 0: not known
  std::int64_t width = 0;
  RateChoice rates;
  bool exclude = false;  ///< a rule that cannot be made for a sample is counted, not an error
  int threads = 0;
  TimesPatterns* timer = nullptr;  ///< null: nothing is timed
  /// Comparisons that differ in one are not resumed: options of the timer, hashes of files.
  std::vector<DecidingOption> deciding;
};

/// Samples one after the other; `done(n)`, if given, after each. Results do not depend on threads.
/// Throws Error(kValue) for no sample, samples of several grids, more than 2,000,000 results, and
/// unless options.exclude what a rule throws, the sample named.
CompareResults compare_patterns(const SampleSource& source, const CompareOptions& options,
                                const std::function<void(std::size_t)>& done = {});

/// Pooled figures of an entry over samples: metrics as in a sweep, means of the other figures, what
/// is NaN left out. `chosen` empty: all samples.
CompareFigures pooled_figures(const CompareResults& results, std::size_t entry,
                              const std::vector<std::size_t>& chosen = {});

/// Whether an entry's density is more than 2 % from what was asked for.
bool missed_density(const CompareResults& results, std::size_t entry, const CompareFigures& pooled);

/// One more than the highest head of the samples.
std::int64_t head_count(const std::vector<SampleId>& samples);

/// Samples of a layer and head class, in the order of their first sample; layer -1: all layers,
/// class empty: all classes.
struct SampleGroup {
  std::int64_t layer = -1;
  std::string head_class;
  std::vector<std::size_t> samples;
};
std::vector<SampleGroup> groups_by_class(const CompareResults& results);
std::vector<SampleGroup> groups_by_layer_and_class(const CompareResults& results);

}  // namespace lvsa::analysis
