#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/gate/finding_groups.hpp"
#include "analysis/gate/gate_report.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

using Json = nlohmann::ordered_json;

// Of many: one line, and no bytes that a terminal would act upon.
std::string one_line(std::string_view text) {
  std::string line = valid_utf8(text);
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return line;
}

std::string label(const GateFinding& finding) {
  if (!finding.waived.empty()) return "waived";
  return finding.weight == Weight::kFailure        ? "FAILURE"
         : finding.weight == Weight::kSpeedFailure ? "SLOWER"
                                                   : std::string(weight_name(finding.weight));
}

std::string row(const GateFinding& finding) {
  std::string text = fmt::format("{:<9}  {:<11}  {:<18}  {}\n", label(finding),
                                 area_name(finding.area), one_line(finding.check),
                                 finding.subject.empty() ? "(all)" : one_line(finding.subject));
  text += fmt::format("           {}\n", one_line(finding.what));
  if (!finding.where.empty())
    text += fmt::format("           where: {}\n", one_line(finding.where));
  if (!finding.waived.empty()) {
    text += fmt::format("           waived: {}\n", one_line(finding.waived));
  }
  const bool counts = finding.weight != Weight::kNote && finding.waived.empty();
  if (counts && !finding.command.empty()) {
    text += fmt::format("           repeat: {}\n", one_line(finding.command));
  }
  return text;
}

std::string plural(std::int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// Findings that are shown one by one.
std::string single_rows(const GateResult& result, Weight weight, std::size_t show) {
  std::string text;
  std::size_t seen = 0;
  for (const GateFinding& finding : result.findings) {
    if (finding.weight != weight || !finding.group.empty()) continue;
    if (++seen <= show) text += row(finding);
  }
  if (seen <= show) return text;
  return text + fmt::format("... and {} more of weight '{}' (--show {} shows all)\n", seen - show,
                            weight_name(weight), seen);
}

std::string group_row(const FindingGroup& group, std::size_t show) {
  const GateFinding& worst = *group.findings.front();
  if (group.findings.size() == 1) return row(worst);
  std::string text =
      fmt::format("{:<9}  {:<11}  {:<18}  {}\n", label(worst), area_name(worst.area),
                  fmt::format("{} findings", group.findings.size()), one_line(group.name));
  for (std::size_t i = 0; i < std::min(show, group.findings.size()); ++i) {
    text += fmt::format("           {}\n", one_line(finding_in_group(*group.findings[i])));
  }
  if (!worst.waived.empty()) text += fmt::format("           waived: {}\n", one_line(worst.waived));
  if (group.findings.size() > show) {
    text += fmt::format("           and {} more\n", group.findings.size() - show);
  }
  return text;
}

// A sweep finds hundreds of things at once: the worst of its settings, and the worst of each.
std::string group_rows(const GateResult& result, Weight weight, bool waived, std::size_t show) {
  const std::vector<FindingGroup> groups =
      group_findings(result.findings, [&](const GateFinding& finding) {
        return finding.weight == weight && finding.waived.empty() != waived;
      });
  const std::size_t shown = std::min(groups.size(), std::max<std::size_t>(1, show / 10));
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    text += group_row(groups[i], std::max<std::size_t>(1, show / 30));
  }
  if (shown == groups.size()) return text;
  std::size_t left = 0;
  for (std::size_t i = shown; i < groups.size(); ++i) left += groups[i].findings.size();
  return text +
         fmt::format("... and {} of weight '{}' on {} (--out DIR writes all)\n",
                     plural(static_cast<std::int64_t>(left), "more finding", "more findings"),
                     weight_name(weight),
                     plural(static_cast<std::int64_t>(groups.size() - shown), "other setting",
                            "other settings"));
}

Json finding_json(const GateFinding& finding) {
  Json json = {{"weight", std::string(weight_name(finding.weight))},
               {"area", std::string(area_name(finding.area))},
               {"subject", valid_utf8(finding.subject)},
               {"check", valid_utf8(finding.check)},
               {"what", valid_utf8(finding.what)}};
  if (!finding.where.empty()) json["where"] = valid_utf8(finding.where);
  if (!finding.command.empty()) json["command"] = valid_utf8(finding.command);
  if (!finding.waived.empty()) json["waived"] = valid_utf8(finding.waived);
  return json;
}

std::string counts_text(const GateResult& result) {
  return fmt::format("{}, {} compared: {}, {} slower, {} undecided, {} waived, {}",
                     plural(result.cases(), "case", "cases"), result.compared,
                     plural(result.count(Weight::kFailure), "failure", "failures"),
                     result.count(Weight::kSpeedFailure), result.count(Weight::kUndecided),
                     result.waived(), plural(result.count(Weight::kNote), "note", "notes"));
}

}  // namespace

std::string verdict_text(const GateResult& result, bool strict) {
  const std::int64_t failures = result.count(Weight::kFailure);
  const std::int64_t slower = result.count(Weight::kSpeedFailure);
  const std::int64_t undecided = result.count(Weight::kUndecided);
  switch (result.verdict()) {
    case GateVerdict::kFailed:
      return fmt::format("FAILED: {}{}", plural(failures, "failure", "failures"),
                         slower > 0 ? fmt::format(", and {} slower", slower) : "");
    case GateVerdict::kSlower:
      return fmt::format("SLOWER: {}", plural(slower, "finding on speed", "findings on speed"));
    case GateVerdict::kUndecided:
      return fmt::format("{}: {} without a verdict on speed", strict ? "UNDECIDED" : "PASSED",
                         plural(undecided, "case", "cases"));
    case GateVerdict::kPass:
      return "PASSED";
  }
  return "";
}

std::string gate_text(const GateResult& result, bool strict, std::size_t show) {
  std::string text = fmt::format("baseline:  {}\ncandidate: {}\n", one_line(result.baseline),
                                 one_line(result.candidate));
  for (const std::string& remark : result.remarks) {
    text += fmt::format("differs:   {}\n", one_line(remark));
  }
  if (!result.findings.empty()) {
    text += fmt::format("\n{:<9}  {:<11}  {:<18}  {}\n", "outcome", "area", "check", "case");
  }
  for (const Weight weight :
       {Weight::kFailure, Weight::kSpeedFailure, Weight::kUndecided, Weight::kNote}) {
    text += single_rows(result, weight, show);
    for (const bool waived : {false, true}) text += group_rows(result, weight, waived, show);
  }
  return text + fmt::format("\n{}\n{}\n", counts_text(result), verdict_text(result, strict));
}

std::string gate_json(const GateResult& result, bool strict) {
  const auto dumped = [](const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  const Json json = {{"verdict", verdict_text(result, strict)},
                     {"exit_code", exit_code(result.verdict(), strict)},
                     {"baseline", valid_utf8(result.baseline)},
                     {"candidate", valid_utf8(result.candidate)},
                     {"remarks", result.remarks},
                     {"cases", result.cases()},
                     {"compared", result.compared},
                     {"failures", result.count(Weight::kFailure)},
                     {"slower", result.count(Weight::kSpeedFailure)},
                     {"undecided", result.count(Weight::kUndecided)},
                     {"waived", result.waived()},
                     {"notes", result.count(Weight::kNote)}};
  std::string text = dumped(json);
  // One by one: of a million findings the text alone is in memory.
  text.back() = ',';
  text += "\"findings\":[";
  const char* comma = "";
  for (const GateFinding& finding : result.findings) {
    text += comma + dumped(finding_json(finding));
    comma = ",";
  }
  return text + "]}";
}

}  // namespace lvsa::analysis
