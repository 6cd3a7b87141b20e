#include "analysis/sweep/sample.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lvsa::analysis {

std::string describe(const SampleId& id) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : {std::pair("layer", id.layer), std::pair("step", id.step),
                                    std::pair("batch", id.batch), std::pair("head", id.head)}) {
    if (value >= 0) parts.push_back(fmt::format("{} {}", name, value));
  }
  return parts.empty() ? id.source : fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> sample_classes(const SampleSource& source) {
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < source.ids().size(); ++i) classes.push_back(source.head_class(i));
  const bool none =
      std::all_of(classes.begin(), classes.end(), [](const auto& name) { return name.empty(); });
  return none ? std::vector<std::string>{} : classes;
}

}  // namespace lvsa::analysis
