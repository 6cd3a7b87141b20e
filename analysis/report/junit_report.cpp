#include "analysis/report/junit_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

// JUnit readers expect a plain decimal number.
std::string seconds_attribute(const Timings& timings) {
  const double seconds = timings.inputs_s + timings.kernel_s + timings.oracle_s;
  return fmt::format("{:.6f}", std::isfinite(seconds) ? seconds : 0.0);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// <failure> or <error>.
std::string problem_element(const CaseResult& result, std::string_view element) {
  const std::string text = failure_details(result);
  return fmt::format("      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", element,
                     status_name(result.status), escape_markup(first_line(text)),
                     escape_markup(text));
}

std::string outcome_elements(const CaseResult& result) {
  switch (result.status) {
    case Status::kPass:
      return "";
    case Status::kWeak:
      return fmt::format("      <system-out>weak: {}</system-out>\n",
                         escape_markup(result.message));
    case Status::kFail:
      return problem_element(result, "failure");
    case Status::kError:
    case Status::kCrash:
    case Status::kTimeout:
      return problem_element(result, "error");
    case Status::kUnsupported:
      return fmt::format("      <skipped message=\"{}\"/>\n", escape_markup(result.message));
  }
  return "";
}

std::string properties(const Provenance& provenance) {
  std::string text = "    <properties>\n";
  for (const auto& [name, value] : provenance) {
    text += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", escape_markup(name),
                        escape_markup(value));
  }
  return text + "    </properties>\n";
}

std::string test_case(const CaseResult& result) {
  const std::string head = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
                                       escape_markup(result.kernel), escape_markup(result.line),
                                       seconds_attribute(result.timings));
  const std::string inner = outcome_elements(result);
  if (inner.empty()) return head + "/>\n";
  return head + ">\n" + inner + "    </testcase>\n";
}

}  // namespace

void junit_report(const ResultSource& results, const Provenance& provenance,
                  const std::function<void(std::string_view)>& write) {
  const RunTotals& totals = results.totals();
  const std::int64_t errors =
      totals.count(Status::kError) + totals.count(Status::kCrash) + totals.count(Status::kTimeout);
  const std::string counts = fmt::format(
      "name=\"lvsa-verify kernel\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{}\"",
      totals.cases(), totals.count(Status::kFail), errors, totals.count(Status::kUnsupported),
      seconds_attribute(totals.timings));
  write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  write(fmt::format("<testsuites {0}>\n  <testsuite {0}>\n", counts));
  write(properties(provenance));
  results.for_each({}, [&](const CaseResult& result) { write(test_case(result)); });
  write("  </testsuite>\n</testsuites>\n");
}

std::string junit_report(const std::vector<CaseResult>& results, const Provenance& provenance) {
  std::string text;
  junit_report(ResultList(results), provenance, [&](std::string_view part) { text += part; });
  return text;
}

}  // namespace lvsa::analysis
