// Markdown, JUnit and GitHub's workflow commands.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "analysis/gate/finding_groups.hpp"
#include "analysis/gate/gate_report.hpp"
#include "analysis/report/markdown_text.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kMostListed = 200;

std::string title_of(Weight weight) {
  constexpr std::array<const char*, 4> kTitles = {"Failures", "Slower", "Undecided", "Notes"};
  return kTitles[static_cast<std::size_t>(weight)];
}

std::string markdown_item(const GateFinding& finding) {
  std::string text = fmt::format("- **{}** {}: {}\n", markdown_text(finding.check),
                                 finding.subject.empty() ? "" : markdown_code(finding.subject),
                                 markdown_text(finding.what));
  if (!finding.where.empty()) text += fmt::format("  - where: {}\n", markdown_text(finding.where));
  if (!finding.waived.empty()) {
    text += fmt::format("  - waived: {}\n", markdown_text(finding.waived));
  } else if (finding.weight != Weight::kNote && !finding.command.empty()) {
    text += fmt::format("  - repeat: {}\n", markdown_code(finding.command));
  }
  return text;
}

// A setting of a sweep with the worst of what was found on it.
std::string markdown_group(const FindingGroup& group) {
  constexpr std::size_t kMostOfGroup = 3;
  if (group.findings.size() == 1) return markdown_item(*group.findings.front());
  std::string text =
      fmt::format("- **{} findings** {}\n", group.findings.size(), markdown_code(group.name));
  for (std::size_t i = 0; i < std::min(kMostOfGroup, group.findings.size()); ++i) {
    text += fmt::format("  - {}\n", markdown_text(finding_in_group(*group.findings[i])));
  }
  const std::string& waived = group.findings.front()->waived;
  if (!waived.empty()) text += fmt::format("  - waived: {}\n", markdown_text(waived));
  if (group.findings.size() > kMostOfGroup) {
    text += fmt::format("  - and {} more\n", group.findings.size() - kMostOfGroup);
  }
  return text;
}

// The findings of a section, those of sweeps by setting; nothing for none.
std::string markdown_section(const GateResult& result, const std::string& title,
                             const std::function<bool(const GateFinding&)>& wanted) {
  constexpr std::size_t kMostGroups = 50;
  std::string items;
  std::size_t single = 0;
  for (const GateFinding& finding : result.findings) {
    if (!finding.group.empty() || !wanted(finding)) continue;
    if (++single <= kMostListed) items += markdown_item(finding);
  }
  if (single > kMostListed) items += fmt::format("- and {} more\n", single - kMostListed);
  std::size_t grouped = 0;
  std::size_t left_out = 0;
  std::size_t number = 0;
  for (const FindingGroup& group : group_findings(result.findings, wanted)) {
    grouped += group.findings.size();
    if (++number <= kMostGroups) {
      items += markdown_group(group);
    } else {
      left_out += group.findings.size();
    }
  }
  if (left_out > 0) {
    items += fmt::format("- and {} more on {} other settings\n", left_out, number - kMostGroups);
  }
  if (single + grouped == 0) return "";
  return fmt::format("## {} ({})\n\n{}\n", title, single + grouped, items);
}

struct JunitCase {
  std::string failures;
  std::string skipped;
  std::string notes;
};

// Several findings on one case become one element of each kind, as JUnit readers expect.
void add_to(JunitCase& entry, const GateFinding& finding, bool strict) {
  std::string text = fmt::format("{}: {}", finding.check, finding.what);
  if (!finding.where.empty()) text += fmt::format("\nwhere: {}", finding.where);
  if (!finding.waived.empty()) {
    entry.skipped += fmt::format("waived: {}: {}\n", finding.waived, text);
  } else if (finding.weight == Weight::kNote) {
    entry.notes += text + '\n';
  } else if (finding.weight == Weight::kUndecided && !strict) {
    entry.skipped += text + '\n';
  } else {
    if (!finding.command.empty()) text += fmt::format("\nrepeat: {}", finding.command);
    entry.failures += text + '\n';
  }
}

std::string junit_case(Area area, const std::string& name, const JunitCase& entry) {
  std::string text = fmt::format("    <testcase classname=\"{}\" name=\"{}\"", area_name(area),
                                 escape_markup(name.empty() ? "(all)" : name));
  std::string inner;
  const auto first_line = [](const std::string& lines) {
    return lines.substr(0, lines.find('\n'));
  };
  if (!entry.failures.empty()) {
    inner += fmt::format("      <failure message=\"{}\">{}</failure>\n",
                         escape_markup(first_line(entry.failures)), escape_markup(entry.failures));
  } else if (!entry.skipped.empty()) {
    inner +=
        fmt::format("      <skipped message=\"{}\"/>\n", escape_markup(first_line(entry.skipped)));
  }
  if (!entry.notes.empty()) {
    inner += fmt::format("      <system-out>{}</system-out>\n", escape_markup(entry.notes));
  }
  return text + (inner.empty() ? "/>\n" : fmt::format(">\n{}    </testcase>\n", inner));
}

using Key = std::pair<Area, std::string_view>;

// The lines of cases and what `others`, sorted, names besides: each once, sorted.
void each_name(const std::vector<Key>& others, const SortedLines* lines,
               const std::function<void(const Key&)>& visit) {
  auto other = others.begin();
  std::string last;
  bool any = false;
  const auto take = [&](std::string_view line) {
    if (any && line == last) return;
    const Key key{Area::kConformance, line};
    while (other != others.end() && *other < key) visit(*other++);
    if (other != others.end() && *other == key) ++other;
    visit(key);
    last = line;
    any = true;
  };
  if (lines != nullptr) lines->for_each(take);
  while (other != others.end()) visit(*other++);
}

