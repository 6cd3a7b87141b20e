#include "analysis/report/html_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/report/html_assets.hpp"
#include "analysis/report/html_case.hpp"
#include "analysis/report/html_cases.hpp"
#include "analysis/report/html_overview.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

std::string value_of(const Provenance& provenance, std::string_view name) {
  for (const auto& [key, value] : provenance) {
    if (key == name) return value;
  }
  return "";
}

std::string outcome_text(const RunSummary& summary) {
  return fmt::format("{} passed, {} failed", summary.passed, summary.failed);
}

std::string head_html(const RunSummary& summary, const std::string& kernel) {
  // The policy makes the promise of a page without network one that the browser keeps.
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
      " 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}: {} - LVSA conformance</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<a class=\"skip-link\" href=\"#cases-heading\">Skip to "
      "the"
      " cases</a>\n{}",
      escape_markup(kernel), outcome_text(summary), html_style(), html_icons());
}

std::string header_html(const Provenance& provenance, const std::string& kernel) {
  std::string build = value_of(provenance, "version");
  if (!build.empty())
    build = fmt::format("lvsa-verify {} ({})", build, value_of(provenance, "commit"));
  std::string facts;
  for (const std::string& part :
       {value_of(provenance, "time"), build, value_of(provenance, "cpu")}) {
    if (part.empty()) continue;
    facts += (facts.empty() ? "" : " &middot; ") + escape_markup(part);
  }
  return fmt::format(
      "<header>\n<p class=\"kicker\">LVSA kernel conformance</p>\n<h1>{}</h1>\n"
      "<p class=\"soft\">{}</p>\n</header>\n",
      kernel.empty() ? "No kernel ran" : "Kernel " + escape_markup(kernel), facts);
}

std::string verdict_html(const RunSummary& summary) {
  Status status = summary.failed > 0 ? Status::kFail : Status::kPass;
  if (summary.passed + summary.failed == 0) status = Status::kUnsupported;
  std::string note;
  if (status == Status::kUnsupported) {
    note = "No case was judged.";
  } else if (summary.failed == 0) {
    note = "Every element that was checked lies within its bound.";
  }
  if (summary.weak > 0) {
    note += fmt::format(" {} of the passed {} weak: the bounds there are too wide to mean much.",
                        summary.weak, summary.weak == 1 ? "is" : "are");
  }
  return fmt::format(
      "<p class=\"verdict s-{}\">{}<span>{}</span><span class=\"note\">{}</span></p>\n",
      status_name(status), status_icon(status), outcome_text(summary), note);
}

std::string tile(const std::string& name, const std::string& value, bool zero) {
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>", zero ? " class=\"zero\"" : "", name,
                     value);
}

std::string tiles_html(const RunTotals& totals) {
  std::string html = "<dl class=\"tiles\">";
  for (const Status status : listed_statuses()) {
    const std::int64_t count = totals.count(status);
    html += tile(status_icon(status) + std::string(status_name(status)), std::to_string(count),
                 count == 0);
  }
  const Timings& total = totals.timings;
  html += tile("kernel time", seconds_text(total.kernel_s), false);
  html += tile("checking", seconds_text(total.inputs_s + total.oracle_s), false);
  return html + "</dl>\n";
}

std::string left_out_html(std::int64_t shown, std::int64_t cases) {
  return fmt::format(
      "<p class=\"panel\">This page shows {} of {} cases, failed and weak ones first; all of them"
      " stand in report.jsonl.</p>\n",
      shown, cases);
}

std::string overview_html(const std::vector<CaseResult>& results) {
  std::string legend;
  for (const Status status : listed_statuses()) {
    legend += fmt::format("<li>{}{}</li>", status_icon(status), status_name(status));
  }
  return fmt::format(
      "<h2>Worst error over bound, case by case</h2>\n<div class=\"panel\"><div class=\"scroll\""
      " role=\"region\" tabindex=\"0\" aria-label=\"Chart of the worst error over bound\">{}</div>"
      "<ul class=\"legend\">{}<li>dashed: the bound itself</li></ul></div>\n",
      overview_figure(results), legend);
}

std::string help_entry(const std::string& name, const char* text) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, text);
}

std::string help_html() {
  const auto of_status = [](Status status, const char* text) {
    return help_entry(status_icon(status) + " " + std::string(status_name(status)), text);
  };
  return "<h2>How to read this page</h2>\n<div class=\"panel help\"><dl>" +
         help_entry(
             "Error / bound",
             "Each checked element has its own bound: how far a right kernel of these types "
             "can be from the exact result, which an fp64 oracle computes from the same "
             "inputs. The number is the share of its bound that the error takes up, the "
             "rounding to the output type set aside; above 1 the element is wrong. The scale "
             "is logarithmic.") +
         help_entry("Tier A, tier B",
                    "Tier A is the bound of any kernel of these types. A kernel that declares its "
                    "schedule is also held against a replay of it, tier B, which leaves far less "
                    "room.") +
         help_entry(
             "Checks",
             "relations that hold exactly for every right kernel, whatever its rounding; one "
             "that fails makes the case fail") +
         help_entry(
             "Mask",
             "query frames down, key frames across: global (anchor) frames, the window, both; "
             "beside it the share of query-key pairs that is attended") +
         of_status(Status::kPass, "every checked element lies within its bound") +
         of_status(Status::kWeak, "the same, but the bounds are too wide for this to mean much") +
         of_status(Status::kFail,
                   "an element outside its bound, never written, or not finite; or a check fails") +
         of_status(Status::kError, "the kernel gave up") +
         of_status(Status::kCrash, "the kernel ended its process: a signal, an abort, an exit") +
         of_status(Status::kTimeout, "the kernel did not return in time") +
         of_status(Status::kUnsupported,
                   "the kernel does not claim to serve the case; not counted as failed") +
         "</dl></div>\n";
}

std::string provenance_html(const Provenance& provenance) {
  std::string html =
      "<h2>Where these results come from</h2>\n<div class=\"panel\"><dl class=\"facts\">";
  for (const auto& [name, value] : provenance) {
    std::string readable = name;
    std::replace(readable.begin(), readable.end(), '_', ' ');
    html += fmt::format("<dt>{}</dt><dd class=\"mono\">{}</dd>", escape_markup(readable),
                        escape_markup(value));
  }
  return html + "</dl></div>\n";
}

}  // namespace

std::string html_report(const std::vector<CaseResult>& results, const Provenance& provenance,
                        const RunTotals& totals) {
  const std::string kernel = kernel_names(results);
  const RunSummary& summary = totals.summary;
  std::string html = head_html(summary, kernel) + header_html(provenance, kernel) + "<main>\n";
  html += verdict_html(summary) + tiles_html(totals);
  const auto shown = static_cast<std::int64_t>(results.size());
  if (shown < totals.cases()) html += left_out_html(shown, totals.cases());
  if (!results.empty()) html += overview_html(results);
  html += cases_html(results) + help_html() + provenance_html(provenance);
  html +=
      "</main>\n<footer><p>The same results as data: report.jsonl. For CI: report.xml"
      " (JUnit). As text: report.md.</p></footer>\n<div id=\"live\" class=\"visually-hidden\" "
      "aria-live=\"polite\"></div>\n";
  return html + fmt::format("<script>{}</script>\n</body>\n</html>\n", html_script());
}

std::string html_report(const std::vector<CaseResult>& results, const Provenance& provenance,
                        const RunSummary& summary) {
  RunTotals totals = ResultList(results).totals();
  totals.summary = summary;
  return html_report(results, provenance, totals);
}

}  // namespace lvsa::analysis
