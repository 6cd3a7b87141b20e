#pragma once
// The step that the plugin infers from its calls, held against the true one, and why they part.
// The counter itself is core/schedule/step_counter.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analysis/diagnose/step_trace.hpp"
#include "core/config/behaviour.hpp"
#include "core/config/environment.hpp"
#include "core/schedule/step_counter.hpp"

namespace lvsa::analysis {

/// One denoising step of one request.
struct StepRow {
  std::int64_t request = 0;
  std::int64_t true_step = 0;
  std::int64_t seq_len = 0;
  std::int64_t calls = 0;
  std::int64_t passes = 0;          ///< calls of the layer that came first
  std::int64_t first_inferred = 0;  ///< in force at the first call
  std::int64_t last_inferred = 0;   ///< at the last one
  std::int64_t wrong_calls = 0;     ///< calls whose inferred step is not the true one
  std::int64_t wrong_offsets = 0;   ///< calls whose keyframe offset is not the true one
};

enum class DivergenceKind {
  kNeverReset,   ///< a generation goes on counting from the one before of the same length
  kRate,         ///< a step makes more or fewer calls than the counter takes for one
  kLag,          ///< skipped passes or blocks are not counted
  kReset,        ///< another length in between sets the count to zero
  kUnexplained,  ///< none of these
};

/// "never-reset", "rate", "lag", "reset", "unexplained".
std::string_view name(DivergenceKind kind);

struct Divergence {
  DivergenceKind kind = DivergenceKind::kUnexplained;
  std::int64_t request = 0;  ///< the first that shows it
  std::int64_t step = 0;     ///< its first step that does
  std::string message;       ///< what happens and why, one line
  std::string mend;          ///< what would help
};

struct StepReport {
  std::vector<StepRow> rows;  ///< in the order of their first calls, warm-ups left out
  std::vector<Divergence> divergences;
  std::int64_t calls = 0;
  std::optional<std::int64_t> n_blocks;  ///< as the counter found or was told
  std::int64_t counted_passes = 1;       ///< passes that the counter takes for a step
  std::int64_t calls_a_step = 0;         ///< most calls of a step in the trace
  std::int64_t wrong_steps = 0;          ///< rows with a wrong step in at least one call
  std::int64_t wrong_offsets = 0;        ///< rows with a wrong offset
  std::int64_t first_wrong_row = -1;     ///< index into rows
  std::int64_t first_wrong_call = -1;    ///< from 0, warm-ups included
  bool agrees() const { return wrong_steps == 0; }
};

/// What the counter runs with.
struct StepSettings {
  Environment environment;
  Version version = Version::k1_3;
  std::int64_t cfg_parallel = 1;
  std::optional<std::int64_t> interval;  ///< latent frames; unset: offsets are not compared
};

/// More steps than this in one trace are refused.
inline constexpr std::size_t kMostStepRows = 1'000'000;

class StepSimulation {
 public:
  /// Throws Error(kValue) for settings that are no integers or a world below 1.
  explicit StepSimulation(const StepSettings& settings);
  /// `call` has its true step. Throws Error(kValue) beyond kMostStepRows.
  void add(const StepCall& call);
  StepReport finish() const;

  /// Offset of the keyframe grid at a step when it rotates; 0 without an interval.
  std::int64_t offset(std::int64_t step) const;

 private:
  StepSettings settings_;
  StepCounter counter_;
  StepReport report_;
  std::int64_t row_layer_ = 0;
  std::int64_t published_calls_ = 0;
};

/// Names what parts the inferred steps from the true ones. For StepSimulation and its tests.
std::vector<Divergence> explain_steps(const StepReport& report, const StepSettings& settings,
                                      bool has_published_steps);

}  // namespace lvsa::analysis
