// Requirements as text, and the figures that they may be about.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "analysis/sweep/front.hpp"
#include "core/error.hpp"
#include "core/io/printable.hpp"

namespace lvsa::analysis {
namespace {

using Sign = Requirement::Sign;

// Longer signs first, since one begins like the other.
constexpr std::array<std::pair<std::string_view, Sign>, 4> kSigns = {{
    {">=", Sign::kAtLeast},
    {"<=", Sign::kAtMost},
    {">", Sign::kMore},
    {"<", Sign::kLess},
}};

struct Figure {
  std::string_view name;
  double (*value)(const SettingFigures&);
};

constexpr std::array<Figure, 7> kFigures = {{
    {"density", [](const SettingFigures& f) { return f.token_density; }},
    {"speedup", [](const SettingFigures& f) { return f.expected_speedup; }},
    {"frame_density", [](const SettingFigures& f) { return f.frame_density; }},
    {"coverage", [](const SettingFigures& f) { return f.union_coverage; }},
    {"oldest_unseen", [](const SettingFigures& f) { return static_cast<double>(f.oldest_unseen); }},
    {"steps_to_cover",
     [](const SettingFigures& f) { return static_cast<double>(f.steps_to_cover); }},
    {"interval", [](const SettingFigures& f) { return static_cast<double>(f.interval); }},
}};

const Figure* figure_of(std::string_view name) {
  const auto at = std::find_if(kFigures.begin(), kFigures.end(),
                               [&](const Figure& figure) { return figure.name == name; });
  return at == kFigures.end() ? nullptr : &*at;
}

std::string all_names() {
  std::vector<std::string> names;
  for (const MetricInfo& metric : metric_infos()) names.emplace_back(metric.name);
  for (const std::string& name : figure_names()) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

[[noreturn]] void refuse(const std::string& text, const std::string& due) {
  throw Error(ErrorKind::kValue, fmt::format("requirement '{}': {}", printable(text), due));
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

}  // namespace

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  for (const Figure& figure : kFigures) names.emplace_back(figure.name);
  return names;
}

double figure_value(const SettingFigures& figures, const std::string& name) {
  const Figure* figure = figure_of(name);
  if (figure == nullptr) {
    throw Error(ErrorKind::kValue,
                fmt::format("figure '{}': there are {}", name, fmt::join(figure_names(), ", ")));
  }
  return figure->value(figures);
}

bool Requirement::met_by(double value) const {
  switch (sign) {
    case Sign::kLess:
      return value < bound;
    case Sign::kAtMost:
      return value <= bound;
    case Sign::kMore:
      return value > bound;
    case Sign::kAtLeast:
      return value >= bound;
  }
  return false;
}

std::string Requirement::text() const {
  for (const auto& [word, kind] : kSigns) {
    if (kind == sign) return fmt::format("{}{}{}", name, word, bound);
  }
  return name;
}

Requirement parse_requirement(const std::string& text) {
  const std::size_t at = text.find_first_of("<>=");
  const auto sign = std::find_if(kSigns.begin(), kSigns.end(), [&](const auto& candidate) {
    return at != std::string::npos &&
           text.compare(at, candidate.first.size(), candidate.first) == 0;
  });
  if (sign == kSigns.end()) {
    refuse(text, "NAME>=NUMBER or NAME<=NUMBER is due (or < and >), for example recall>=0.95");
  }
  Requirement requirement;
  requirement.name = trimmed(std::string_view(text).substr(0, at));
  requirement.sign = sign->second;
  if (!metric_of_name(requirement.name) && figure_of(requirement.name) == nullptr) {
    refuse(text, fmt::format("no metric or figure is named '{}'; there are {}",
                             printable(requirement.name), all_names()));
  }
  const std::string number = trimmed(std::string_view(text).substr(at + sign->first.size()));
  const char* end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, requirement.bound);
  if (number.empty() || read.ec != std::errc() || read.ptr != end ||
      !std::isfinite(requirement.bound)) {
    refuse(text, fmt::format("'{}' is no number; one is due, for example recall>=0.95",
                             printable(number)));
  }
  return requirement;
}

double required_value(const Requirement& requirement, const SettingFigures& figures,
                      const MetricValues& pooled) {
  if (const auto metric = metric_of_name(requirement.name)) {
    return pooled[static_cast<std::size_t>(*metric)];
  }
  return figure_value(figures, requirement.name);
}

}  // namespace lvsa::analysis
