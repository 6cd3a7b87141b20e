// The diagnosis of a log as JSON.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/diagnose/log_render.hpp"

namespace lvsa::analysis {
namespace {

using nlohmann::ordered_json;

ordered_json maybe(std::optional<std::int64_t> value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json maybe(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json request_json(const LogSource& source, const LogRequest& r) {
  ordered_json json = {{"rank", maybe(source.name)},
                       {"request", nullptr},
                       {"warm_up", r.warm_up},
                       {"lines", {r.first_line, r.last_line}},
                       {"engagement", name(r.engagement)},
                       {"inherited", r.inherited},
                       {"seq_len", maybe(r.seq_len)},
                       {"T", maybe(r.frames)},
                       {"P", maybe(r.patches)},
                       {"text_tokens", maybe(r.text)},
                       {"interval", maybe(r.interval)},
                       {"anchors", maybe(r.anchors)},
                       {"origin", maybe(r.origin)},
                       {"reason", maybe(r.reason)},
                       {"steps", nullptr}};
  if (r.last_step >= 0) json["steps"] = {r.first_step, r.last_step};
  return json;
}

ordered_json requests_json(const LogFacts& facts, const LogVerdict& verdict) {
  ordered_json list = ordered_json::array();
  std::size_t at = 0;
  for (std::size_t s = 0; s < facts.sources.size(); ++s) {
    const LogSource& source = facts.sources[s];
    for (std::size_t i = 0; i < source.requests.size(); ++i) {
      const bool judged = at < verdict.requests.size() && verdict.requests[at].source == s &&
                          verdict.requests[at].request == i;
      if (!judged && !source.requests[i].warm_up) continue;
      ordered_json json = request_json(source, source.requests[i]);
      json["verdict"] = judged ? ordered_json(name(verdict.requests[at].verdict)) : nullptr;
      json["why"] = judged ? ordered_json(verdict.requests[at].reason) : nullptr;
      if (judged) json["request"] = verdict.requests[at++].number;
      list.push_back(std::move(json));
    }
  }
  return list;
}

ordered_json trends_json(const LogVerdict& verdict, ordered_json& times) {
  ordered_json memory = ordered_json::array();
  for (const MemoryTrend& trend : verdict.memory) {
    memory.push_back({{"rank", maybe(trend.source)},
                      {"samples", trend.samples},
                      {"first_gb", trend.first_gb},
                      {"last_gb", trend.last_gb},
                      {"peak_gb", trend.peak_gb},
                      {"mb_per_step", trend.mb_per_step},
                      {"grows", trend.grows}});
  }
  times = ordered_json::array();
  for (const TimeTrend& trend : verdict.times) {
    times.push_back({{"rank", maybe(trend.source)},
                     {"request", trend.number},
                     {"steps", trend.steps},
                     {"first_s", trend.first_s},
                     {"last_s", trend.last_s},
                     {"median_s", trend.median_s},
                     {"grows", trend.grows},
                     {"jump_step", trend.jump_step >= 0 ? ordered_json(trend.jump_step)
                                                        : ordered_json(nullptr)}});
  }
  return memory;
}

void add_diagnosis(const LogVerdict& verdict, ordered_json& json) {
  json["plugin"] = nullptr;
  json["reasons"] = ordered_json::array();
  json["fix"] = nullptr;
  if (!verdict.diagnosis) return;
  const Diagnosis& d = *verdict.diagnosis;
  json["plugin"] = {{"engages", d.plugin.engages},
                    {"P", nullptr},
                    {"text_tokens", nullptr},
                    {"reason", d.plugin.reason ? ordered_json(name(*d.plugin.reason)) : nullptr},
                    {"message", maybe(d.plugin.message)}};
  if (d.plugin.grid) {
    json["plugin"]["P"] = d.plugin.grid->patches_per_frame;
    json["plugin"]["text_tokens"] = d.plugin.grid->text_tokens;
  }
  if (is_good(verdict.verdict)) return;
  json["reasons"] = d.reasons;
  ordered_json settings = ordered_json::object();
  for (const auto& [key, value] : d.fix.settings) settings[key] = value;
  json["fix"] = {{"settings", settings},
                 {"flags", d.fix.flags},
                 {"lines", d.fix.lines},
                 {"gives", d.fix.gives ? ordered_json(name(*d.fix.gives)) : nullptr},
                 {"about", maybe(d.fix.about)}};
}

}  // namespace

std::string log_as_json(const LogFacts& facts, const LogVerdict& verdict, const std::string& path) {
  ordered_json json = {{"log", path},
                       {"lines", facts.lines},
                       {"bytes", facts.bytes},
                       {"known_lines", facts.known_lines()},
                       {"kinds", ordered_json::object()},
                       {"model", maybe(verdict.model)},
                       {"model_from", maybe(verdict.model_reason)},
                       {"lvsa", behaviour(verdict.version).name},
                       {"standalone", facts.standalone},
                       {"verdict", name(verdict.verdict)},
                       {"headline", verdict.headline}};
  for (std::size_t i = 0; i < kLogKinds; ++i) {
    if (facts.lines_of[i] > 0) {
      json["kinds"][std::string(name(static_cast<LogKind>(i)))] = facts.lines_of[i];
    }
  }
  add_diagnosis(verdict, json);
  json["findings"] = ordered_json::array();
  for (const LogFinding& finding : verdict.findings) {
    json["findings"].push_back({{"kind", finding.kind},
                                {"bad", finding.bad},
                                {"message", finding.message},
                                {"mend", maybe(finding.mend)},
                                {"line", finding.line > 0 ? ordered_json(finding.line) : nullptr},
                                {"rank", maybe(finding.source)}});
  }
  json["requests"] = requests_json(facts, verdict);
  ordered_json times;
  json["memory"] = trends_json(verdict, times);
  json["step_times"] = std::move(times);
  json["timeline"] = ordered_json::array();
  const auto add = [&](const LogEvent& event) {
    json["timeline"].push_back({{"line", event.line},
                                {"kind", name(event.kind)},
                                {"rank", maybe(event.source)},
                                {"text", event.text}});
  };
  for (const LogEvent& event : facts.first_events) add(event);
  for (const LogEvent& event : facts.last_events) add(event);
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace lvsa::analysis
