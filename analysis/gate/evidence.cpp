#include "analysis/gate/evidence.hpp"

#include <algorithm>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

BoundFigure figure(const OutputCheck& check, bool has_column) {
  BoundFigure made{check.checked, check.failed, check.unwritten, check.worst_ratio, ""};
  if (check.checked > 0 && check.worst_ratio > 0.0) {
    made.place = has_column ? place_text(check.worst) : lse_place_text(check.worst);
  }
  return made;
}

// "A, B | C": several in one machine, several of joined runs.
void add_devices(std::vector<std::string>& names, const std::string& text) {
  if (text.empty() || text == "none") return;
  const auto add = [&](std::string_view name) {
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (!name.empty() && name != "none" && !known) names.emplace_back(name);
  };
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find_first_of(",|", begin), text.size());
    add(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

CaseRecord case_record(const CaseResult& result) {
  CaseRecord record;
  record.line = valid_utf8(result.line);
  record.status = result.status;
  record.message = valid_utf8(result.message);
  record.where = valid_utf8(result.where);
  record.suspect = valid_utf8(result.suspect);
  record.replay = valid_utf8(result.replay);
  if (result.status != Status::kPass) record.command = valid_utf8(result.command);
  record.inputs = result.inputs;
  record.rows_checked = result.rows_checked;
  record.output = figure(result.output, true);
  record.lse = figure(result.lse, false);
  record.schedule = figure(result.schedule, true);
  record.checks = result.checks;
  return record;
}

std::string provenance_value(const Provenance& provenance, std::string_view name) {
  for (const auto& [key, value] : provenance) {
    if (key == name) return value;
  }
  return "";
}

std::vector<std::string> devices(const Evidence& evidence) {
  std::vector<std::string> names;
  const auto add = [&](const Provenance& provenance) {
    add_devices(names, provenance_value(provenance, "cpu"));
    add_devices(names, provenance_value(provenance, "gpu"));
  };
  if (evidence.conformance) add(evidence.conformance->provenance);
  if (evidence.patterns) add(evidence.patterns->provenance);
  if (evidence.sweep) add(evidence.sweep->provenance);
  if (evidence.speed) {
    add(evidence.speed->provenance);
    add_devices(names, evidence.speed->device);
  }
  return names;
}

}  // namespace lvsa::analysis
