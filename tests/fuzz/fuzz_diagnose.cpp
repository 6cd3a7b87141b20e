// Targets that read what people bring to be diagnosed: traces of calls, logs.
#include "analysis/diagnose/log_reader.hpp"
#include "analysis/diagnose/log_render.hpp"
#include "analysis/diagnose/log_verdict.hpp"
#include "analysis/diagnose/step_render.hpp"
#include "analysis/diagnose/step_simulation.hpp"
#include "analysis/diagnose/step_trace.hpp"
#include "analysis/report/html_log.hpp"
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

void fuzz_log(std::string_view bytes) {
  analysis::LogTimeline timeline;
  analysis::LogScanner scanner(timeline);
  scanner.feed(bytes.substr(0, bytes.size() / 2));
  scanner.feed(bytes.substr(bytes.size() / 2));
  scanner.finish();
  const analysis::LogFacts facts = timeline.facts();
  require(facts.bytes == static_cast<std::int64_t>(bytes.size()), "every byte is counted");
  analysis::require_known_lines(facts, "log");
  const analysis::LogVerdict verdict = analysis::judge_log(facts, {});
  require(!analysis::log_as_text(facts, verdict, "log").empty(), "a text");
  require(!analysis::log_as_json(facts, verdict, "log").empty(), "JSON");
  require(!analysis::html_log(facts, verdict, "log", {}, {}).empty(), "a page");
}

}  // namespace lvsa::fuzz
