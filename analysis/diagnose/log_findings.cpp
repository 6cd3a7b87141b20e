#include "analysis/diagnose/log_findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lvsa::analysis {
namespace {

class Finder {
 public:
  Finder(const LogFacts& facts, LogVerdict& verdict) : facts_(facts), verdict_(verdict) {}

  void find() {
    for (const RequestVerdict& judged : verdict_.requests) of_request(judged);
    of_events();
    of_frames();
    of_ranks();
    of_masks();
    for (const MemoryTrend& trend : verdict_.memory) of_memory(trend);
    for (const TimeTrend& trend : verdict_.times) of_time(trend);
    of_reading();
    std::stable_partition(verdict_.findings.begin(), verdict_.findings.end(),
                          [](const LogFinding& finding) { return finding.bad; });
  }

 private:
  // Each kind and message once, however many ranks and requests show it.
  void add(bool bad, const char* kind, std::string message, std::string mend = "",
           std::int64_t line = 0, const std::string& source = "") {
    const bool known = std::any_of(verdict_.findings.begin(), verdict_.findings.end(),
                                   [&](const LogFinding& finding) {
                                     return finding.kind == kind && finding.message == message;
                                   });
    if (known || verdict_.findings.size() >= kMost) return;
    verdict_.findings.push_back({bad, kind, std::move(message), std::move(mend), line, source});
  }

  void of_request(const RequestVerdict& judged) {
    const LogSource& source = facts_.sources[judged.source];
    const LogRequest& request = source.requests[judged.request];
    if (judged.verdict == Verdict::kFallback) {
      add(true, "fallback-at-generation", judged.reason, "", request.first_line, source.name);
    } else if (judged.verdict == Verdict::kMisread) {
      add(true, "misread", judged.reason, "", request.first_line, source.name);
    } else if (judged.verdict == Verdict::kMisconfigured) {
      const bool dense = judged.reason.starts_with("engaged but dense");
      add(true, dense ? "engaged-but-dense" : "other-reference", judged.reason, "",
          request.first_line, source.name);
    }
    if (request.interval.value_or(1) > 1 && request.engagement == Engagement::kDense) {
      add(true, "engaged-but-dense",
          fmt::format("interval {} but all {} frames are global: engaged, and dense",
                      *request.interval, request.frames.value_or(0)),
          "", request.first_line, source.name);
    }
  }

  void of_events() {
    const auto look = [&](const LogEvent& event) {
      if (event.kind == LogKind::kAmbiguous) {
        add(false, "ambiguous", event.text, "LVSA_PATCHES_PER_FRAME with one value", event.line,
            event.source);
      } else if (event.kind == LogKind::kWarning) {
        const bool frames = event.text.find("LVSA_TOTAL_LATENT_FRAMES") != std::string::npos;
        const bool hook = frames || event.text.find("installation failed") != std::string::npos;
        add(hook, hook ? "hook-missing" : "warning", event.text,
            frames ? "LVSA_TOTAL_LATENT_FRAMES=(video frames - 1) // 4 + 1" : "", event.line,
            event.source);
      }
    };
    for (const LogEvent& event : facts_.first_events) look(event);
    for (const LogEvent& event : facts_.last_events) look(event);
  }

  void of_frames() {
    if (!facts_.installed_frames) return;
    for (const RequestVerdict& judged : verdict_.requests) {
      const LogRequest& request = facts_.sources[judged.source].requests[judged.request];
      if (!request.frames || *request.frames == *facts_.installed_frames) continue;
      add(true, "frames-differ",
          fmt::format("the hook was installed for T = {}, a request has T = {}",
                      *facts_.installed_frames, *request.frames),
          fmt::format("LVSA_TOTAL_LATENT_FRAMES={}", *request.frames), request.first_line);
    }
  }

  void of_ranks() {
    const RequestVerdict* first = nullptr;
    for (const RequestVerdict& judged : verdict_.requests) {
      const LogRequest& request = facts_.sources[judged.source].requests[judged.request];
      if (judged.number != 1 || request.engagement == Engagement::kSilent) continue;
      if (first == nullptr) first = &judged;
      if (judged.verdict == first->verdict) continue;
      add(true, "ranks-disagree",
          fmt::format("{} is {}, {} is {}", rank(first->source), name(first->verdict),
                      rank(judged.source), name(judged.verdict)));
    }
  }

