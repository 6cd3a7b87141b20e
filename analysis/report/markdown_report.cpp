#include "analysis/report/markdown_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "analysis/report/markdown_text.hpp"
#include "analysis/report/text_format.hpp"
#include "analysis/verify/byte_hash.hpp"

namespace lvsa::analysis {
namespace {

std::string counts_table(const RunTotals& totals) {
  std::string table = "| status | cases |\n|---|---:|\n";
  for (const Status status : {Status::kPass, Status::kWeak, Status::kFail, Status::kError,
                              Status::kCrash, Status::kTimeout, Status::kUnsupported}) {
    if (totals.count(status) == 0) continue;
    table += fmt::format("| {} | {} |\n", status_name(status), totals.count(status));
  }
  return table;
}

std::string item(const char* name, const std::string& text) {
  return text.empty() ? "" : fmt::format("- {}: {}\n", name, text);
}

std::string check_items(const CaseResult& result) {
  std::string text;
  for (const NamedCheck& check : result.checks) {
    if (check.state != CheckState::kFails) continue;
    text += item(("check " + markdown_text(check.name)).c_str(), markdown_text(check.message));
  }
  return text;
}

std::string element_item(const char* name, const OutputCheck& check, bool has_column) {
  if (check.failed == 0) return "";
  const ElementReport& worst = check.worst;
  return item(name, fmt::format("{} of {} elements outside their bounds; worst at {}: expected {}, "
                                "got {}, tolerance {}",
                                check.failed, check.checked,
                                has_column ? place_text(worst) : lse_place_text(worst),
                                number_text(worst.expected, 9), number_text(worst.got, 9),
                                number_text(worst.tolerance.total)));
}

std::string failed_case(const CaseResult& result) {
  std::string text = fmt::format("### Case {}: {}\n\n{}\n\n", result.number,
                                 status_name(result.status), markdown_code(result.line));
  text += item("what", markdown_text(result.message));
  text += item("where", markdown_text(result.where));
  text += check_items(result);
  text += element_item("output", result.output, true);
  text += element_item("log-sum-exp", result.lse, false);
  text += element_item("declared schedule", result.schedule, true);
  text += item("suspect", markdown_text(result.suspect));
  text += item("replay file", markdown_code(result.replay));
  if (result.inputs.q != 0) {
    text += item("hashes of q, k, v",
                 fmt::format("{} {} {}", hash_text(result.inputs.q), hash_text(result.inputs.k),
                             hash_text(result.inputs.v)));
  }
  return text + fmt::format("- repeat:\n\n```sh\n{}\n```\n\n", one_code_line(result.command));
}

// Sections of cases with a limit.
class Section {
 public:
  Section(std::string title, std::int64_t count) : title_(std::move(title)), count_(count) {}

  bool wants_more() { return ++seen_ <= kMostListed; }
  void add(const std::string& text) { text_ += text; }
  std::string text() const {
    if (count_ == 0) return "";
    std::string whole = fmt::format("## {} ({})\n\n{}", title_, count_, text_);
    if (count_ > kMostListed) {
      whole += fmt::format("\n{} more in report.jsonl.\n", count_ - kMostListed);
    }
    return whole + '\n';
  }

 private:
  std::string title_;
  std::string text_;
  std::int64_t count_;
  int seen_ = 0;
};

std::string failed_section(const ResultSource& results) {
  Section section("Failed", results.totals().summary.failed);
  results.for_each([&](Status status) { return is_failure(status) && section.wants_more(); },
                   [&](const CaseResult& result) { section.add(failed_case(result)); });
  return section.text();
}

std::string weak_section(const ResultSource& results) {
  Section section("Weak: within bounds that are too wide to mean much",
                  results.totals().summary.weak);
  results.for_each([&](Status status) { return status == Status::kWeak && section.wants_more(); },
                   [&](const CaseResult& result) {
                     section.add(fmt::format("- {}: {}\n", markdown_code(result.line),
                                             markdown_text(result.message)));
                   });
  return section.text();
}

std::string unsupported_section(const ResultSource& results) {
  const std::int64_t count = results.totals().summary.unsupported;
  if (count == 0) return "";
  constexpr std::size_t kMostReasons = 50;
  std::map<std::string, std::int64_t> reasons;
  std::int64_t others = 0;
  results.for_each([](Status status) { return status == Status::kUnsupported; },
                   [&](const CaseResult& result) {
                     const bool room = reasons.size() < kMostReasons;
                     if (room || reasons.count(result.message) > 0) {
                       ++reasons[result.message];
                     } else {
                       ++others;
                     }
                   });
  std::string text = fmt::format("## Not run ({})\n\n", count);
  for (const auto& [reason, cases] : reasons) {
    text += fmt::format("- {}: {}\n", cases, markdown_text(reason));
  }
  if (others > 0) text += fmt::format("- {}: for other reasons\n", others);
  return text + '\n';
}

std::string provenance_section(const Provenance& provenance) {
  std::string text = "## Provenance\n\n| | |\n|---|---|\n";
  for (const auto& [name, value] : provenance) {
    std::string readable = name;
    std::replace(readable.begin(), readable.end(), '_', ' ');
    text += fmt::format("| {} | {} |\n", markdown_text(readable), markdown_code(value, true));
  }
  return text + "\nThe hashes of q, k and v of every case stand in report.jsonl.\n";
}

}  // namespace

std::string markdown_report(const ResultSource& results, const Provenance& provenance) {
  const RunTotals& totals = results.totals();
  std::string kernel;
  bool asked = false;
  results.for_each([&](Status) { return !std::exchange(asked, true); },
                   [&](const CaseResult& result) { kernel = result.kernel; });
  std::string text =
      fmt::format("# LVSA conformance: {}: {} passed, {} failed\n\n",
                  kernel.empty() ? "no kernel ran" : "kernel " + markdown_text(kernel),
                  totals.summary.passed, totals.summary.failed);
  text += counts_table(totals) + '\n';
  return text + failed_section(results) + weak_section(results) + unsupported_section(results) +
         provenance_section(provenance);
}

}  // namespace lvsa::analysis
