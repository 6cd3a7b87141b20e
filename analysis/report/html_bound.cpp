#include "analysis/report/html_bound.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "analysis/report/text_format.hpp"

namespace lvsa::analysis {
namespace {

struct Term {
  const char* name;
  const char* tier_a;  ///< formula
  const char* tier_b;
  double Tolerance::*value;
};

// docs/bounds.md has the derivations.
constexpr std::array<Term, 4> kTerms = {{
    {"P rounded before P&middot;V", "u<sub>P</sub> A", "roundings of P that could go either way",
     &Tolerance::p_rounding},
    {"scores, through the softmax",
     "&Sigma; p<sub>j</sub> |v<sub>j</sub> &minus; o| &eta;<sub>j</sub> / L",
     "what errors of scores do to sums and maxima", &Tolerance::scores},
    {"accumulation of P&middot;V and L", "(B + 2N + 4) u<sub>a</sub> (A + |o|)",
     "(steps of the schedule + 4) u<sub>a</sub> (A + |o|)", &Tolerance::accumulation},
    {"underflow of P", "&mu;<sub>P</sub> &Sigma; |v<sub>j</sub>| / L", "what is flushed to 0",
     &Tolerance::underflow},
}};

std::string fact(std::string_view name, const std::string& html) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, html);
}

double term_sum(const Tolerance& t) {
  double sum = 0.0;
  for (const Term& term : kTerms) sum += t.*term.value;
  return sum;
}

std::string share_text(double value, double sum) {
  const double share = value / sum;
  return std::isfinite(share) ? percent_text(share) : "-";
}

std::string bound_table(const Tolerance& t, bool tier_b) {
  std::string html =
      "<table class=\"terms\"><caption>Its bound, term by term</caption><thead><tr>"
      "<th scope=\"col\">Term</th><th scope=\"col\" class=\"n\">Value</th>"
      "<th scope=\"col\" class=\"n\">Share</th></tr></thead><tbody>";
  const double sum = term_sum(t);
  for (std::size_t i = 0; i < kTerms.size(); ++i) {
    const Term& term = kTerms[i];
    html += fmt::format(
        "<tr><th scope=\"row\"><span class=\"swatch\" style=\"background:var(--term-{})\"></span>"
        "{}<span class=\"formula\">{}</span></th><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "</tr>",
        i + 1, term.name, tier_b ? term.tier_b : term.tier_a, number_text(t.*term.value, 4),
        share_text(t.*term.value, sum));
  }
  return html +
         fmt::format(
             "</tbody><tfoot><tr><th scope=\"row\">bound: the sum &times; (1 + "
             "2<sup>&minus;6</sup>)</th><td class=\"n\">{}</td><td></td></tr></tfoot></table>",
             number_text(t.total, 4));
}

std::string element_facts(const ElementReport& element, const std::string& place) {
  return "<dl class=\"facts\">" + fact("place", place) +
         fact("expected", number_text(element.expected, 9)) +
         fact("got", number_text(element.got, 9)) +
         fact("error", number_text(std::abs(element.got - element.expected), 4)) +
         fact("bound", number_text(element.tolerance.total, 4)) +
         fact("error / bound", number_text(element.ratio, 4) + " (output rounding set aside)") +
         "</dl>";
}

std::string counts_text(const OutputCheck& check) {
  std::string text =
      fmt::format("{} elements checked, {} outside their bounds", check.checked, check.failed);
  if (check.unwritten > 0) text += fmt::format(", {} never written", check.unwritten);
  return "<p class=\"soft\">" + text + ".</p>";
}

// The log-sum-exp has a total alone.
bool has_terms(const OutputCheck& check) {
  return check.checked > 0 && term_sum(check.worst.tolerance) > 0.0;
}

// --- drawing
// --------------------------------------------------------------------------------------

constexpr double kLabelRoom = 56.0;
constexpr double kBarWidth = 400.0;
constexpr double kBarHeight = 16.0;
constexpr double kPitch = 34.0;
constexpr double kMostTimes = 4.0;  // an error further out than this many bounds ends the axis

double error_of(const ElementReport& element) {
  return element.ratio * element.tolerance.total;  // the output's rounding set aside
}

struct Bar {
  const char* name;
  const ElementReport* element;
};

std::string term_blocks(const Tolerance& t, double y, double per_unit) {
  std::string svg;
  double x = kLabelRoom;
  for (std::size_t i = 0; i < kTerms.size(); ++i) {
    const double width = t.*kTerms[i].value * per_unit;
    if (!(width > 0.0) || !std::isfinite(width)) continue;
    svg += fmt::format(
        "<rect class=\"term-{}\" x=\"{:.5g}\" y=\"{:g}\" width=\"{:.4g}\" height=\"{:g}\"><title>"
        "{}: {}</title></rect>",
        i + 1, x, y, width, kBarHeight, kTerms[i].name, number_text(t.*kTerms[i].value, 4));
    x += width;
  }
  return svg + fmt::format(
                   "<rect class=\"term-total\" x=\"{:g}\" y=\"{:g}\" width=\"{:.5g}\" "
                   "height=\"{:g}\"/>",
                   kLabelRoom, y, std::max(1.0, t.total * per_unit), kBarHeight);
}