  std::string rank(std::size_t source) const {
    const std::string& name = facts_.sources[source].name;
    return name.empty() ? "a rank without a name" : name;
  }

  void of_masks() {
    if (!facts_.mask || facts_.mask->rows.empty()) return;
    const bool skips =
        std::any_of(facts_.mask->rows.begin(), facts_.mask->rows.end(),
                    [](const std::string& row) { return row.find('.') != std::string::npos; });
    const bool said_sparse = std::any_of(
        verdict_.requests.begin(), verdict_.requests.end(), [&](const RequestVerdict& judged) {
          const LogRequest& r = facts_.sources[judged.source].requests[judged.request];
          return r.engagement == Engagement::kSparse && r.first_line <= facts_.mask->line &&
                 r.last_line >= facts_.mask->line;
        });
    if (skips || !said_sparse) return;
    add(true, "engaged-but-dense",
        fmt::format("the mask of step {} leaves out no frame, though the lines say sparse",
                    facts_.mask->step),
        "", facts_.mask->line);
  }

  void of_memory(const MemoryTrend& trend) {
    if (!trend.grows) return;
    add(true, "memory-growth",
        fmt::format("allocated memory grows by {:.1f} MB a step, from {:.2f} to {:.2f} GB over {} "
                    "samples: something is kept from step to step",
                    trend.mb_per_step, trend.first_gb, trend.last_gb, trend.samples),
        "", 0, trend.source);
  }

  void of_time(const TimeTrend& trend) {
    if (!trend.grows) return;
    const double ratio = trend.last_s / trend.first_s;
    if (trend.jump_step >= 0) {
      add(true, "step-time-jump",
          fmt::format("request {}: from step {} on a step takes {:.2f} s instead of {:.2f} s "
                      "({:.2f} x): {}",
                      trend.number, trend.jump_step, trend.last_s, trend.first_s, ratio,
                      facts_.standalone
                          ? "another part of the model without LVSA, such as the second expert of "
                            "Wan 2.2 A14B, which the standalone library left dense up to 1.2"
                          : "another part of the model without LVSA, or another load on the "
                            "machine"),
          facts_.standalone ? "LVSA 1.3 installs both experts" : "", 0, trend.source);
      return;
    }
    add(true, "step-time-growth",
        fmt::format("request {}: step times grow from {:.2f} to {:.2f} s ({:.2f} x)", trend.number,
                    trend.first_s, trend.last_s, ratio),
        "", 0, trend.source);
  }

  void of_reading() {
    if (!facts_.damage.empty()) add(false, "damaged", facts_.damage);
    if (facts_.cut_off) {
      add(false, "cut-off", "the last line has no end: the log is cut off, or still being written",
          "", facts_.lines);
    }
    if (facts_.cut_lines > 0) {
      add(false, "long-lines",
          fmt::format("{} lines are longer than 256 KiB; of those only the front was read",
                      facts_.cut_lines));
    }
    if (facts_.malformed > 0) {
      add(false, "malformed",
          fmt::format("{} lines of a known form lack their numbers, the first is line {}",
                      facts_.malformed, facts_.first_malformed),
          "", facts_.first_malformed);
    }
    const std::int64_t unknown = facts_.lines_of[static_cast<std::size_t>(LogKind::kUnknown)];
    if (unknown > 0) {
      add(false, "unknown-lines",
          fmt::format("{} lines of LVSA have a text that is not known, such as: {}", unknown,
                      fmt::join(facts_.unknown, " | ")));
    }
    for (const LogSource& source : facts_.sources) {
      if (source.requests_left_out == 0) continue;
      add(false, "many-requests",
          fmt::format("{} requests beyond the first {} are not listed", source.requests_left_out,
                      LogTimeline::kMostRequests),
          "", 0, source.name);
    }
  }

  static constexpr std::size_t kMost = 100;

  const LogFacts& facts_;
  LogVerdict& verdict_;
};

}  // namespace

void find_in_log(const LogFacts& facts, LogVerdict& verdict) { Finder(facts, verdict).find(); }

}  // namespace lvsa::analysis
