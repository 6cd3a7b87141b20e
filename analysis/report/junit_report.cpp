#include "analysis/report/junit_report.hpp"

#include <fmt/format.h>

#include <algorithm>
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

std::string junit_report(const std::vector<CaseResult>& results, const Provenance& provenance) {
  const auto count = [&](Status status) {
    return std::count_if(results.begin(), results.end(),
                         [=](const CaseResult& result) { return result.status == status; });
  };
  const auto errors = count(Status::kError) + count(Status::kCrash) + count(Status::kTimeout);
  const std::string counts = fmt::format(
      "name=\"lvsa-verify kernel\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "time=\"{}\"",
      results.size(), count(Status::kFail), errors, count(Status::kUnsupported),
      seconds_attribute(total_timings(results)));
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites {0}>\n  <testsuite {0}>\n", counts);
  text += properties(provenance);
  for (const CaseResult& result : results) text += test_case(result);
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace lvsa::analysis
