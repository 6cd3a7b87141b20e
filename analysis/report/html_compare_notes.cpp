// What the page of a comparison says in words: what is missing, and how to read it.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "analysis/report/html_compare_parts.hpp"
#include "analysis/report/html_diagnosis.hpp"
#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kListedReasons = 200;

using Lines = std::vector<std::pair<std::string, std::string>>;

void add_failures(const CompareResults& r, const std::vector<CompareFailure>& failures,
                  Lines& lines) {
  for (const CompareFailure& failure : failures) {
    lines.emplace_back(r.entry_text(failure.entry) + ": " + describe(r.samples[failure.sample]),
                       failure.reason);
  }
}

std::string list_html(const char* title, const std::string& what, const Lines& lines) {
  std::string html = fmt::format(
      "<h2>{0}</h2>\n<div class=\"panel scroll\" role=\"region\" tabindex=\"0\" "
      "aria-label=\"{0}\"><p>{1}</p><table class=\"plain\"><thead><tr><th "
      "scope=\"col\">What</th><th "
      "scope=\"col\">Why</th></tr></thead><tbody>\n",
      title, what);
  for (std::size_t i = 0; i < std::min(lines.size(), kListedReasons); ++i) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>\n",
                        escape_markup(lines[i].first), escape_markup(lines[i].second));
  }
  html += "</tbody></table>";
  if (lines.size() > kListedReasons) {
    html += fmt::format("<p>The first {} of {}; compare.csv has all.</p>", kListedReasons,
                        lines.size());
  }
  return html + "</div>\n";
}

}  // namespace

bool compare_is_timed(const CompareResults& r) { return !r.time_source.empty(); }

std::string counted_text(std::size_t count, const std::string& one, const std::string& many) {
  return fmt::format("{} {}", count, count == 1 ? one : many.empty() ? one + "s" : many);
}

std::string compare_left_out_html(const CompareResults& r) {
  std::string html;
  if (!r.excluded.empty() || !r.failures.empty()) {
    Lines lines;
    for (const ExcludedSample& sample : r.excluded) {
      lines.emplace_back(describe(sample.id), sample.reason);
    }
    add_failures(r, r.failures, lines);
    html +=
        list_html("Left out",
                  fmt::format("{} and {} that could not be made for a sample; they are in no mean.",
                              counted_text(r.excluded.size(), "sample"),
                              counted_text(r.failures.size(), "pattern")),
                  lines);
  }
  if (!r.untimed.empty()) {
    Lines lines;
    add_failures(r, r.untimed, lines);
    html += list_html(
        "Not timed",
        fmt::format("{} without a measured time; measured figures are means over the "
                    "other samples.",
                    counted_text(r.untimed.size(), "pattern of a sample", "patterns of samples")),
        lines);
  }
  return html;
}

std::string compare_help_html(const CompareResults& r) {
  std::string html = "<h2>How to read this page</h2>\n<div class=\"panel help\"><dl>";
  std::vector<std::pair<std::string_view, std::string>> entries = {
      {"Asked density",
       "the parameter of the pattern that decides how much is kept was searched "
       "for each sample until the token density came nearest to this; - where the "
       "pattern has none, or stands as its words say"},
      {"Token density",
       "attended share of all pairs of query and key, element masks counted, the "
       "online skip not; ~: more than 2 % from what was asked, which the steps or the range of the "
       "parameter do not allow"},
      {"Block density", "kept share of the blocks"},
      {"After skip",
       "token density that the online skip of SpargeAttn leaves, replayed on some "
       "query blocks; errors are those without it"},
      {"Errors and recall",
       "sampled rows of the sparse output against those of dense attention, "
       "means over the samples; recall is the share of the dense softmax that "
       "the attended keys hold. An error of 0 has no place on a logarithmic "
       "axis"},
      {"Predicted speedup",
       "over dense attention, from rates, not timed. " + escape_markup(r.rates_source)}};
  if (compare_is_timed(r)) {
    entries.emplace_back(
        "Measured speedup",
        "attention and finding the pattern, against the same kernel on all blocks. " +
            escape_markup(r.time_source));
  }
  for (const auto& [name, text] : entries) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>", name, text);
  }
  return html + "</dl></div>\n";
}

}  // namespace lvsa::analysis