const char* annotation_kind(const GateFinding& finding, bool strict) {
  if (!finding.waived.empty()) return "warning";
  switch (finding.weight) {
    case Weight::kFailure:
    case Weight::kSpeedFailure:
      return "error";
    case Weight::kUndecided:
      return strict ? "error" : "warning";
    case Weight::kNote:
      return "notice";
  }
  return "notice";
}

std::string annotation(const char* kind, const std::string& file, const std::string& title,
                       const std::string& message) {
  const std::string about =
      file.empty() ? "" : fmt::format("file={},", github_escaped_property(file));
  return fmt::format("::{} {}title={}::{}\n", kind, about, github_escaped_property(title),
                     github_escaped(message));
}

std::string escaped(std::string_view text, std::string_view special) {
  std::string made;
  for (const char c : valid_utf8(text)) {
    if (special.find(c) != std::string_view::npos) {
      made += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      made += c;
    }
  }
  return made;
}

}  // namespace

std::string gate_markdown(const GateResult& result, bool strict) {
  std::string text = fmt::format("# LVSA gate: {}\n\n", verdict_text(result, strict));
  text += "| | |\n|---|---:|\n";
  text += fmt::format("| cases | {} |\n| compared | {} |\n", result.cases(), result.compared);
  for (const Weight weight :
       {Weight::kFailure, Weight::kSpeedFailure, Weight::kUndecided, Weight::kNote}) {
    text += fmt::format("| {} | {} |\n", weight_name(weight), result.count(weight));
  }
  text += fmt::format("| waived | {} |\n\n", result.waived());
  for (const Weight weight : {Weight::kFailure, Weight::kSpeedFailure, Weight::kUndecided}) {
    text += markdown_section(result, title_of(weight), [&](const GateFinding& finding) {
      return finding.weight == weight && finding.waived.empty();
    });
  }
  text += markdown_section(result, "Waived",
                           [](const GateFinding& finding) { return !finding.waived.empty(); });
  text += markdown_section(result, title_of(Weight::kNote), [](const GateFinding& finding) {
    return finding.weight == Weight::kNote && finding.waived.empty();
  });
  text += fmt::format("Baseline: {}\n\nCandidate: {}\n", markdown_code(result.baseline),
                      markdown_code(result.candidate));
  for (const std::string& remark : result.remarks) {
    text += fmt::format("\n- differs: {}", markdown_text(remark));
  }
  return text + (result.remarks.empty() ? "" : "\n");
}

void gate_junit(const GateResult& result, bool strict,
                const std::function<void(std::string_view)>& write) {
  // Of a million cases few have findings; the others are names.
  std::map<Key, JunitCase> found;
  for (const GateFinding& finding : result.findings) {
    add_to(found[{finding.area, finding.subject}], finding, strict);
  }
  std::vector<Key> others;
  for (const Subject& subject : result.subjects) others.emplace_back(subject.area, subject.name);
  std::size_t failures = 0;
  std::size_t skipped = 0;
  for (const auto& [key, entry] : found) {
    others.push_back(key);
    failures += entry.failures.empty() ? 0 : 1;
    skipped += entry.failures.empty() && !entry.skipped.empty() ? 1 : 0;
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  std::size_t names = 0;
  each_name(others, result.case_lines.get(), [&](const Key&) { ++names; });
  const std::string counts = fmt::format(
      "name=\"lvsa-verify gate\" tests=\"{}\" failures=\"{}\" errors=\"0\" "
      "skipped=\"{}\" time=\"0\"",
      names, failures, skipped);
  write(fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {0}>\n  <testsuite {0}>\n"
      "    <properties>\n      <property name=\"baseline\" value=\"{1}\"/>\n"
      "      <property name=\"candidate\" value=\"{2}\"/>\n    </properties>\n",
      counts, escape_markup(result.baseline), escape_markup(result.candidate)));
  const JunitCase nothing;
  each_name(others, result.case_lines.get(), [&](const Key& key) {
    const auto entry = found.find(key);
    write(junit_case(key.first, std::string(key.second),
                     entry == found.end() ? nothing : entry->second));
  });
  write("  </testsuite>\n</testsuites>\n");
}

std::string gate_junit(const GateResult& result, bool strict) {
  std::string text;
  gate_junit(result, strict, [&](std::string_view part) { text += part; });
  return text;
}

std::string github_escaped(std::string_view text) { return escaped(text, "%\r\n"); }
std::string github_escaped_property(std::string_view text) { return escaped(text, "%\r\n:,"); }

std::string github_annotations(const GateResult& result, bool strict, const std::string& file) {
  constexpr int kMost = 10;
  std::map<std::string, int> seen;
  std::string text;
  for (const GateFinding& finding : result.findings) {
    const char* kind = annotation_kind(finding, strict);
    if (++seen[kind] >= kMost) continue;  // the last one is left for the rest
    std::string message = finding.subject.empty()
                              ? finding.what
                              : fmt::format("{}\n{}", finding.what, finding.subject);
    if (!finding.where.empty()) message += fmt::format("\nwhere: {}", finding.where);
    if (!finding.waived.empty()) message += fmt::format("\nwaived: {}", finding.waived);
    text += annotation(kind, file,
                       fmt::format("LVSA {}: {}", area_name(finding.area), finding.check), message);
  }
  for (const auto& [kind, count] : seen) {
    if (count < kMost) continue;
    text += annotation(kind.c_str(), file, "LVSA gate",
                       fmt::format("{} more of this kind in the log", count - kMost + 1));
  }
  return text;
}

}  // namespace lvsa::analysis
