#include "analysis/sweep/pattern_compare_units.hpp"

#include <fmt/format.h>

#include <cstring>

#include "core/error.hpp"

namespace lvsa::analysis {
namespace {

void put_number(std::string& bytes, double value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& bytes, const std::string& text) {
  const auto size = static_cast<std::uint64_t>(text.size());
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  bytes += text;
}

class UnitReader {
 public:
  explicit UnitReader(std::string_view bytes) : left_(bytes) {}

  double number() {
    double value = 0.0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() {
    std::uint64_t size = 0;
    std::memcpy(&size, take(sizeof size).data(), sizeof size);
    return std::string(take(size));
  }
  void end() const {
    if (!left_.empty()) fail();
  }

 private:
  std::string_view take(std::uint64_t count) {
    if (count > left_.size()) fail();
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  [[noreturn]] static void fail() {
    throw Error(ErrorKind::kIo, "a unit of the comparison has another number of patterns");
  }
  std::string_view left_;
};

void enter(CompareResults& results, std::size_t sample, const CompareUnit& unit) {
  for (std::size_t e = 0; e < results.entries.size(); ++e) {
    const std::size_t at = results.place(e, sample);
    results.values[at] = unit.values[e];
    results.words[at] = unit.words[e];
    results.choices[at] = unit.choices[e];
    if (!unit.failures[e].empty()) results.failures.push_back({e, sample, unit.failures[e], false});
    if (!unit.untimed[e].empty()) {
      results.untimed.push_back({e, sample, unit.untimed[e], unit.lost[e]});
    }
  }
}

}  // namespace

CompareUnit::CompareUnit(std::size_t entries)
    : values(entries, no_figures()),
      words(entries),
      choices(entries),
      failures(entries),
      untimed(entries),
      lost(entries, false) {}

std::string unit_bytes(const CompareUnit& unit) {
  std::string bytes;
  for (std::size_t e = 0; e < unit.values.size(); ++e) {
    for (const double value : unit.values[e].metrics) put_number(bytes, value);
    for (const FigureInfo& figure : compare_figures()) {
      put_number(bytes, figure.value(unit.values[e]));
    }
    for (const std::string* text :
         {&unit.words[e], &unit.choices[e], &unit.failures[e], &unit.untimed[e]}) {
      put_text(bytes, *text);
    }
    put_number(bytes, unit.lost[e] ? 1.0 : 0.0);
  }
  return bytes;
}

CompareUnit parse_unit(std::string_view bytes, std::size_t entries) {
  UnitReader in(bytes);
  CompareUnit unit(entries);
  for (std::size_t e = 0; e < entries; ++e) {
    for (double& value : unit.values[e].metrics) value = in.number();
    for (const FigureInfo& figure : compare_figures()) {
      figure.place(unit.values[e]) = in.number();
    }
    for (std::string* text :
         {&unit.words[e], &unit.choices[e], &unit.failures[e], &unit.untimed[e]}) {
      *text = in.text();
    }
    unit.lost[e] = in.number() != 0.0;
  }
  in.end();
  return unit;
}

CompareResults finish_comparison(const ComparePlan& plan,
                                 const std::function<CompareUnit(std::int64_t)>& read) {
  CompareResults results = results_of_plan(plan);
  for (std::int64_t unit = 1; unit <= plan.units(); ++unit) {
    enter(results, static_cast<std::size_t>(unit) - 1, read(unit));
  }
  return results;
}

}  // namespace lvsa::analysis
