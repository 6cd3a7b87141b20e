#include "core/schedule/mask_log.hpp"

#include <algorithm>

#include "core/config/python_number.hpp"

namespace lvsa {
namespace {

bool in_range(std::string_view spec, std::size_t dash, std::int64_t step) {
  const auto first = parse_python_int_saturated(spec.substr(0, dash));
  const auto last = parse_python_int_saturated(spec.substr(dash + 1));
  return first && last && *first <= step && step <= *last;
}

bool in_list(std::string_view spec, std::int64_t step) {
  bool found = false;
  for (std::size_t start = 0; start <= spec.size();) {
    const std::size_t comma = std::min(spec.find(',', start), spec.size());
    const std::string part = python_strip(spec.substr(start, comma - start));
    start = comma + 1;
    if (part.empty()) continue;
    const auto value = parse_python_int_saturated(part);
    if (!value) return false;  // one bad part voids the list
    found = found || *value == step;
  }
  return found;
}

}  // namespace

bool mask_log_due(std::string_view spec, std::int64_t step, std::int64_t last_step) {
  if (spec.empty() || spec == "0" || step == last_step) return false;
  if (spec == "1") return true;
  if (spec == "once") return last_step < 0;
  if (const std::size_t dash = spec.find('-'); dash != std::string_view::npos) {
    return in_range(spec, dash, step);
  }
  return in_list(spec, step);
}

}  // namespace lvsa
