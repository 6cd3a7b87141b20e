#pragma once
// The cases of a run, however many.

#include <cstdint>
#include <string>

#include "analysis/run/line_spool.hpp"
#include "analysis/verify/case.hpp"

namespace lvsa::analysis {

/// Cases by their number, from 1, as in reports. It keeps their lines (LineSpool): some 8 bytes of
/// memory a case.
class CaseList {
 public:
  void add(const Case& c) { lines_.add(to_line(c)); }
  std::int64_t size() const { return lines_.size(); }
  /// to_line() of the case. Throws Error(kIo).
  std::string line(std::int64_t number) const { return lines_.at(number - 1); }
  Case at(std::int64_t number) const { return parse_case(line(number)); }

 private:
  LineSpool lines_;
};

}  // namespace lvsa::analysis
