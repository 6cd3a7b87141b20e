// Targets that read what people bring to be diagnosed: traces of calls.
#include "analysis/diagnose/step_render.hpp"
#include "analysis/diagnose/step_simulation.hpp"
#include "analysis/diagnose/step_trace.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace lvsa::fuzz {

void fuzz_call_trace(std::string_view bytes) {
  const ScratchFile file(bytes);
  analysis::StepSettings settings;
  settings.interval = 3;
  analysis::StepSimulation simulation(settings);
  analysis::StepTruth truth(2, 3);
  std::int64_t calls = 0;
  const analysis::TraceFacts facts =
      analysis::read_trace(file.path(), [&](const analysis::StepCall& call) {
        simulation.add(call.true_step ? call : truth.complete(call));
        ++calls;
      });
  require(calls == facts.calls, "every call is handed over");
  const analysis::StepReport report = simulation.finish();
  require(report.agrees() == report.divergences.empty(), "what is wrong is named");
  require(!analysis::steps_as_json(report, simulation, settings, {}).empty(), "a report");
}

}  // namespace lvsa::fuzz