std::string error_mark(const ElementReport& element, double y, double per_unit) {
  const bool within = element.ratio <= 1.0;
  const double at = error_of(element) * per_unit;
  const char* kind = within ? " within" : "";
  if (!(at <= kBarWidth + 1.0)) {  // beyond the axis, or no number: an arrow at its end
    const double x = kLabelRoom + kBarWidth + 4.0;
    return fmt::format(
        "<path class=\"error-mark{}\" d=\"M{:g} {:g}h10m-4 -4l5 4l-5 4z\"/>"
        "<text x=\"{:g}\" y=\"{:g}\">{} times</text>",
        kind, x, y + 0.5 * kBarHeight, x + 16.0, y + 12.0, number_text(element.ratio));
  }
  const double x = kLabelRoom + at;
  return fmt::format("<path class=\"error-mark{}\" d=\"M{:.5g} {:g}v{:g}m-4 6l4 -6l4 6z\"/>", kind,
                     x, y - 4.0, kBarHeight + 8.0);
}

std::vector<Bar> bars_of(const CaseResult& result) {
  std::vector<Bar> bars;
  if (has_terms(result.output)) bars.push_back({"tier A", &result.output.worst});
  if (has_terms(result.schedule)) bars.push_back({"tier B", &result.schedule.worst});
  return bars;
}

// Full length of the axis in the unit of the output.
double axis_end(const std::vector<Bar>& bars) {
  double bound = 0.0;
  double end = 0.0;
  for (const Bar& bar : bars) bound = std::max(bound, bar.element->tolerance.total);
  for (const Bar& bar : bars) {
    const double error = error_of(*bar.element);
    if (error <= kMostTimes * bound) end = std::max(end, error);
  }
  return std::max(end, bound);
}

std::string figure_label(const std::vector<Bar>& bars) {
  std::string label = "Bounds to scale.";
  for (const Bar& bar : bars) {
    label +=
        fmt::format(" {}: bound {}, error {} of it.", bar.name,
                    number_text(bar.element->tolerance.total), number_text(bar.element->ratio));
  }
  return label;
}

std::string element_section(const char* title, const OutputCheck& check, bool tier_b) {
  std::string html = fmt::format("<h4>{}</h4>", title) + counts_text(check);
  if (check.checked == 0) return html;
  const bool terms = has_terms(check);
  html += element_facts(check.worst, (terms ? place_text : lse_place_text)(check.worst));
  return terms ? html + bound_table(check.worst.tolerance, tier_b) : html;
}

}  // namespace

std::string bound_figure(const CaseResult& result) {
  const std::vector<Bar> bars = bars_of(result);
  const double end = bars.empty() ? 0.0 : axis_end(bars);
  if (!(end > 0.0) || std::isinf(end)) return "";
  const double per_unit = kBarWidth / end;
  const double bottom = 8.0 + kPitch * static_cast<double>(bars.size());
  std::string svg = fmt::format(
      "<svg class=\"figure\" width=\"{0:g}\" height=\"{1:g}\" viewBox=\"0 0 {0:g} {1:g}\" "
      "role=\"img\" aria-label=\"{2}\">",
      kLabelRoom + kBarWidth + 110.0, bottom + 22.0, figure_label(bars));
  double y = 8.0;
  for (const Bar& bar : bars) {
    svg += fmt::format("<text class=\"title\" x=\"0\" y=\"{:g}\">{}</text>", y + 12.0, bar.name);
    svg += term_blocks(bar.element->tolerance, y, per_unit) + error_mark(*bar.element, y, per_unit);
    y += kPitch;
  }
  svg += fmt::format(
      "<path class=\"axis\" d=\"M{0:g} {1:g}h{2:g}\"/><text x=\"{0:g}\" y=\"{3:g}\">0</text>"
      "<text x=\"{4:g}\" y=\"{3:g}\" text-anchor=\"end\">{5}</text>",
      kLabelRoom, bottom, kBarWidth, bottom + 14.0, kLabelRoom + kBarWidth, number_text(end));
  return svg + "</svg>";
}

std::string worst_elements(const CaseResult& result) {
  const OutputCheck& output = result.output;
  if (output.checked == 0 && output.unwritten == 0) {
    return "<section><h4>Output</h4><p>Nothing was checked.</p></section>";
  }
  std::string html = "<section>";
  const std::string figure = bound_figure(result);
  if (!figure.empty()) {
    html +=
        "<h4>Bound and error of the worst element, to scale</h4><div class=\"scroll\" "
        "role=\"group\" "
        "tabindex=\"0\" aria-label=\"Bounds to scale\">" +
        figure + "</div><ul class=\"legend\">";
    for (std::size_t i = 0; i < kTerms.size(); ++i) {
      html += fmt::format(
          "<li><span class=\"swatch\" style=\"background:var(--term-{})\"></span>{}</li>", i + 1,
          kTerms[i].name);
    }
    html += "<li>line with a foot: the error</li></ul>";
  }
  html += "</section><section>" +
          element_section("Worst element of the output (tier A: any kernel)", output, false);
  if (result.schedule.checked > 0) {
    html += element_section("Worst element against the declared schedule (tier B)", result.schedule,
                            true);
  }
  if (result.lse.checked > 0 || result.lse.unwritten > 0) {
    html += element_section("Worst element of the log-sum-exp", result.lse, false);
  } else {
    html += "<p class=\"soft\">The kernel has no log-sum-exp output.</p>";
  }
  return html + "</section>";
}

}  // namespace lvsa::analysis
