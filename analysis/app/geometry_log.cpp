#include "analysis/app/geometry_log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "analysis/app/command.hpp"
#include "analysis/app/stop_signals.hpp"
#include "analysis/diagnose/log_reader.hpp"
#include "analysis/diagnose/log_render.hpp"
#include "analysis/report/html_log.hpp"
#include "analysis/report/provenance.hpp"
#include "core/config/config.hpp"
#include "core/io/atomic_file.hpp"

namespace lvsa::app {
namespace {

using analysis::LogFacts;
using analysis::LogTimeline;

// Prints what is new in the timeline, as it comes.
class LiveEvents {
 public:
  void print(const LogTimeline& timeline, bool json) {
    const LogFacts& facts = timeline.raw_facts();
    if (json) return;
    for (; printed_ < facts.events; ++printed_) {
      const auto first = static_cast<std::int64_t>(facts.first_events.size());
      const std::int64_t kept = facts.events - static_cast<std::int64_t>(facts.last_events.size());
      if (printed_ < first) {
        fmt::print("{}\n", event_line(facts.first_events[static_cast<std::size_t>(printed_)]));
      } else if (printed_ >= kept) {
        fmt::print("{}\n",
                   event_line(facts.last_events[static_cast<std::size_t>(printed_ - kept)]));
      }
    }
    std::fflush(stdout);
  }

 private:
  std::int64_t printed_ = 0;
};

void read(const LogOptions& options, bool json, LogTimeline& timeline) {
  if (!options.follow) {
    analysis::read_log(options.log, timeline);
    return;
  }
  StopSignals stop;
  LiveEvents live;
  analysis::follow_log(options.log, stop.descriptor(), timeline,
                       [&] { live.print(timeline, json); });
  stop.take();  // the way to end this: the exit code is the verdict's
  if (!json) fmt::print("\n");
}

}  // namespace

void add_log_options(CLI::App* command, LogOptions& options) {
  const auto group = command->add_option_group(
      "Log", "What a log tells instead of a sequence length (docs/logs.md)");
  auto* log =
      group->add_option("--log", options.log, "Log of a run, plain or gzip; - is standard input")
          ->type_name("FILE");
  group
      ->add_flag("--follow", options.follow,
                 "Go on as the log grows or is rotated; Ctrl-C ends it with the summary")
      ->needs(log);
}

int run_geometry_log(const LogOptions& options, const analysis::LogContext& context, bool json) {
  config_from_environment(context.environment);  // settings that are none, before a long log
  LogTimeline timeline;
  read(options, json, timeline);
  const LogFacts facts = timeline.facts();
  analysis::require_known_lines(facts, options.log);
  const analysis::LogVerdict verdict = analysis::judge_log(facts, context);
  if (!options.html.empty()) {
    write_file_atomically(options.html,
                          analysis::html_log(facts, verdict, options.log, context.environment,
                                             analysis::collect_provenance(command_line())));
  }
  fmt::print("{}", json ? analysis::log_as_json(facts, verdict, options.log)
                        : analysis::log_as_text(facts, verdict, options.log));
  return analysis::is_good(verdict.verdict) ? kAllGood : kCheckFailed;
}

}  // namespace lvsa::app
