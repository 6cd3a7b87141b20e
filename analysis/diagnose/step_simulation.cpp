#include "analysis/diagnose/step_simulation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/config.hpp"
#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

std::int64_t counted_passes(const StepSettings& settings) {
  std::int64_t passes = integer_setting(settings.environment, "LVSA_CFG_PASSES", 2);
  if (behaviour(settings.version).divides_cfg_passes) {
    passes = floor_divide(passes, settings.cfg_parallel);
  }
  return std::max<std::int64_t>(1, passes);
}

}  // namespace

StepSimulation::StepSimulation(const StepSettings& settings)
    : settings_(settings),
      counter_(settings.environment, behaviour(settings.version), settings.cfg_parallel) {
  if (settings.interval && *settings.interval < 0) {
    throw Error(ErrorKind::kValue,
                fmt::format("keyframe interval {}; at least 0 is due", *settings.interval));
  }
  report_.counted_passes = counted_passes(settings);
}

std::int64_t StepSimulation::offset(std::int64_t step) const {
  const std::int64_t interval = settings_.interval.value_or(0);
  return interval > 0 ? floor_modulo(step, interval) : 0;
}

void StepSimulation::add(const StepCall& call) {
  const std::int64_t inferred = counter_.tick(call.layer, call.seq_len, call.published_step);
  ++report_.calls;
  published_calls_ += call.published_step ? 1 : 0;
  if (call.request < 0) return;
  const std::int64_t truth = call.true_step.value_or(0);
  const bool same_row = !report_.rows.empty() && report_.rows.back().request == call.request &&
                        report_.rows.back().true_step == truth &&
                        report_.rows.back().seq_len == call.seq_len;
  if (!same_row) {
    if (report_.rows.size() == kMostStepRows) {
      throw Error(ErrorKind::kValue, fmt::format("more than {} denoising steps in the trace; "
                                                 "a part of it is due",
                                                 kMostStepRows));
    }
    report_.rows.push_back({call.request, truth, call.seq_len, 0, 0, inferred, inferred, 0, 0});
    row_layer_ = call.layer;
  }
  StepRow& row = report_.rows.back();
  ++row.calls;
  row.passes += call.layer == row_layer_ ? 1 : 0;
  row.last_inferred = inferred;
  row.wrong_offsets += offset(inferred) != offset(truth) ? 1 : 0;
  if (inferred == truth) return;
  ++row.wrong_calls;
  if (report_.first_wrong_call >= 0) return;
  report_.first_wrong_call = report_.calls - 1;
  report_.first_wrong_row = static_cast<std::int64_t>(report_.rows.size()) - 1;
}

StepReport StepSimulation::finish() const {
  StepReport report = report_;
  report.n_blocks = counter_.n_blocks();
  for (const StepRow& row : report.rows) {
    report.calls_a_step = std::max(report.calls_a_step, row.calls);
    report.wrong_steps += row.wrong_calls > 0 ? 1 : 0;
    report.wrong_offsets += row.wrong_offsets > 0 ? 1 : 0;
  }
  report.divergences = explain_steps(report, settings_, published_calls_ > 0);
  return report;
}

}  // namespace lvsa::analysis
