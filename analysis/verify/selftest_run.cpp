// The healthy kernel and all defects through all checks.

#include <algorithm>

#include "analysis/verify/selftest.hpp"
#include "reference/attention/mutants/mutant_kernel.hpp"

namespace lvsa::analysis {

bool SelftestLine::killed_long() const {
  return std::any_of(by.begin(), by.end(),
                     [](const std::string& check) { return check.starts_with(kLongPrefix); });
}

bool SelftestLine::killed_small() const {
  return std::any_of(by.begin(), by.end(),
                     [](const std::string& check) { return !check.starts_with(kLongPrefix); });
}

std::int64_t SelftestReport::killed() const {
  return std::count_if(defects.begin(), defects.end(),
                       [](const SelftestLine& line) { return line.killed(); });
}

std::int64_t SelftestReport::killed_small() const {
  return std::count_if(defects.begin(), defects.end(),
                       [](const SelftestLine& line) { return line.killed_small(); });
}

std::int64_t SelftestReport::killed_long() const {
  return std::count_if(defects.begin(), defects.end(),
                       [](const SelftestLine& line) { return line.killed_long(); });
}

bool SelftestReport::good() const {
  return healthy.by.empty() && killed_long() == static_cast<std::int64_t>(defects.size());
}

SelftestReport run_selftest(std::int64_t long_keys, SelftestDepth depth,
                            const std::function<void(std::size_t, std::size_t)>& done) {
  const lvsa_kernel& healthy = reference::mutant_kernel(reference::Defect::kNone);
  const SelftestCases cases(healthy, long_keys);
  const auto defects = reference::all_defects();
  const std::size_t all = defects.size() + 1;
  SelftestReport report;
  report.healthy = {healthy.name, "", healthy.description,
                    cases.failed_checks(healthy, reference::forget_previous_calls)};
  if (done) done(1, all);
  for (const reference::DefectInfo& info : defects) {
    report.defects.push_back({info.name, std::string(family_name(info.family)), info.description,
                              cases.failed_checks(reference::mutant_kernel(info.defect),
                                                  reference::forget_previous_calls, depth)});
    if (done) done(report.defects.size() + 1, all);
  }
  return report;
}

}  // namespace lvsa::analysis
