#include "analysis/diagnose/log_render.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lvsa::analysis {
namespace {

constexpr std::size_t kShownEvents = 40;
constexpr std::size_t kShownRequests = 60;

std::string number(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "-";
}

std::string shown_name(const LogSource& source) { return source.name.empty() ? "-" : source.name; }

std::string steps_text(const LogRequest& request) {
  if (request.last_step < 0) return "-";
  return fmt::format("{}-{}", request.first_step, request.last_step);
}

std::string timeline_text(const LogFacts& facts) {
  std::string text = "\ntimeline\n";
  std::size_t shown = 0;
  for (const LogEvent& event : facts.first_events) {
    if (shown++ == kShownEvents) break;
    text += "  " + event_line(event) + "\n";
  }
  if (facts.events > static_cast<std::int64_t>(kShownEvents)) {
    text += fmt::format("  ... {} more; --json and --html have more of them\n",
                        facts.events - static_cast<std::int64_t>(kShownEvents));
  }
  return text;
}

std::string warm_ups_text(const LogFacts& facts) {
  std::string text;
  for (const LogSource& source : facts.sources) {
    for (const LogRequest& request : source.requests) {
      if (!request.warm_up || text.size() > 400) continue;
      text += fmt::format("warm-up     {}line {}: seq_len {}, {}{}\n",
                          source.name.empty() ? "" : source.name + ", ", request.first_line,
                          number(request.seq_len), name(request.engagement),
                          request.reason.empty() ? "" : " (" + request.reason + "), as it should");
    }
  }
  return text;
}

std::string requests_text(const LogFacts& facts, const LogVerdict& verdict) {
  if (verdict.requests.empty()) return "";
  std::string text =
      fmt::format("\n{:<14}{:>4} {:>9} {:>5} {:>6} {:>6} {:>9}  {:<10}{:<17}{}\n", "rank", "req.",
                  "seq_len", "T", "P", "text", "steps", "lines say", "verdict", "step time");
  std::size_t shown = 0;
  for (const RequestVerdict& judged : verdict.requests) {
    if (shown++ == kShownRequests) {
      text += fmt::format("... {} more requests\n", verdict.requests.size() - kShownRequests);
      break;
    }
    const LogSource& source = facts.sources[judged.source];
    const LogRequest& r = source.requests[judged.request];
    text += fmt::format(
        "{:<14.14}{:>4} {:>9} {:>5} {:>6} {:>6} {:>9}  {:<10}{:<17}{}\n", shown_name(source),
        judged.number, number(r.seq_len), number(r.frames), number(r.patches), number(r.text),
        steps_text(r), fmt::format("{}{}", name(r.engagement), r.inherited ? "*" : ""),
        name(judged.verdict), step_time_text(verdict, judged.source, judged.request));
  }
  const bool inherited = std::any_of(
      verdict.requests.begin(), verdict.requests.end(), [&](const RequestVerdict& judged) {
        return facts.sources[judged.source].requests[judged.request].inherited;
      });
  if (inherited) {
    text +=
        "* no line of its own: such lines are printed once for a length; taken from the request "
        "before\n";
  }
  return text;
}

std::string memory_text(const LogVerdict& verdict) {
  std::string text;
  for (const MemoryTrend& trend : verdict.memory) {
    text += fmt::format(
        "memory      {}{:.2f} to {:.2f} GB allocated over {} samples, {:+.1f} MB a "
        "step, peak {:.2f} GB: {}\n",
        trend.source.empty() ? "" : trend.source + ": ", trend.first_gb, trend.last_gb,
        trend.samples, trend.mb_per_step, trend.peak_gb, trend.grows ? "grows" : "steady");
  }
  return text.empty() ? "" : "\n" + text;
}

std::string findings_text(const LogVerdict& verdict) {
  std::string text;
  for (const LogFinding& finding : verdict.findings) {
    const std::string where = finding.line > 0
                                  ? fmt::format(" (line {}{})", finding.line,
                                                finding.source.empty() ? "" : ", " + finding.source)
                              : finding.source.empty() ? ""
                                                       : fmt::format(" ({})", finding.source);
    text +=
        fmt::format("{} {}: {}{}\n", finding.bad ? "!" : "-", finding.kind, finding.message, where);
    if (!finding.mend.empty()) text += fmt::format("    mend: {}\n", finding.mend);
  }
  return text.empty() ? "" : "\n" + text;
}

std::string mend_text(const LogVerdict& verdict) {
  if (!verdict.diagnosis || is_good(verdict.verdict)) return "";
  const Fix& fix = verdict.diagnosis->fix;
  if (fix.lines.empty() && fix.about.empty()) return "";
  std::string text = "\nmend";
  if (fix.gives) text += fmt::format(" (gives {})", name(*fix.gives));
  text += "\n";
  for (const std::string& line : fix.lines) text += "  " + line + "\n";
  if (!fix.about.empty()) text += "  # " + fix.about + "\n";
  return text;
}

}  // namespace

std::string event_line(const LogEvent& event) {
  return fmt::format("line {:<8} {:<11}{}{}", event.line, name(event.kind),
                     event.source.empty() ? "" : "(" + event.source + ") ", event.text);
}

std::string kinds_text(const LogFacts& facts) {
  std::string text;
  for (std::size_t i = 0; i < kLogKinds; ++i) {
    if (facts.lines_of[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", facts.lines_of[i],
                        name(static_cast<LogKind>(i)));
  }
  return text;
}

std::string step_time_text(const LogVerdict& verdict, std::size_t source, std::size_t request) {
  for (const TimeTrend& trend : verdict.times) {
    if (trend.source_index != source || trend.request != request) continue;
    if (!trend.grows) return fmt::format("{:.2f} s", trend.median_s);
    return fmt::format("{:.2f} to {:.2f} s", trend.first_s, trend.last_s);
  }
  return "";
}

std::string log_as_text(const LogFacts& facts, const LogVerdict& verdict, const std::string& path) {
  std::string text = fmt::format("log         {}: {} lines, {} bytes; of LVSA: {}\n",
                                 path == "-" ? "standard input" : path, facts.lines, facts.bytes,
                                 kinds_text(facts));
  text += fmt::format("model       {}\n",
                      verdict.model.empty()
                          ? "not known: --model says it"
                          : fmt::format("{} ({})", verdict.model, verdict.model_reason));
  text += fmt::format("behaviour   {}{}\n", behaviour(verdict.version).name,
                      facts.standalone ? ", standalone library" : "");
  text += warm_ups_text(facts);
  text += fmt::format("verdict     {}: {}\n", name(verdict.verdict), verdict.headline);
  if (verdict.diagnosis && !is_good(verdict.verdict)) {
    for (const std::string& reason : verdict.diagnosis->reasons) {
      text += "            " + reason + "\n";
    }
  }
  text += mend_text(verdict) + findings_text(verdict) + requests_text(facts, verdict) +
          memory_text(verdict);
  return text + timeline_text(facts);
}

}  // namespace lvsa::analysis
