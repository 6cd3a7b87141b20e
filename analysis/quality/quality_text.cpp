// The joined tables as text and as CSV.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/quality/csv_table.hpp"
#include "analysis/quality/quality_join.hpp"
#include "analysis/report/text_format.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

constexpr std::size_t kNamedRuns = 5;

// Shortest text that reads back as the value; empty where there is none.
std::string exact(double value) {
  if (std::isnan(value)) return "";
  if (std::isinf(value)) return value > 0.0 ? "inf" : "-inf";
  return fmt::format("{}", value);
}

std::string shown(double value) { return std::isnan(value) ? "-" : fmt::format("{:+.2f}", value); }

std::string shown_p(double p) {
  if (std::isnan(p)) return "-";
  return p < 0.001 ? fmt::format("{:.0e}", p) : fmt::format("{:.3f}", p);
}

std::string interval_text(const Interval95& interval) {
  if (std::isnan(interval.low)) return "-";
  return fmt::format("{:+.2f} to {:+.2f}", interval.low, interval.high);
}

}  // namespace

std::string quality_csv(const QualityReport& report) {
  std::string text = "setting";
  for (const QualityFigure& figure : report.figures) text += "," + csv_field(figure.name);
  for (const std::string& dimension : report.dimensions) {
    text += "," + csv_field(dimension) + "," + csv_field(dimension + ".videos");
  }
  text += '\n';
  for (const QualityPoint& point : report.points) {
    text += csv_field(point.words);
    for (const double value : point.figures) text += "," + exact(value);
    for (std::size_t d = 0; d < report.dimensions.size(); ++d) {
      text += fmt::format(",{},{}", exact(point.scores[d]), point.runs[d]);
    }
    text += '\n';
  }
  return text;
}

std::string correlations_csv(const QualityReport& report) {
  std::string text =
      "dimension,figure,settings,spearman_rho,rho_low,rho_high,rho_p,rho_p_holm,kendall_tau_b,"
      "tau_low,tau_high,tau_p,partial_rho_given_density,exact_p\n";
  for (const QualityPair& pair : report.pairs) {
    const CorrelationTest& t = pair.test;
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{:d}\n",
        csv_field(report.dimensions[pair.dimension]), csv_field(report.figures[pair.figure].name),
        t.pairs, exact(t.rho), exact(t.rho_interval.low), exact(t.rho_interval.high),
        exact(t.p_rho), exact(pair.p_adjusted), exact(t.tau), exact(t.tau_interval.low),
        exact(t.tau_interval.high), exact(t.p_tau), exact(pair.partial_rho), t.exact);
  }
  return text;
}

std::string quality_text(const QualityReport& report) {
  std::string text = fmt::format("{} videos of {} settings, {} left out\n\n", report.runs,
                                 report.points.size(), report.unmatched.size());
  std::size_t wide = 9;
  for (const std::string& name : report.dimensions) wide = std::max(wide, printable(name).size());
  text +=
      fmt::format("{:<{}}  {:<14} {:>3}  {:>6}  {:<15}  {:>6}  {:>7}  {:>6}  {:>8}\n", "dimension",
                  wide, "figure", "n", "rho", "95 %", "p", "p Holm", "tau-b", "| density");
  for (const QualityPair& pair : report.pairs) {
    const CorrelationTest& t = pair.test;
    text += fmt::format("{:<{}}  {:<14} {:>3}  {:>6}  {:<15}  {:>6}  {:>7}  {:>6}  {:>8}\n",
                        printable(report.dimensions[pair.dimension]), wide,
                        report.figures[pair.figure].name, t.pairs, shown(t.rho),
                        interval_text(t.rho_interval), shown_p(t.p_rho), shown_p(pair.p_adjusted),
                        shown(t.tau), shown(pair.partial_rho));
  }
  text +=
      "\nrho: Spearman over settings; p two-sided by permutation; Holm over all rows; | density: "
      "partial rho given the token density\n";
  for (const std::string& warning : report.warnings)
    text += "note: " + printable(warning, 400) + "\n";
  for (std::size_t i = 0; i < std::min(report.unmatched.size(), kNamedRuns); ++i) {
    text += fmt::format("left out: {}: {}\n", printable(report.unmatched[i].run),
                        printable(report.unmatched[i].reason));
  }
  if (report.unmatched.size() > kNamedRuns) {
    text += fmt::format("left out: and {} more\n", report.unmatched.size() - kNamedRuns);
  }
  return text;
}

}  // namespace lvsa::analysis
